package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.tools.TiercelCommand;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * What a system test works with: directories of its own, and the processes that it starts. When the test ends, each
 * process is ended by its handle and each directory removed; when it fails, all that the processes printed is shown.
 *
 * <p>Registered in an instance field it serves one test, in a static one all tests of the class.
 */
final class Workbench implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

    /**
     * Lives of a few seconds: the better compiler takes half of the time until one is ready and gives nothing back.
     * {@code DemoCommandTest} has its children compiled as they are in earnest.
     */
    private static final String QUICK_COMPILER = "-XX:TieredStopAtLevel=1";

    private final List<TiercelProcess> processes = new ArrayList<>();
    private final List<Runnable> endings = new ArrayList<>();
    private boolean isOfClass;
    private int startedCount;
    private Path directory;
    private Path home;
    private Path aeronDirectory;

    @Override
    public void beforeAll(final ExtensionContext context) throws IOException {
        isOfClass = true;
        open();
    }

    @Override
    public void beforeEach(final ExtensionContext context) throws IOException {
        if (!isOfClass) {
            open();
        }
    }

    @Override
    public void afterEach(final ExtensionContext context) throws IOException {
        if (context.getExecutionException().filter(ex -> !(ex instanceof TestAbortedException)).isPresent()) {
            System.out.println(context.getDisplayName() + " failed; its processes:");
            processes.forEach(System.out::println);
        }
        if (!isOfClass) {
            close();
        }
    }

    @Override
    public void afterAll(final ExtensionContext context) throws IOException {
        close();
    }

    /** Where the test may write; removed at its end. */
    Path directory() {
        return directory;
    }

    /** The children's home and working directory. */
    Path home() {
        return home;
    }

    /** Short and in memory where the machine has such a place; not there yet. */
    Path aeronDirectory() {
        return aeronDirectory;
    }

    /** A small model of random weights: 8 features, 3 outputs. */
    Path model(final long seed) {
        return RandomModels.lstm(seed).write(directory);
    }

    /** A configuration to start from, which disturbs the machine little. */
    ServeConfig config(final Path bundle) {
        return new ServeConfig(aeronDirectory, directory.resolve("journal"), bundle);
    }

    /** Writes a configuration file under a name of its own. */
    Path write(final ServeConfig config) {
        return write("serve-" + ++startedCount + ".yaml", config.toString());
    }

    Path write(final String name, final String text) {
        try {
            return Files.writeString(directory.resolve(name), text);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    /** An appliance that says it is ready. It also ends when this JVM does. */
    TiercelProcess serve(final ServeConfig config, final String... flags) {
        final TiercelProcess appliance = start("serve", TiercelCommand.class, List.of(flags),
                "serve", "--config", write(config).toString(), "--until-stdin-closes");
        appliance.awaitLine("ready ");
        return appliance;
    }

    /** A client of its own process; {@link SystemClient} has its arguments. */
    TiercelProcess client(final String principal, final String... arguments) {
        final List<String> all = new ArrayList<>(
                List.of("--aeron-dir", aeronDirectory.toString(), "--principal", principal));
        all.addAll(List.of(arguments));
        return start("client " + principal, SystemClient.class, List.of(), all.toArray(String[]::new));
    }

    /** Starts a tiercel command. */
    TiercelProcess begin(final String... arguments) {
        return start("tiercel " + String.join(" ", arguments), TiercelCommand.class, List.of(), arguments);
    }

    /** Starts a tiercel command and waits for its end. */
    TiercelProcess run(final String... arguments) {
        final TiercelProcess process = begin(arguments);
        process.awaitExit();
        return process;
    }

    /** A short run of the fuzzer, which writes inputs to a file thousands of times a second: in memory. */
    TiercelProcess fuzz(final String... arguments) throws IOException {
        final Path memory = Files.createDirectories(aeronDirectory);
        return start("fuzz", FuzzRun.class, List.of("-Djava.io.tmpdir=" + memory), arguments);
    }

    /** Is done at the end of the test, after the processes' end. */
    void atEnd(final Runnable ending) {
        endings.add(0, ending);
    }

    /** A copy of a directory, to spoil. */
    Path copy(final Path source, final String name) {
        final Path target = directory.resolve(name);
        try (var files = Files.walk(source)) {
            for (final Path file : files.toList()) {
                Files.copy(file, target.resolve(source.relativize(file).toString()));
            }
            return target;
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    /** Says why a test is not run here, on the console too. */
    static void assumeThat(final boolean holds, final String reason) {
        if (!holds) {
            System.out.println("not run: " + reason);
        }
        assumeTrue(holds, "not run: " + reason);
    }

    private TiercelProcess start(
            final String name, final Class<?> main, final List<String> flags, final String... arguments) {
        final List<String> all = new ArrayList<>(flags);
        all.add(QUICK_COMPILER);
        final TiercelProcess process = TiercelProcess.start(name, main, home, all, List.of(arguments));
        processes.add(process);
        return process;
    }

    private void open() throws IOException {
        directory = Files.createTempDirectory("tiercel-system-");
        home = Files.createDirectory(directory.resolve("home"));
        final Path memory = Path.of("/dev/shm");
        final Path parent = Files.isWritable(memory) ? memory : directory;
        aeronDirectory = parent.resolve("tiercel-system-" + ProcessHandle.current().pid() + "-" + System.nanoTime());
    }

    private void close() throws IOException {
        processes.forEach(TiercelProcess::end);
        endings.forEach(Runnable::run);
        remove(aeronDirectory);
        remove(directory);
    }

    private static void remove(final Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(final Path file, final BasicFileAttributes attributes)
                    throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(final Path folder, final IOException failure)
                    throws IOException {
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
