package io.tiercel.tools.kv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.transformer.RandomNetwork;
import io.tiercel.tools.transformer.TransformerEvaluation;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class KvReportTest {

    private static final LlamaShape SHAPE =
            new LlamaShape(8, 1, 1, 1, 4, 8, 10, 32, 0, 0, 10_000, 1e-5f, true);
    private static final KvResult RESULT = new KvResult(
            new KvSubject("tiny", RandomNetwork.of(SHAPE, 1), 32, List.of(), List.of(), "a tape"), 77,
            new TransformerEvaluation(1_000, 50, 0.25),
            List.of(row("16/16", 32, false, 50, 0.25), row("4/4", 8, false, 50.5, 0.248),
                    row("2/2", 8, true, 55, 0.26), KvRow.notRun("c1/1", 8, false, "no reason")),
            List.of("a note"));

    @Test
    void shouldPrintARowForEachThatRanAndSayWhyNotOfTheOthers() {
        assertEquals("tiny: a tape; context=32 calibration-tokens=77 predictions=1000; fp32: perplexity 50.0000, "
                + "top-1 25.00 %", KvReport.head(RESULT));
        assertEquals("""
                window  keys/values   KB  hot p50   p99  cold p50   p99  perplexity    change    top-1  change
                32      16/16        2.0     5.00  9.01      7.00  7.00     50.0000   +0.00 %  25.00 %   +0.00
                8       4/4          2.0     5.00  9.01      7.00  7.00     50.5000   +1.00 %  24.80 %   -0.20
                8       2/2 rotated  2.0     5.00  9.01      7.00  7.00     55.0000  +10.00 %  26.00 %   +1.00
                """, KvReport.table(RESULT).toString());
        assertEquals(List.of("a note", "window=8 c1/1  not run: no reason"), KvReport.notes(RESULT));
    }

    @Test
    void shouldGiveProgramsAllOfIt() {
        final Map<String, Object> json = KvReport.json(RESULT);
        assertEquals(77, json.get("calibrationTokens"));
        assertEquals(50.0, ((Map<?, ?>) json.get("fp32")).get("perplexity"));
        final List<?> rows = (List<?>) json.get("rows");
        final Map<?, ?> rotated = (Map<?, ?>) rows.get(2);
        assertEquals(true, rotated.get("isRotated"));
        assertEquals(0.1, (Double) rotated.get("perplexityChange"), 1e-12);
        assertEquals(9.007, ((Map<?, ?>) rotated.get("hotUs")).get("max"));
        assertEquals(1L, ((Map<?, ?>) rotated.get("coldUs")).get("count"));
        assertEquals(3, rotated.get("coldSessions"));
        final Map<?, ?> absent = (Map<?, ?>) rows.get(3);
        assertEquals("no reason", absent.get("notRun"));
        assertFalse(absent.containsKey("perplexity"));
        assertTrue(KvReport.legend().lines().allMatch(line -> line.length() <= 120), KvReport.legend());
    }

    private static KvRow row(
            final String codecs, final int window, final boolean isRotated, final double perplexity,
            final double accuracy) {
        final Histogram hotNs = StepTimes.newHistogram();
        hotNs.recordValue(5_000);
        hotNs.recordValue(5_000);
        hotNs.recordValue(9_000);
        final Histogram coldNs = StepTimes.newHistogram();
        coldNs.recordValue(7_000);
        return new KvRow(codecs, window, isRotated, null, 2_048, hotNs, coldNs, 3,
                new TransformerEvaluation(1_000, perplexity, accuracy));
    }
}
