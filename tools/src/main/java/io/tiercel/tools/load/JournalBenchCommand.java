package io.tiercel.tools.load;

import io.tiercel.appliance.journal.JournalException;
import io.tiercel.appliance.journal.JournalSettings;
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

/** {@code tiercel bench journal}: what appending to the journal costs, and whether it ever stalls. */
@Command(
        name = "journal",
        mixinStandardHelpOptions = true,
        description = {
            "Appends records to a journal at a fixed rate and measures each append, with a roll half-way.",
            "Beside it stands what a thread that does nothing loses on the same core (hiccups). Ends by itself; exits",
            "1 if an append took over 1 ms and no hiccup did. One spinning thread."})
public final class JournalBenchCommand implements Callable<Integer> {

    private static final int MAX_SIZE = 256 << 10;
    private static final double MAX_RATE = 10_000_000;

    @Option(names = "--records", defaultValue = "3000000", paramLabel = "N",
            description = "Records that are measured. Default: ${DEFAULT-VALUE}.")
    private long records;

    @Option(names = "--warm-up", defaultValue = "200000", paramLabel = "N",
            description = "Records before them, as fast as they go. Default: ${DEFAULT-VALUE}.")
    private long warmUp;

    @Option(names = "--size", defaultValue = "256", paramLabel = "BYTES",
            description = "Bytes of a record, its 64-byte header included. Default: ${DEFAULT-VALUE}.")
    private int size;

    @Option(names = "--rate", defaultValue = "100000", paramLabel = "R",
            description = "Records a second. Default: ${DEFAULT-VALUE}.")
    private double rate;

    @Option(names = "--journal", paramLabel = "DIR",
            description = "Where; kept afterwards. Default: a temporary directory, removed at the end.")
    private Path directory;

    @Option(names = "--no-roll", description = "Without the roll half-way.")
    private boolean isWithoutRoll;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Override
    public Integer call() {
        checkArguments();
        System.out.println("tiercel bench journal, commit " + BuildInfo.commit());
        System.out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        final Map<String, Object> result = new LinkedHashMap<>();
        result.put("commit", BuildInfo.commit());
        result.put("machine", MachineInfo.describe());
        result.put("jvm", MachineInfo.runtime());
        result.put("sizeBytes", size);
        result.putAll(directory == null ? runInScratch() : runIn(directory));
        if (json != null) {
            Json.write(json, result);
        }
        return hasUnexplainedStall(result) ? ExitCode.CHECK_FAILED : ExitCode.OK;
    }

    private Map<String, Object> runInScratch() {
        Path scratch = null;
        try {
            scratch = Files.createTempDirectory("tiercel-bench-journal-");
            return runIn(scratch);
        } catch (final IOException e) {
            throw ToolException.environment("cannot make a temporary directory: " + e, e);
        } finally {
            if (scratch != null) {
                IoUtil.delete(scratch.toFile(), true);
            }
        }
    }

    private Map<String, Object> runIn(final Path where) {
        try {
            return new JournalBench(SystemNanoClock.INSTANCE, records, warmUp, size, rate, !isWithoutRoll)
                    .run(where, new JournalSettings());
        } catch (final JournalException e) {
            throw ToolException.environment(e.getMessage(), e);
        }
    }

    private static boolean hasUnexplainedStall(final Map<String, Object> result) {
        return (long) result.get("appendsOver1Ms") > 0 && (long) result.get("hiccupsOver1Ms") == 0;
    }

    private void checkArguments() {
        if (records < 1) {
            throw ToolException.badArgument("--records=" + records + " is below 1");
        }
        if (warmUp < 0) {
            throw ToolException.badArgument("--warm-up=" + warmUp + " is below 0");
        }
        if (size < JournalBench.MIN_SIZE || size > MAX_SIZE) {
            throw ToolException.badArgument(
                    "--size=" + size + " is not in " + JournalBench.MIN_SIZE + ".." + MAX_SIZE);
        }
        if (!(rate >= 1 && rate <= MAX_RATE)) {
            throw ToolException.badArgument("--rate=" + rate + " is not in 1.." + (long) MAX_RATE);
        }
        Json.checkWritable("--json", json);
    }
}
