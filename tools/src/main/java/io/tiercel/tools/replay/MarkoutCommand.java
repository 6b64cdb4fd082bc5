package io.tiercel.tools.replay;

import io.tiercel.replay.markout.Span;
import io.tiercel.replay.report.Plots;
import io.tiercel.replay.report.ReportException;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.journal.JournalArguments;
import io.tiercel.tools.market.MarketFeed;
import io.tiercel.tools.market.TapePrices;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tiercel replay markout}: what a later answer is worth. */
@Command(
        name = "markout",
        mixinStandardHelpOptions = true,
        description = {
            "Says how the value of an answer decays with its delay, on the tape that was played to the journal.",
            "Of each answer that names a direction: how far the price went that way, from the event's time by the "
                    + "exchange's clock, plus the latency of that very request, plus a delay, to a horizon that is "
                    + "counted from the event. Only held-out events count, unless --all is given."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:a damaged record, or a bundle that is missing",
            "2:bad arguments, a tape that does not line up with the journal, or answers that name no direction",
            "3:the machine or a file failed"
        })
public final class MarkoutCommand implements Callable<Integer> {

    private static final List<String> BOOK_DELAYS = List.of("1us", "10us", "100us", "1ms", "10ms", "100ms", "1s");
    private static final List<String> BOOK_HORIZONS = List.of("10", "1s", "10s");
    private static final List<String> TRADE_DELAYS = List.of("1", "2", "4", "8");
    private static final List<String> TRADE_HORIZONS = List.of("8", "32", "128");

    @Mixin
    private JournalArguments journal;

    @Option(names = "--tape", defaultValue = MarketFeed.BITSTAMP, paramLabel = "FILE",
            description = "What was played: bitstamp, or a LOBSTER zip as downloaded (default: ${DEFAULT-VALUE}).")
    private String tape;

    @Option(names = "--sessions", defaultValue = "0", paramLabel = "S",
            description = "Instruments that the tape was played as (default: as the demo's).")
    private int sessions;

    @Option(names = "--delays", split = ",", paramLabel = "SPAN",
            description = "Rising, each a time such as 10us or a number of events, all of one kind (default: "
                    + "1us,10us,100us,1ms,10ms,100ms,1s; 1,2,4,8 events of bitstamp, which tells whole seconds only).")
    private List<String> delays;

    @Option(names = "--horizons", split = ",", paramLabel = "SPAN",
            description = "Each a time or a number of events, from the event (default: 10,1s,10s; bitstamp: 8,32,128).")
    private List<String> horizons;

    @Option(names = "--all", description = "Counts the events that a model may have learned from as well.")
    private boolean isAll;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "N",
            description = "Of the resampling that errors come from (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes all results here.")
    private Path json;

    @Option(names = "--html", paramLabel = "FILE", description = "Writes a page with the curves.")
    private Path html;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        final boolean areTrades = MarketFeed.BITSTAMP.equals(tape);
        final List<Span> delaySpans = spans("--delays", delays, areTrades ? TRADE_DELAYS : BOOK_DELAYS);
        final List<Span> horizonSpans = spans("--horizons", horizons, areTrades ? TRADE_HORIZONS : BOOK_HORIZONS);
        checkDelays(delaySpans);
        final Path directory = journal.directory();
        Json.checkWritable("--json", json);
        if (html != null) {
            Json.checkWritable("--html", html);
            drawing(Plots::checkFonts);
        }
        final TapePrices prices = TapePrices.read(tape);
        checkResolution(delaySpans, prices);
        final MarkoutRun run = MarkoutRun.of(
                TapeAlignment.read(directory, tape, sessions), prices, delaySpans, horizonSpans, !isAll, seed);
        final PrintWriter out = spec.commandLine().getOut();
        out.print(MarkoutReport.text(run));
        out.flush();
        if (json != null) {
            Json.write(json, MarkoutReport.json(run));
        }
        if (html != null) {
            drawing(() -> MarkoutHtml.report(run).write(html));
        }
        return ExitCode.OK;
    }

    private static void drawing(final Runnable task) {
        try {
            task.run();
        } catch (final ReportException ex) {
            throw ToolException.environment(ex.getMessage(), ex);
        }
    }

    private List<Span> spans(final String option, final List<String> given, final List<String> defaults) {
        final List<Span> spans = new ArrayList<>();
        for (final String text : given == null ? defaults : given) {
            try {
                spans.add(Span.parse(text));
            } catch (final IllegalArgumentException ex) {
                throw new ParameterException(spec.commandLine(), option + "=" + ex.getMessage(), ex);
            }
        }
        return spans;
    }

    private void checkDelays(final List<Span> spans) {
        for (int i = 1; i < spans.size(); i++) {
            if (spans.get(i).clock() != spans.get(0).clock() || spans.get(i).amount() <= spans.get(i - 1).amount()) {
                throw new ParameterException(spec.commandLine(), "--delays=" + spans.get(i) + " after " +
                        spans.get(i - 1) + ": they have to rise, and be all times or all numbers of events");
            }
        }
    }

    /** A delay that the tape's clock cannot tell would look as if it cost nothing. */
    private void checkResolution(final List<Span> spans, final TapePrices prices) {
        final Span least = spans.get(0);
        if (least.clock() == Span.Clock.TIME && least.amount() < prices.resolutionNs()) {
            throw new ParameterException(spec.commandLine(), "--delays=" + least + ": --tape=" + tape +
                    " tells time in whole steps of " + Span.ofNs(prices.resolutionNs()) +
                    ", so this shows nothing; give numbers of events, such as 1,2,4");
        }
    }
}
