package io.tiercel.tools.access;

import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.agrona.IoUtil;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel bench access}: what a client inside notices of strangers who are not let in. */
@Command(
        name = "access",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "An appliance with keys, a client inside at a steady rate (open loop), and bad Hellos, each on a",
            "connection of its own: no proof, a wrong key, an unknown name, a recorded Hello, an old version. In",
            "quiet, with as many strangers at another house on this machine, and under attack, in turns.",
            "Exits 1 if anybody was let in, or a request inside was not answered. Ends by itself."})
public final class AccessBenchCommand implements Callable<Integer> {

    private static final double MAX_RATE = 1_000_000;
    private static final long MAX_STRANGERS = 10_000_000;

    @Option(names = "--rate", defaultValue = "5000", paramLabel = "R",
            description = "Requests a second of the client inside. Default: ${DEFAULT-VALUE}.")
    private double rate;

    @Option(names = "--strangers", defaultValue = "10000", paramLabel = "N",
            description = "Bad Hellos, in all turns together. Default: ${DEFAULT-VALUE}.")
    private long strangers;

    @Option(names = "--stranger-rate", defaultValue = "200", paramLabel = "R",
            description = "Of them a second. Default: ${DEFAULT-VALUE}.")
    private double strangerRate;

    @Option(names = "--turns", defaultValue = "5", paramLabel = "N",
            description = "Parts of each of the three kinds. Default: ${DEFAULT-VALUE}.")
    private int turns;

    @Option(names = "--layout", defaultValue = "auto", paramLabel = "LAYOUT",
            description = "Of the appliance: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Layout layout;

    @Option(names = "--output", paramLabel = "FILE", description = "Writes interval histograms here (.hlog).")
    private Path output;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Override
    public Integer call() {
        checkArguments();
        System.out.println("tiercel bench access, commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        Path folder = null;
        try {
            folder = Files.createTempDirectory("tiercel-bench-access-");
            final AccessReport report = new AccessBench(
                    new AccessPlan(layout, IdleMode.SPIN, rate, strangers, strangerRate, turns, folder, true, output),
                    SystemNanoClock.INSTANCE, System.out).run();
            System.out
                    .println("inside: 1 client, " + rate + "/s; strangers: " + strangerRate + "/s; µs from due times");
            System.out.print(report);
            writeJson(report);
            return report.holds() ? ExitCode.OK : ExitCode.CHECK_FAILED;
        } catch (final IOException e) {
            throw ToolException.environment("cannot make a temporary directory: " + e, e);
        } finally {
            if (folder != null) {
                IoUtil.delete(folder.toFile(), true);
            }
        }
    }

    private void writeJson(final AccessReport report) {
        if (json != null) {
            final Map<String, Object> result = new LinkedHashMap<>();
            result.put("commit", BuildInfo.commit());
            result.put("machine", MachineInfo.describe());
            result.put("jvm", MachineInfo.runtime());
            result.putAll(report.toJson());
            Json.write(json, result);
        }
    }

    private void checkArguments() {
        require(rate >= 1 && rate <= MAX_RATE, "--rate=" + rate + " is not in 1.." + (long) MAX_RATE);
        require(strangers >= 1 && strangers <= MAX_STRANGERS,
                "--strangers=" + strangers + " is not in 1.." + MAX_STRANGERS);
        require(strangerRate >= 1 && strangerRate <= AccessPlan.MAX_STRANGER_RATE,
                "--stranger-rate=" + strangerRate + " is not in 1.." + (long) AccessPlan.MAX_STRANGER_RATE +
                        ": the media driver has no counters for more");
        require(turns >= 1 && turns <= AccessPlan.MAX_TURNS && turns <= strangers,
                "--turns=" + turns + " is not in 1.." + Math.min(AccessPlan.MAX_TURNS, strangers));
        Json.checkWritable("--json", json);
    }

    private static void require(final boolean isSound, final String what) {
        if (!isSound) {
            throw ToolException.badArgument(what);
        }
    }
}
