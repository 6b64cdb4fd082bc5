package io.tiercel.tools.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.StatusLine;
import io.tiercel.tools.ToolException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/** The bench and its report, with contenders that only say what they would have done. */
class DecodeBenchTest {

    private static final int TOKEN_COUNT = 5;
    private static final DecodePlan PLAN = new DecodePlan(new int[] {1}, TOKEN_COUNT, 1, 3);

    private final List<String> calls = new ArrayList<>();

    /** Takes {@code tokenNs} for each token, and twice that in its first measured run. */
    private final class Scripted implements DecodeContender {
        private final String name;
        private final boolean isPeer;
        private final long tokenNs;
        private final List<String> texts;
        private ToolException loadFailure;
        private ToolException decodeFailure;
        private boolean hasTokenTimes = true;
        private int[] textEnds = {};
        private long answerNs;
        private int runCount;

        Scripted(final String name, final boolean isPeer, final long tokenNs, final String... texts) {
            this.name = name;
            this.isPeer = isPeer;
            this.tokenNs = tokenNs;
            this.texts = List.of(texts);
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public boolean isPeer() {
            return isPeer;
        }

        @Override
        public void load() {
            calls.add("load " + name);
            if (loadFailure != null) {
                throw loadFailure;
            }
        }

        @Override
        public DecodeRun decode(final int[] promptTokens, final int tokenCount) {
            calls.add(name);
            if (decodeFailure != null) {
                throw decodeFailure;
            }
            final long ns = runCount == 1 ? 2 * tokenNs : tokenNs;
            final String text = texts.get(Math.min(runCount++, texts.size() - 1));
            final Histogram histogram = DecodeRun.newHistogram();
            for (int i = 1; hasTokenTimes && i < tokenCount; i++) {
                DecodeRun.record(histogram, ns);
            }
            if (textEnds.length == 0) {
                return new DecodeRun(text, tokenCount - 1, 7_000, ns * (tokenCount - 1), histogram);
            }
            final Histogram answers = DecodeRun.newHistogram();
            DecodeRun.record(answers, answerNs);
            return new DecodeRun(text, tokenCount - 1, 7_000, ns * (tokenCount - 1), histogram, answers, textEnds);
        }

        @Override
        public void close() {
            calls.add("close " + name);
        }
    }

    @Test
    void shouldTakeTurnsAndCloseAll() {
        final Scripted own = new Scripted("own", false, 100_000, "text");
        final Scripted peer = new Scripted("peer", true, 200_000, "text");
        final List<DecodeRow> rows = measure(own, peer);
        assertEquals("load own, load peer, own, peer, own, peer, own, peer, own, peer, close own, close peer",
                String.join(", ", calls));
        assertEquals(3, rows.get(0).runs().size(), "the first one warmed up");
        assertEquals(10_000, rows.get(0).tokensPerSecond());
        assertEquals(5_000, rows.get(0).runs().get(0).tokensPerSecond());
        assertEquals(10_000, rows.get(0).bestTokensPerSecond());
        assertEquals(3 * (TOKEN_COUNT - 1), rows.get(0).tokenNs().getTotalCount());
    }

