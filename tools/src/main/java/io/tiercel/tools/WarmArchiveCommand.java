package io.tiercel.tools;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.tiercel.appliance.Appliance;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.ConfigReader;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.engine.Backend;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.ReplayVerifier;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.wire.DocumentContext;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * Loads what the other commands will load, so that the JVM can archive it when this one exits
 * ({@code -XX:ArchiveClassesAtExit}). Called by the launcher, once for each JVM and build.
 *
 * <p>Each step stands alone: what one of them cannot do here is missing from the archive, and no more.
 */
@Command(name = "warm-archive", hidden = true, mixinStandardHelpOptions = true,
        description = "Loads the classes of all commands, for the launcher.")
public final class WarmArchiveCommand implements Callable<Integer> {

    private static final int MESSAGE_COUNT = 100;
    private static final int MAX_TURNS = 1_000_000;
    private static final int STREAM_ID = 1;
    private static final String MODEL = "/io/tiercel/tools/models/bitstamp-int8.safetensors";

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        final Path directory = Files.createTempDirectory("tiercel-warm-archive");
        try {
            attempt("classes", WarmArchiveCommand::loadOwnClasses);
            attempt("commands", () -> describe(spec.root().commandLine()));
            attempt("configuration", () -> configure(directory));
            attempt("backends", WarmArchiveCommand::probeBackends);
            attempt("histograms", WarmArchiveCommand::logHistogram);
            attempt("queue", () -> writeAndReadQueue(directory.resolve("queue")));
            attempt("messages", () -> sendAndReceive(directory.resolve("aeron")));
            attempt("appliance", () -> serveAndReplay(directory));
        } finally {
            IoUtil.delete(directory.toFile(), true);
        }
        return CommandLine.ExitCode.OK;
    }

    private static void attempt(final String name, final Step step) {
        try {
            step.run();
            System.out.println(name + ": ok");
        } catch (final Exception | LinkageError ex) {
            System.out.println(name + ": " + ex);
        }
    }

    private static void loadOwnClasses() throws IOException {
        for (final String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (Path.of(path).getFileName().toString().startsWith("tiercel-")) {
                try (JarFile jar = new JarFile(path)) {
                    loadClasses(jar.entries());
                }
            }
        }
    }

    private static void loadClasses(final Enumeration<JarEntry> entries) {
        while (entries.hasMoreElements()) {
            final String name = entries.nextElement().getName();
            if (name.endsWith(".class") && !name.endsWith("-info.class")) {
                final String className = name.substring(0, name.length() - ".class".length()).replace('/', '.');
                attemptLoad(className);
            }
        }
    }

    private static void attemptLoad(final String className) {
        try {
            Class.forName(className, false, WarmArchiveCommand.class.getClassLoader());
        } catch (final ClassNotFoundException | LinkageError ex) {
            System.out.println(className + ": " + ex);
        }
    }

    private static void describe(final CommandLine command) {
        command.usage(new PrintWriter(new StringWriter()));
        command.getSubcommands().values().forEach(WarmArchiveCommand::describe);
    }

    private static void configure(final Path directory) throws IOException {
        final Path file = Files.writeString(directory.resolve("a.yaml"), "models:\n  - {alias: a, bundle: a}\n");
        final ApplianceContext context = ConfigReader.read(file).conclude();
        System.out.println(context);
    }

    private static void probeBackends() {
        ServiceLoader.load(Backend.class)
                .forEach(backend -> System.out.println(backend.name() + " " + backend.probe()));
    }

    private static void logHistogram() {
        final Histogram histogram = new Histogram(3);
        histogram.recordValue(1);
        final HistogramLogWriter writer = new HistogramLogWriter(new ByteArrayOutputStream());
        writer.outputLegend();
        writer.outputIntervalHistogram(0, 1, histogram, 1);
        histogram.getValueAtPercentile(99);
    }

    private static void writeAndReadQueue(final Path directory) {
        try (ChronicleQueue queue = ChronicleQueue.singleBuilder(directory).build();
                ExcerptAppender appender = queue.createAppender();
                ExcerptTailer tailer = queue.createTailer()) {
            for (int index = 0; index < MESSAGE_COUNT; index++) {
                try (DocumentContext document = appender.writingDocument()) {
                    document.wire().bytes().writeLong(index);
                }
                try (DocumentContext document = tailer.readingDocument()) {
                    document.wire().bytes().readLong();
                }
            }
        }
    }

    private static void sendAndReceive(final Path directory) {
        final MediaDriver.Context driverContext = new MediaDriver.Context()
                .aeronDirectoryName(directory.toString())
                .threadingMode(ThreadingMode.INVOKER)
                .ipcTermBufferLength(64 * 1024)
                .dirDeleteOnShutdown(true);
        try (MediaDriver driver = MediaDriver.launchEmbedded(driverContext);
                Aeron aeron = Aeron.connect(new Aeron.Context()
                        .aeronDirectoryName(driver.aeronDirectoryName())
                        .driverAgentInvoker(driver.sharedAgentInvoker())
                        .useConductorAgentInvoker(true));
                Subscription subscription = aeron.addSubscription("aeron:ipc", STREAM_ID);
                ExclusivePublication publication = aeron.addExclusivePublication("aeron:ipc", STREAM_ID)) {
            final UnsafeBuffer message = new UnsafeBuffer(new byte[64]);
            int received = 0;
            for (int turn = 0; turn < MAX_TURNS && received < MESSAGE_COUNT; turn++) {
                driver.sharedAgentInvoker().invoke();
                aeron.conductorAgentInvoker().invoke();
                publication.offer(message);
                received += subscription.poll((buffer, offset, length, header) -> {}, MESSAGE_COUNT);
            }
            System.out.println("received " + received);
        }
    }

    /** The whole path once: the appliance warms itself up, a client says hello, the journal is replayed. */
    private static void serveAndReplay(final Path directory) throws IOException {
        final Path bundle = directory.resolve("model.safetensors");
        try (InputStream model = WarmArchiveCommand.class.getResourceAsStream(MODEL)) {
            if (model == null) {
                throw new IOException("no resource " + MODEL);
            }
            Files.copy(model, bundle);
        }
        final ApplianceContext context = new ApplianceContext()
                .layout(Layout.PAIRED)
                .aeronDirectoryName(directory.resolve("appliance").toString())
                .journalDirectory(directory.resolve("journal"))
                .addModel(new ModelConfig("model", bundle))
                .warmUpRequests(MESSAGE_COUNT)
                .conclude();
        try (Appliance appliance = Appliance.launch(context);
                TiercelClient client = TiercelClient.connect(new ClientContext()
                        .aeronDirectoryName(context.aeronDirectoryName())
                        .principal("warm-archive")
                        .conclude())) {
            System.out.println("models " + client.models() + " failure " + appliance.failure());
        }
        System.out.println(new ReplayVerifier(
                new ReplayOptions().journalDirectory(context.journalDirectory())).verify());
    }

    /** One thing to load. */
    private interface Step {
        void run() throws IOException;
    }
}
