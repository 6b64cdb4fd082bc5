package io.tiercel.tools;

import io.tiercel.appliance.Appliance;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.ConfigReader;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.recovery.RecoveryProgress;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code tiercel serve}: runs an appliance until SIGTERM or SIGINT, then drains and closes it. Prints a line that
 * starts with {@code ready} once clients are welcome.
 */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        description = {
            "Runs an appliance until SIGTERM or Ctrl-C.",
            "Goes on where the journal ends, however the process before ended, and says what that took.",
            "Then it takes no more requests, answers what it has, syncs the journal, and says what it did."})
public final class ServeCommand implements Callable<Integer> {

    /** How the line begins that says that the journal holds records, which are computed again from here on. */
    public static final String RECOVERING = "recovering:";

    /** How the line begins that says what was found in the journal. Only if it held records. */
    public static final String RECOVERED = "recovered:";

    /** How the line begins that names a folder of the appliance that other users have rights to. */
    public static final String OPEN_FOLDER = "open to others:";

    /** How the line begins that says that clients are welcome. */
    public static final String READY = "ready";

    /** How the line begins that says what was done at the end. */
    public static final String STOPPED = "stopped:";

    private static final int VERSION_DIGITS = 8;
    private static final long CHECK_INTERVAL_MS = 200;

    @Option(names = "--config", required = true, paramLabel = "FILE", description = "Configuration, YAML.")
    private Path config;

    @Option(names = "--until-stdin-closes", hidden = true,
            description = "Also stops when standard input closes: for a parent process that may be killed.")
    private boolean untilStdinCloses;

    @Override
    public Integer call() throws InterruptedException {
        if (!Files.isReadable(config)) {
            throw ToolException.badArgument("--config=" + config + " cannot be read");
        }
        final ApplianceContext context = ConfigReader.read(config);
        return StopSignal.during(untilStdinCloses, stop -> serve(context, stop));
    }

    private static int serve(final ApplianceContext context, final StopSignal stop) throws InterruptedException {
        System.out.println("tiercel " + BuildInfo.version() + " commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        System.out.print(BackendsCommand.table());
        try (Appliance appliance = launch(context)) {
            if (appliance.recovered().nextSequence() > 0) {
                System.out.println(RECOVERED + " " + appliance.recovered());
            }
            for (final LoadedModel model : appliance.models()) {
                if (!model.rationale().isEmpty()) {
                    System.out.println("placement: model=" + model.alias() + ' ' + model.rationale());
                }
            }
            for (final String folder : appliance.openFolders()) {
                System.out.println(OPEN_FOLDER + " " + folder);
            }
            if (appliance.context().idle() == IdleMode.SPIN) {
                MachineInfo.printNoteOfSpinningThreads(
                        System.out, appliance.context().layout(), appliance.context().inferWorkers());
            }
            System.out.println(READY + " ms=" + sinceProcessStartMs() + describe(appliance));
            final Throwable told = awaitStop(appliance, stop);
            System.out.println("stopping: " + stop.cause());
            return report(appliance.shutdown(), told);
        }
    }

    private static Appliance launch(final ApplianceContext context) {
        final RecoveryWatch watch = new RecoveryWatch();
        try {
            return Appliance.launch(context, watch);
        } finally {
            watch.bar.clear();
        }
    }

    private static String describe(final Appliance appliance) {
        final ApplianceContext context = appliance.context();
        final StringBuilder text = new StringBuilder()
                .append(" pid=").append(ProcessHandle.current().pid())
                .append(" layout=").append(context.layout())
                .append(" aeron.directory=").append(context.aeronDirectoryName())
                .append(" journal.directory=").append(context.journalDirectory())
                .append(" access=").append(context.accessKeys() == null ? "open" : "keys")
                .append(" warm-up.requests=").append(appliance.warmUpRequestCount())
                .append(" warm-up.ms=").append(appliance.warmUpNs() / 1_000_000);
        for (final LoadedModel model : appliance.models()) {
            text.append(" model=").append(model.alias()).append('/').append(model.backendName());
            if (model.index() != model.modelId()) { // a further version
                text.append('/').append(model.versionHex(), 0, VERSION_DIGITS);
            }
        }
        return text.toString();
    }

    /**
     * A failed journal does not end the process: it goes on refusing, and this says why, once. A thread that has died
     * does.
     *
     * @return the failure that the operator has been told, or null.
     */
    private static Throwable awaitStop(final Appliance appliance, final StopSignal stop) throws InterruptedException {
        Throwable told = null;
        while (!stop.await(CHECK_INTERVAL_MS)) {
            final boolean isDead = appliance.isDead();
            if (told == null && appliance.failure() != null) {
                told = appliance.failure();
                System.err.println("failed: " + told.getMessage()
                        + (isDead ? "; the appliance ends" : "; every request is refused from here on"));
            }
            if (isDead) {
                stop.raise("failure");
            }
        }
        return told;
    }

    private static int report(final Appliance.ShutdownReport report, final Throwable told) {
        System.out.println(STOPPED + " taken=" + report.takenCount() + " recorded=" + report.recordedCount()
                + " drained=" + report.drained());
        if (report.failure() != null && report.failure() != told) {
            System.err.println("failed: " + report.failure().getMessage());
        }
        return report.drained() && report.failure() == null ? ExitCode.OK : ExitCode.ENVIRONMENT;
    }

    private static long sinceProcessStartMs() {
        final Instant start = ProcessHandle.current().info().startInstant().orElse(Instant.now());
        return Duration.between(start, Instant.now()).toMillis();
    }

    /** Says that a recovery has begun and, if it takes long, how far it is. */
    private static final class RecoveryWatch implements RecoveryProgress {

        private final CountProgress bar = new CountProgress(
                "recovery", new PrintWriter(System.err), Terminal.isErrorInteractive(), SystemNanoClock.INSTANCE);
        private boolean isBegun;

        @Override
        public void onProgress(final long doneCount, final long totalCount) {
            if (!isBegun) {
                isBegun = true;
                System.out.println(RECOVERING + " requests=" + totalCount);
            }
            bar.show(doneCount, totalCount);
        }
    }
}
