package io.tiercel.tools.transformer;

import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.protocol.client.Generation;
import io.tiercel.tools.BuildInfo;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.StatusLine;
import io.tiercel.tools.Terminal;
import io.tiercel.tools.TextTable;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.llama.Tokenizer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel bench generate}: what guessing is worth, here and in an appliance, on the same texts. */
@Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Lets a language model go on with a text, here and in an appliance, with guesses and without, in "
                + "turns. All rows make the same tokens, or it fails. Ends by itself.")
public final class GenerateBenchCommand implements Callable<Integer> {

    private static final int MAX_RUNS = 10_000;

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "BUNDLE", description = "A bundle with a tokenizer.")
    private Path model;

    @Option(names = "--prompt", defaultValue = "", paramLabel = "TEXT", description = "What to go on with.")
    private String prompt;

    @Option(names = "--tokens", defaultValue = "200", paramLabel = "N",
            description = "Most tokens of a text. Default: ${DEFAULT-VALUE}.")
    private int tokens;

    @Option(names = "--temperature", defaultValue = "0", paramLabel = "T",
            description = "0 for the likeliest token each time. Default: ${DEFAULT-VALUE}.")
    private float temperature;

    @Option(names = "--top", defaultValue = "0", paramLabel = "N",
            description = "Draw from the N likeliest tokens only; 0 for all. Default: ${DEFAULT-VALUE}.")
    private int top;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "N",
            description = "Of the first text of a turn; the next one has the next. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(names = "--draft", defaultValue = "7", paramLabel = "N",
            description = "Guesses a pass, 1..15. Default: ${DEFAULT-VALUE}.")
    private int draftCount;

    @Option(names = "--draft-model", paramLabel = "BUNDLE",
            description = "A smaller model of the same vocabulary, which guesses in a row of its own.")
    private Path draftModel;

    @Option(names = "--layout", defaultValue = "auto", paramLabel = "LAYOUT",
            description = "Of the appliances: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Layout layout;

    @Option(names = "--texts", defaultValue = "5", paramLabel = "N",
            description = "Texts of each row in a turn. Default: ${DEFAULT-VALUE}.")
    private int textCount;

    @Option(names = "--runs", defaultValue = "5", paramLabel = "N",
            description = "Turns, after one that is not measured. Default: ${DEFAULT-VALUE}.")
    private int runCount;

    private final NanoClock clock = SystemNanoClock.INSTANCE;
    private final List<Row> rows = new ArrayList<>();

    /** A contender and what its texts took. */
    private static final class Row {
        private final TextContender contender;
        private final List<Double> tokensPerSecond = new ArrayList<>();

        private Row(final TextContender contender) {
            this.contender = contender;
        }

        /** The lower one of two in the middle. */
        private double median() {
            return tokensPerSecond.stream().sorted().toList().get((tokensPerSecond.size() - 1) / 2);
        }

        private double best() {
            return tokensPerSecond.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
        }
    }

    @Override
    public Integer call() {
        checkArguments();
        final Bundle bundle = Bundle.open(model);
        final Tokenizer tokenizer = BundleTokenizer.of(bundle);
        if (tokenizer == null) {
            throw ToolException.badArgument("--model=" + model + " has no tokenizer");
        }
        addRows(bundle, new int[] {tokenizer.eosId(), tokenizer.bosId()});
        final int[] promptTokens =
                prompt.isEmpty() ? new int[] {tokenizer.bosId()} : tokenizer.encode(prompt, true);
        final PrintWriter out = spec.commandLine().getOut();
        out.println("tiercel bench generate, commit " + BuildInfo.commit());
        out.println("machine: " + MachineInfo.describe() + "; " + MachineInfo.runtime());
        out.printf(Locale.ROOT, "model: %s; tokens=%d temperature=%s top=%d seed=%d texts=%d runs=%d layout=%s%n",
                model.getFileName(), tokens, temperature, top, seed, textCount, runCount,
                layout.name().toLowerCase(Locale.ROOT));
        final boolean isSame = measure(promptTokens);
        out.println();
        out.print(table());
        out.println(isSame ? "all rows made the same tokens" : "NOT THE SAME TOKENS");
        out.flush();
        return isSame ? ExitCode.OK : ExitCode.CHECK_FAILED;
    }

    private void addRows(final Bundle bundle, final int[] endTokens) {
        rows.add(here(bundle, null, 0, endTokens));
        rows.add(here(bundle, null, draftCount, endTokens));
        if (draftModel != null) {
            rows.add(here(bundle, Bundle.open(draftModel), draftCount, endTokens));
        }
        for (final int foreseen : new int[] {0, 1, 1 + draftCount}) {
            rows.add(new Row(new ApplianceContender(bundle, layout, foreseen, tokens, endTokens, clock)));
        }
    }

    private Row here(final Bundle bundle, final Bundle draftBundle, final int guesses, final int[] endTokens) {
        return new Row(new SessionContender(bundle, draftBundle, guesses, tokens,
                token -> token == endTokens[0] || token == endTokens[1], clock));
    }

    private boolean measure(final int[] promptTokens) {
        final StatusLine status = new StatusLine(new PrintWriter(System.err), Terminal.isErrorInteractive());
        final TimedText[] expected = new TimedText[textCount];
        boolean isSame = true;
        for (int turn = -1; turn < runCount; turn++) {
            for (final Row row : rows) {
                status.show((turn < 0 ? "warms up: " : "turn " + (turn + 1) + " of " + runCount + ": ") +
                        row.contender.name());
                row.contender.begin();
                try {
                    for (int index = 0; index < textCount; index++) {
                        final TimedText text =
                                row.contender.make(promptTokens, new Sampling(temperature, top, seed + index));
                        if (expected[index] == null) {
                            expected[index] = text;
                        }
                        isSame &= expected[index].isSame(text);
                        if (turn >= 0 && text.tokenCount() > 0) {
                            row.tokensPerSecond.add(text.tokensPerSecond());
                        }
                    }
                } finally {
                    row.contender.end();
                }
            }
        }
        status.clear();
        return isSame;
    }

    private TextTable table() {
        final TextTable table =
                TextTable.ofNumbers("", "tokens/s", "best", "x first", "best x", "guessed", "right", "%");
        final Row first = rows.get(0);
        for (final Row row : rows) {
            final long guesses = row.contender.guessCount();
            final long right = row.contender.rightCount();
            table.row(row.contender.name(), number(row.median()), number(row.best()),
                    ratio(row.median(), first.median()), ratio(row.best(), first.best()), Long.toString(guesses),
                    Long.toString(right),
                    guesses == 0 ? "-" : String.format(Locale.ROOT, "%.1f", 100.0 * right / guesses));
        }
        return table;
    }

    private static String number(final double value) {
        return String.format(Locale.ROOT, "%.0f", value);
    }

    private static String ratio(final double value, final double base) {
        return String.format(Locale.ROOT, "%.2f", value / base);
    }

    private void checkArguments() {
        if (tokens < 2 || tokens > Generation.MAX_TOKENS) {
            throw ToolException.badArgument("--tokens=" + tokens + " is not in 2.." + Generation.MAX_TOKENS);
        }
        if (draftCount < 1 || draftCount >= TokenExecutor.MAX_DRAFT) {
            throw ToolException.badArgument("--draft=" + draftCount + " is not in 1.." + (TokenExecutor.MAX_DRAFT - 1));
        }
        if (textCount < 1 || runCount < 1 || (long) textCount * runCount > MAX_RUNS) {
            throw ToolException.badArgument(
                    "--texts=" + textCount + " --runs=" + runCount + ": 1.." + MAX_RUNS + " texts of a row");
        }
        if (top < 0 || top > Generation.MAX_TOKENS) {
            throw ToolException.badArgument("--top=" + top + " is not in 0.." + Generation.MAX_TOKENS);
        }
        if (!Sampling.isTemperature(temperature)) {
            throw ToolException.badArgument("--temperature=" + temperature + " is not 0 or a number above it");
        }
    }
}
