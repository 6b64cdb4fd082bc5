package io.tiercel.tools.decode;

import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.nativecuda.cpu.CpuBackend;
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
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code tiercel bench decode}: how fast a language model decodes, beside llama.cpp in the same run. */
@Command(
        name = "decode",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures greedy decoding of one text at a time, on one thread, by the engine and by llama.cpp. "
                + "All contenders decode in turns. Ends by itself. A peer that cannot run here says why.")
public final class DecodeBenchCommand implements Callable<Integer> {

    private static final int MAX_STEPS = 10_000_000;

    @Option(names = "--model", split = ",", paramLabel = "FILE",
            description = "A GGUF file, which the engine quantises, or a bundle, which llama.cpp cannot read.")
    private List<Path> models = List.of();

    @Option(names = "--shape", arity = "0..1", fallbackValue = DecodeShape.DEFAULT, paramLabel = "SHAPE",
            description = "Then single steps of a network with random weights, with a full context, beside what "
                    + "reading its weights takes: LAYERSxDIMENSION/HEADSxSIZE/HIDDEN/VOCABULARY/CONTEXT/WINDOW; "
                    + "without a value " + DecodeShape.DEFAULT + ".")
    private String shapeName;

    @Option(names = "--steps", defaultValue = "20000", paramLabel = "N",
            description = "Measured steps of each row of --shape. Default: ${DEFAULT-VALUE}.")
    private int steps;

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
        final DecodeShape shape = shapeName == null ? null : DecodeShape.parse(shapeName);
        models.forEach(DecodeContenders::check);
        final StatusLine status = new StatusLine(new PrintWriter(System.err), Terminal.isErrorInteractive());
        status.show("quantises");
        final List<DecodeContender> contenders = DecodeContenders.of(models, clock);
        status.clear();
        final String head = "tiercel bench decode, commit " + BuildInfo.commit();
        final String machine = "machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime();
        System.out.println(head);
        System.out.println(machine);
        printKernels();
        final Map<String, Object> result = result();
        List<DecodeRow> rows = List.of();
        if (!models.isEmpty()) {
            rows = measure(contenders, status, result);
        }
        List<ShapeRow> shapeRows = List.of();
        if (shape != null) {
            shapeRows = measure(shape, status, result);
        }
        if (json != null) {
            Json.write(json, result);
        }
        writeHistograms(rows, shapeRows, head, machine);
        return ExitCode.OK;
    }

    private static void printKernels() {
        final BackendProbe probe = new CpuBackend().probe();
        System.out.println(probe.available() ? "kernels: " + probe.detail() : "no cpu rows: " + probe.detail());
    }

    private List<DecodeRow> measure(
            final List<DecodeContender> contenders, final StatusLine status, final Map<String, Object> result) {
        System.out.println("models: " + models + "; tokens=" + tokenCount + " prompt-tokens=" + promptTokens.length
                + " runs=" + runCount + " warm-up-runs=" + warmUpCount + "; llama.cpp by java-llama.cpp "
                + LlamaCppLibrary.version());
        System.out.println(DecodeReport.legend());
        System.out.println();
        final List<DecodeRow> rows =
                new DecodeBench(new DecodePlan(promptTokens, tokenCount, warmUpCount, runCount), status)
                        .measure(contenders);
        final DecodeReport report = new DecodeReport(rows);
        System.out.print(report.table());
        report.notRun().forEach(System.out::println);
        System.out.println();
        System.out.println(report.summary());
        result.put("rows", report.json());
        return rows;
    }

    private List<ShapeRow> measure(
            final DecodeShape shape, final StatusLine status, final Map<String, Object> result) {
        final List<ShapeRow> rows = new ShapeBench(clock, status).measure(shape, steps);
        System.out.println();
        System.out.println("random weights, layers x dimension / heads x size / hidden / vocabulary / context / window"
                + "; steps=" + steps);
        System.out.println(ShapeBench.legend());
        System.out.println();
        System.out.print(ShapeBench.table(shape, rows));
        result.put("shape", shape.title());
        result.put("shapeRows", ShapeBench.json(rows));
        return rows;
    }

    private Map<String, Object> result() {
        final Map<String, Object> result = new LinkedHashMap<>();
        result.put("commit", BuildInfo.commit());
        result.put("machine", MachineInfo.describe());
        result.put("jvm", MachineInfo.runtime());
        result.put("kernels", new CpuBackend().probe().detail());
        result.put("javaLlamaCppVersion", LlamaCppLibrary.version());
        result.put("models", models.stream().map(Path::toString).toList());
        result.put("promptTokens", promptTokens);
        result.put("tokens", tokenCount);
        result.put("warmUpRuns", warmUpCount);
        return result;
    }

    private void writeHistograms(
            final List<DecodeRow> rows, final List<ShapeRow> shapeRows, final String head, final String machine) {
        final Path file = histogramLog();
        if (file == null) {
            return;
        }
        try (IntervalLog log = IntervalLog.create(file, head, machine)) {
            for (final DecodeRow row : rows) {
                if (row.hasTokenTimes()) {
                    log.write(tag(row.name()), row.tokenNs());
                }
                if (row.hasAnswerTimes()) {
                    log.write(tag(row.name()) + ":answer", row.answerNs());
                }
            }
            for (final ShapeRow row : shapeRows) {
                log.write(tag(row.name()) + ":step", row.stepNs());
                log.write(tag(row.name()) + ":token", row.tokenNs());
            }
        }
    }

    /** For the interval log, which allows neither blanks nor commas. */
    private static String tag(final String name) {
        return name.replaceAll("[ ,:]+", ":");
    }

    private Path histogramLog() {
        if (hlog != null || json == null) {
            return hlog;
        }
        return json.resolveSibling(json.getFileName().toString().replaceFirst("\\.json$", "") + ".hlog");
    }

    private void checkArguments() {
        if (models.isEmpty() && shapeName == null) {
            throw ToolException.badArgument("neither --model nor --shape says what to measure");
        }
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
        if (steps < ShapeBench.TURNS || steps > MAX_STEPS) {
            throw ToolException.badArgument("--steps=" + steps + " is not in " + ShapeBench.TURNS + ".." + MAX_STEPS);
        }
        Json.checkWritable("--json", json);
        Json.checkWritable("--hlog", histogramLog());
    }
}
