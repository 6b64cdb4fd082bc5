package io.tiercel.tools.decode;

import io.tiercel.tools.TextTable;
import io.tiercel.tools.load.LatencySummary;
import io.tiercel.tools.load.LatencyTable;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What was measured, for people and programs: what nobody can say is {@code -} to the ones, null to the others.
 *
 * <p>Texts are compared with the first peer's that ran, or without any with the first contender's; speeds with the
 * fastest peer's.
 */
final class DecodeReport {

    private static final String UNKNOWN = "-";
    private static final double NS_PER_US = 1_000;

    private final List<DecodeRow> rows;
    private final String expected;
    private final double peerTokensPerSecond;

    DecodeReport(final List<DecodeRow> rows) {
        this.rows = List.copyOf(rows);
        expected = rows.stream()
                .filter(DecodeRow::hasRun)
                .min(Comparator.comparing(row -> !row.isPeer()))
                .map(DecodeRow::text)
                .orElse(null);
        peerTokensPerSecond = fastestPeer().map(DecodeRow::tokensPerSecond).orElse(Double.NaN);
    }

    /** How the columns are to be read. */
    static String legend() {
        return """
                tokens/s: median of the runs, from a text's first token to its last; best: of the fastest run;
                µs: from one token to the next, of all runs: step, choice, hash, work ahead;
                answer: until the token is known, without what follows it; x peer: tokens/s / the fastest peer's;
                text: beside the first peer's, up to which of its tokens, or characters, it is the same;
                whole text: tokens are not timed one by one, which costs llama.cpp a message for each""";
    }

    /** Of the contenders that ran. */
    TextTable table() {
        final TextTable table = TextTable.ofNumbers(
                "contender", "tokens/s", "best", "p50 µs", "p99", "p99.9", "max", "answer", "p99", "x peer",
                "text");
        for (final DecodeRow row : rows) {
            if (row.hasRun()) {
                final LatencySummary us = row.hasTokenTimes() ? row.summary() : null;
                final LatencySummary answer = row.hasAnswerTimes() ? row.answerSummary() : null;
                table.row(row.name(), text("%.0f", row.tokensPerSecond()), text("%.0f", row.bestTokensPerSecond()),
                        us == null ? UNKNOWN : LatencyTable.format(us.p50()),
                        us == null ? UNKNOWN : LatencyTable.format(us.p99()),
                        us == null ? UNKNOWN : LatencyTable.format(us.p999()),
                        us == null ? UNKNOWN : LatencyTable.format(us.max()),
                        answer == null ? UNKNOWN : LatencyTable.format(answer.p50()),
                        answer == null ? UNKNOWN : LatencyTable.format(answer.p99()),
                        text("%.2f", row.tokensPerSecond() / peerTokensPerSecond), textVerdict(row));
            }
        }
        return table;
    }

    /** A line for each contender that did not run. */
    List<String> notRun() {
        return rows.stream()
                .filter(row -> !row.hasRun())
                .map(row -> row.name() + "  not run: " + row.notRun())
                .toList();
    }

    /** The fastest contender of ours beside the fastest peer. */
    String summary() {
        final Optional<DecodeRow> own = fastest(false);
        final Optional<DecodeRow> peer = fastestPeer();
        if (own.isEmpty() || peer.isEmpty()) {
            return own.or(() -> peer)
                    .map(row -> row.name() + ": " + text("%.0f", row.tokensPerSecond()) + " tokens/s")
                    .orElse("nothing ran");
        }
        return own.get().name() + ": " + text("%.0f", own.get().tokensPerSecond()) + " tokens/s, "
                + text("%.2f", own.get().tokensPerSecond() / peerTokensPerSecond) + " x " + peer.get().name();
    }

    List<Map<String, Object>> json() {
        return rows.stream().map(this::json).toList();
    }

    private Map<String, Object> json(final DecodeRow row) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("contender", row.name());
        json.put("isPeer", row.isPeer());
        json.put("notRun", row.notRun());
        json.put("tokensPerSecond", rounded(row.tokensPerSecond()));
        json.put("bestTokensPerSecond", rounded(row.bestTokensPerSecond()));
        json.put("tokenUs", row.hasTokenTimes() ? row.summary().toJson() : null);
        json.put("answerUs", row.hasAnswerTimes() ? row.answerSummary().toJson() : null);
        json.put("ratioToPeer", rounded(row.tokensPerSecond() / peerTokensPerSecond));
        json.put("isTextEqual", row.hasRun() ? row.isSteady() && row.text().equals(expected) : null);
        json.put("firstOtherToken", row.hasRun() ? firstOtherToken(row.runs().get(0)) : null);
        json.put("text", row.text());
        json.put("runs", row.runs().stream().map(DecodeReport::json).toList());
        return json;
    }

    private static Map<String, Object> json(final DecodeRun run) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("tokensPerSecond", rounded(run.tokensPerSecond()));
        json.put("decodedTokens", run.decodedCount());
        json.put("promptUs", rounded(run.promptNs() / NS_PER_US));
        json.put("decodeUs", rounded(run.decodeNs() / NS_PER_US));
        json.put("tokenUs", run.tokenNs().getTotalCount() == 0 ? null : LatencySummary.of(run.tokenNs()).toJson());
        return json;
    }

    private String textVerdict(final DecodeRow row) {
        if (!row.isSteady()) {
            return "varies";
        }
        if (row.text().equals(expected)) {
            return "equal";
        }
        final Integer token = firstOtherToken(row.runs().get(0));
        return token == null
                ? "differs at " + sameLength(row.text(), expected)
                : "differs at token " + token;
    }

    /** From 0, the first token of the text that makes it another one; null if it is none or is not known. */
    private Integer firstOtherToken(final DecodeRun run) {
        final int sameLength = sameLength(run.text(), expected);
        for (int i = 0; i < run.textEnds().length; i++) {
            if (run.textEnds()[i] > sameLength) {
                return i;
            }
        }
        return null;
    }

    private static int sameLength(final String left, final String right) {
        final int end = Math.min(left.length(), right.length());
        int index = 0;
        while (index < end && left.charAt(index) == right.charAt(index)) {
            index++;
        }
        return index;
    }

    private Optional<DecodeRow> fastestPeer() {
        return fastest(true);
    }

    private Optional<DecodeRow> fastest(final boolean isPeer) {
        return rows.stream()
                .filter(row -> row.hasRun() && row.isPeer() == isPeer)
                .max(Comparator.comparingDouble(DecodeRow::tokensPerSecond));
    }

    /** To three decimals; null for what is not a number. */
    static Double rounded(final double value) {
        return Double.isNaN(value) ? null : Math.round(value * 1_000) / 1_000.0;
    }

    private static String text(final String format, final double value) {
        return Double.isNaN(value) ? UNKNOWN : String.format(Locale.ROOT, format, value);
    }
}
