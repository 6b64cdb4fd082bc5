package io.tiercel.tools.ops;

import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.load.LatencyTable;
import io.tiercel.tools.load.Measurement;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.agrona.IoUtil;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel bench desk}: what a client notices of an operator's desk that reads, is stopped or is killed. */
@Command(
        name = "desk",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "An appliance, a client at a steady rate (open loop), and an operator's desk in a process of its own:",
            "none, one that reads, one that is stopped with its files mapped, one that is killed half-way; in turns.",
            "Exits 1 if a request was not answered. Ends by itself."})
public final class DeskBenchCommand implements Callable<Integer> {

    private static final double MAX_RATE = 1_000_000;
    private static final long MAX_REQUESTS = 100_000_000;
    private static final int MAX_TURNS = 1_000;

    @Option(names = "--rate", defaultValue = "5000", paramLabel = "R",
            description = "Requests a second. Default: ${DEFAULT-VALUE}.")
    private double rate;

    @Option(names = "--requests", defaultValue = "25000", paramLabel = "N",
            description = "Of each part; a turn has four. Default: ${DEFAULT-VALUE}.")
    private long requests;

    @Option(names = "--turns", defaultValue = "5", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
    private int turns;

    @Option(names = "--layout", defaultValue = "auto", paramLabel = "LAYOUT",
            description = "Of the appliance: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Layout layout;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Override
    public Integer call() {
        require(rate >= 1 && rate <= MAX_RATE, "--rate=" + rate + " is not in 1.." + (long) MAX_RATE);
        require(requests >= 2 && requests <= MAX_REQUESTS, "--requests=" + requests + " is not in 2.." + MAX_REQUESTS);
        require(turns >= 1 && turns <= MAX_TURNS, "--turns=" + turns + " is not in 1.." + MAX_TURNS);
        Json.checkWritable("--json", json);
        System.out.println("tiercel bench desk, commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        Path folder = null;
        try {
            folder = Files.createTempDirectory("tiercel-bench-desk-");
            final Map<DeskBench.Desk, Measurement> measured = new DeskBench(
                    new DeskBench.Plan(layout, IdleMode.SPIN, rate, requests, turns, folder, true),
                    SystemNanoClock.INSTANCE, System.out).run();
            print(measured, System.out);
            if (json != null) {
                Json.write(json, toJson(measured));
            }
            return measured.values().stream().allMatch(part -> part.counts().allAnswered())
                    ? ExitCode.OK
                    : ExitCode.CHECK_FAILED;
        } catch (final IOException ex) {
            throw ToolException.environment("cannot make a temporary directory: " + ex, ex);
        } finally {
            if (folder != null) {
                IoUtil.delete(folder.toFile(), true);
            }
        }
    }

    private void print(final Map<DeskBench.Desk, Measurement> measured, final PrintStream out) {
        out.println("1 client, " + rate + "/s; µs from due times");
        final LatencyTable table = new LatencyTable();
        measured.forEach((desk, part) -> table.add("desk " + nameOf(desk), part.summary()));
        measured.forEach((desk, part) -> table.add("core stalls, " + nameOf(desk), part.hiccups().histogram()));
        out.print(table);
        measured.forEach((desk, part) -> out.println("desk " + nameOf(desk) + ": " + part.counts()));
    }

    private Map<String, Object> toJson(final Map<DeskBench.Desk, Measurement> measured) {
        final Map<String, Object> result = new LinkedHashMap<>();
        result.put("commit", BuildInfo.commit());
        result.put("machine", MachineInfo.describe());
        result.put("jvm", MachineInfo.runtime());
        result.put("ratePerSecond", rate);
        result.put("turns", turns);
        measured.forEach((desk, part) -> {
            final Map<String, Object> node = new LinkedHashMap<>(part.counts().toJson());
            node.put("roundTripUs", part.summary().toJson());
            node.put("coreStallsUs", part.hiccups().toJson());
            result.put(nameOf(desk), node);
        });
        return result;
    }

    private static String nameOf(final DeskBench.Desk desk) {
        return desk.name().toLowerCase(Locale.ROOT);
    }

    private static void require(final boolean isSound, final String what) {
        if (!isSound) {
            throw ToolException.badArgument(what);
        }
    }
}
