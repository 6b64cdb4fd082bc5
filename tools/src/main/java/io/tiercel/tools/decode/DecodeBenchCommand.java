package io.tiercel.tools.decode;

import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.load.LiveReport.IntervalLog;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel bench decode}: how fast a language model decodes, beside llama.cpp in the same run. */
@Command(
        name = "decode",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures greedy decoding of one text at a time, on one thread, in llama.cpp. All contenders "
                + "decode in turns. Ends by itself. A peer that cannot run here says why.")
public final class DecodeBenchCommand implements Callable<Integer> {

    @Option(names = "--model", required = true, split = ",", paramLabel = "FILE", description = "A GGUF file.")
    private List<Path> models;

    @Option(names = "--tokens", defaultValue = "200", paramLabel = "N",
            description = "Of each text. Default: ${DEFAULT-VALUE}.")
    private int tokenCount;

    @Option(names = "--prompt-tokens", split = ",", defaultValue = "" + LlamaCppPeer.BEGIN_TOKEN, paramLabel = "TOKEN",
            description = "What each text goes on from. Default: the token that begins a text, ${DEFAULT-VALUE}.")
    private int[] promptTokens;

    @Option(names = "--runs", defaultValue = "5", paramLabel = "N",
            description = "Measured texts of each contender. Default: ${DEFAULT-VALUE}.")
    private int runCount;

    @Option(names = "--warm-up-runs", defaultValue = "5", paramLabel = "N",
            description = "Texts of each contender before. Default: ${DEFAULT-VALUE}.")
    private int warmUpCount;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Option(names = "--hlog", paramLabel = "FILE",
            description = "Writes each contender's histogram here. Default: beside the JSON file, ending in .hlog.")
    private Path hlog;

    private final NanoClock clock = SystemNanoClock.INSTANCE;

    @Override
    public Integer call() {
        checkArguments();
        final List<DecodeContender> contenders = DecodeContenders.of(models, clock);
        final String head = "tiercel bench decode, commit " + BuildInfo.commit();
        final String machine = "machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime();
        System.out.println(head);
        System.out.println(machine);
        System.out.println("models: " + models + "; tokens=" + tokenCount + " prompt-tokens=" + promptTokens.length
                + " runs=" + runCount + " warm-up-runs=" + warmUpCount + "; llama.cpp by java-llama.cpp "
                + LlamaCppLibrary.version());
        System.out.println(DecodeReport.legend());
        System.out.println();
        final List<DecodeRow> rows = new DecodeBench(
                new DecodePlan(promptTokens, tokenCount, warmUpCount, runCount),
                new StatusLine(new PrintWriter(System.err), Terminal.isErrorInteractive()))
                .measure(contenders);
        final DecodeReport report = new DecodeReport(rows);
        System.out.print(report.table());
        report.notRun().forEach(System.out::println);
        System.out.println();
        System.out.println(report.summary());
        if (json != null) {
            Json.write(json, result(report));
        }
        writeHistograms(rows, head, machine);
        return ExitCode.OK;
    }

    private Map<String, Object> result(final DecodeReport report) {
        final Map<String, Object> result = new LinkedHashMap<>();
        result.put("commit", BuildInfo.commit());
        result.put("machine", MachineInfo.describe());
        result.put("jvm", MachineInfo.runtime());
        result.put("javaLlamaCppVersion", LlamaCppLibrary.version());
        result.put("models", models.stream().map(Path::toString).toList());
        result.put("promptTokens", promptTokens);
        result.put("tokens", tokenCount);
        result.put("warmUpRuns", warmUpCount);
        result.put("rows", report.json());
        return result;
    }

    private void writeHistograms(final List<DecodeRow> rows, final String head, final String machine) {
        final Path file = histogramLog();
        if (file == null) {
            return;
        }
        try (IntervalLog log = IntervalLog.create(file, head, machine)) {
            for (final DecodeRow row : rows) {
                final Histogram tokenNs = row.tokenNs();
                if (row.hasTokenTimes()) {
                    log.write(row.name().replaceAll("[ ,:]+", ":"), tokenNs);
                }
            }
        }
    }

    private Path histogramLog() {
        if (hlog != null || json == null) {
            return hlog;
        }
        return json.resolveSibling(json.getFileName().toString().replaceFirst("\\.json$", "") + ".hlog");
    }

    private void checkArguments() {
        final int maxTokens = LlamaCppPeer.CONTEXT_TOKENS - 1 - promptTokens.length;
        for (final int token : promptTokens) {
            if (token < 0) {
                throw ToolException.badArgument("--prompt-tokens has token=" + token + ", which is below 0");
            }
        }
        if (maxTokens < DecodePlan.MIN_TOKENS) {
            throw ToolException.badArgument("--prompt-tokens has " + promptTokens.length + " tokens, which leave too"
                    + " little of the context of " + LlamaCppPeer.CONTEXT_TOKENS);
        }
        if (tokenCount < DecodePlan.MIN_TOKENS || tokenCount > maxTokens) {
            throw ToolException.badArgument("--tokens=" + tokenCount + " is not in " + DecodePlan.MIN_TOKENS + ".."
                    + maxTokens);
        }
        if (runCount < 1 || runCount > DecodePlan.MAX_RUNS) {
            throw ToolException.badArgument("--runs=" + runCount + " is not in 1.." + DecodePlan.MAX_RUNS);
        }
        if (warmUpCount < 0 || warmUpCount > DecodePlan.MAX_RUNS) {
            throw ToolException.badArgument("--warm-up-runs=" + warmUpCount + " is not in 0.." + DecodePlan.MAX_RUNS);
        }
        Json.checkWritable("--json", json);
        Json.checkWritable("--hlog", histogramLog());
    }
}
