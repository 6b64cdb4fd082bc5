package io.tiercel.tools.load;

import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.tools.AeronConnection;
import io.tiercel.tools.ChildJvm;
import io.tiercel.tools.ChildProcess;
import io.tiercel.tools.CommittedModels;
import io.tiercel.tools.ServeCommand;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.YamlText;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.agrona.IoUtil;

/**
 * The appliance that a bench asks: in a process of its own, with a small model of this program, its journal and what it
 * says in the bench's folder. Nothing of it is left in memory when it is closed, whatever became of it.
 */
public final class BenchAppliance implements AutoCloseable {

    private static final String MODEL = "bitstamp-int8";
    private static final long START_TIMEOUT_MS = 120_000;
    private static final long STOP_TIMEOUT_MS = 60_000;

    private final String aeronDirectoryName;
    private final ChildProcess process;

    /**
     * What it is to be.
     *
     * @param name        of the bench.
     * @param folder      where it finds and leaves its files.
     * @param isRehearsed whether it warms up in full, as for figures that count.
     * @param keys        of those who may come in; null for everybody.
     */
    public record Plan(String name, Layout layout, IdleMode idle, Path folder, boolean isRehearsed, Path keys) {
    }

    private BenchAppliance(final Plan plan) {
        aeronDirectoryName = AeronConnection.directoryName(plan.name());
        final Path configuration = configure(plan, aeronDirectoryName);
        process = ChildProcess.start("appliance", ChildJvm.command(
                List.of("serve", "--config", configuration.toString(), "--until-stdin-closes")),
                plan.folder().resolve("appliance.log"));
    }

    /** Starts it, and does not wait: there may be other processes to start meanwhile. */
    public static BenchAppliance start(final Plan plan) {
        return new BenchAppliance(plan);
    }

    /** For its clients. */
    public String aeronDirectoryName() {
        return aeronDirectoryName;
    }

    public void awaitReady() {
        process.awaitLine(ServeCommand.READY + " ", START_TIMEOUT_MS);
    }

    /**
     * Ends it in order.
     *
     * @param during what it must have outlived.
     */
    public void stop(final String during) {
        process.requireAlive(during);
        process.terminate(STOP_TIMEOUT_MS);
    }

    @Override
    public void close() {
        process.close();
        IoUtil.delete(new File(aeronDirectoryName), true); // still there only if the appliance was killed
    }

    private static Path configure(final Plan plan, final String aeronDirectoryName) {
        try {
            final Path bundle = CommittedModels.extract(CommittedModels.open(MODEL), plan.folder());
            return Files.writeString(plan.folder().resolve("serve.yaml"), text(plan, aeronDirectoryName, bundle));
        } catch (final IOException ex) {
            throw ToolException.environment("cannot write to " + plan.folder() + ": " + ex, ex);
        }
    }

    static String text(final Plan plan, final String aeronDirectoryName, final Path bundle) {
        return """
                name: %s
                layout: %s
                idle: %s
                aeron:
                  directory: %s
                journal:
                  directory: %s
                models:
                  - alias: tape
                    bundle: %s
                """.formatted(
                plan.name(),
                plan.layout().name().toLowerCase(Locale.ROOT),
                plan.idle().name().toLowerCase(Locale.ROOT),
                YamlText.quoted(aeronDirectoryName),
                YamlText.quoted(plan.folder().resolve("journal")),
                YamlText.quoted(bundle))
                + (plan.keys() == null ? "" : "access:\n  keys: " + YamlText.quoted(plan.keys()) + "\n")
                + (plan.isRehearsed() ? "" : "warm-up:\n  requests: 1000\n");
    }
}