    @Test
    void shouldPrintRatiosToTheFastestPeerAndWhetherTextsAreEqual() {
        final Scripted whole = new Scripted("whole", true, 100_000, "a text");
        whole.hasTokenTimes = false;
        final Scripted absent = new Scripted("absent", true, 1, "");
        absent.loadFailure = ToolException.environment("no such processor");
        final Scripted int4 = new Scripted("int4", false, 40_001, "a test");
        int4.textEnds = new int[] {2, 4, 6};
        int4.answerNs = 25_000;
        final DecodeReport report = new DecodeReport(measure(
                new Scripted("own", false, 50_000, "a text"),
                int4,
                new Scripted("unsteady", false, 40_000, "a text", "a text", "a toast"),
                new Scripted("peer", true, 125_000, "a text"), whole,
                new Scripted("other", true, 100_000, "a more"), absent));
        assertEquals("""
                contender  tokens/s   best  p50 µs     p99   p99.9     max  answer    p99  x peer                text
                own           20000  20000   50.02  100.03  100.03  100.03       -      -    2.00               equal
                int4          24999  24999   40.03   80.06   80.06   80.06   25.01  25.01    2.50  differs at token 2
                unsteady      25000  25000   40.03   80.06   80.06   80.06       -      -    2.50              varies
                peer           8000   8000  125.06  250.11  250.11  250.11       -      -    0.80               equal
                whole         10000  10000       -       -       -       -       -      -    1.00               equal
                other         10000  10000  100.03  200.06  200.06  200.06       -      -    1.00        differs at 2
                """, report.table().toString());
        assertEquals(List.of("absent  not run: no such processor"), report.notRun());
        assertEquals("unsteady: 25000 tokens/s, 2.50 x whole", report.summary());
        checkJson(report.json());
    }

    @Test
    void shouldReportWhatRanWhenNoPeerCan() {
        final Scripted peer = new Scripted("peer", true, 1, "");
        peer.decodeFailure = ToolException.environment("llama.cpp cannot decode");
        final DecodeReport report = new DecodeReport(measure(new Scripted("own", false, 100_000, "x"), peer));
        assertEquals("own: 10000 tokens/s", report.summary());
        assertTrue(report.table().toString().endsWith("  -  equal\n"), report.table().toString());
        assertEquals(List.of("peer  not run: llama.cpp cannot decode"), report.notRun());
        assertEquals(1, calls.stream().filter("peer"::equals).count(), "it is not asked again");
        assertNull(report.json().get(0).get("ratioToPeer"));
    }

    @Test
    void shouldFailWhenOneOfOursCannotRun() {
        final Scripted own = new Scripted("own", false, 1, "");
        final Scripted peer = new Scripted("peer", true, 1, "");
        own.loadFailure = ToolException.environment("no bundle");
        assertSame(own.loadFailure, assertThrows(ToolException.class, () -> measure(peer, own)));
        assertEquals(List.of("load peer", "load own", "close peer", "close own"), calls);
        assertEquals("nothing ran", new DecodeReport(List.of()).summary());
    }

    private static void checkJson(final List<Map<String, Object>> json) {
        assertEquals(7, json.size());
        final Map<String, Object> own = json.get(0);
        assertEquals(20_000.0, own.get("tokensPerSecond"));
        assertEquals(2.0, own.get("ratioToPeer"));
        assertEquals(true, own.get("isTextEqual"));
        assertEquals("a text", own.get("text"));
        assertNull(own.get("notRun"));
        final List<?> runs = (List<?>) own.get("runs");
        assertEquals(3, runs.size());
        final Map<?, ?> run = (Map<?, ?>) runs.get(0);
        assertEquals(7.0, run.get("promptUs"));
        assertEquals(400.0, run.get("decodeUs"));
        assertEquals(TOKEN_COUNT - 1, run.get("decodedTokens"));
        assertEquals(false, json.get(1).get("isTextEqual"));
        assertEquals(2, json.get(1).get("firstOtherToken"));
        assertEquals(25.007, ((Map<?, ?>) json.get(1).get("answerUs")).get("p50"));
        assertNull(own.get("firstOtherToken"));
        assertNull(own.get("answerUs"));
        assertEquals(false, json.get(2).get("isTextEqual"));
        assertNull(json.get(4).get("tokenUs"));
        assertEquals("no such processor", json.get(6).get("notRun"));
        assertNull(json.get(6).get("tokensPerSecond"));
        assertNull(json.get(6).get("isTextEqual"));
        assertEquals(List.of(), json.get(6).get("runs"));
    }

    private static List<DecodeRow> measure(final DecodeContender... contenders) {
        return new DecodeBench(PLAN, new StatusLine(new PrintWriter(new StringWriter()), false))
                .measure(List.of(contenders));
    }
}
