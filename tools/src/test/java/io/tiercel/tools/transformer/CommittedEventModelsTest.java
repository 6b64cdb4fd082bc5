package io.tiercel.tools.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.CommittedModels;
import io.tiercel.tools.SharedData;
import io.tiercel.tools.market.EventFeed;
import io.tiercel.tools.market.EventVocabulary;
import io.tiercel.tools.market.MarketFeed;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The committed models of the order flow, on the events that nothing was learned from. */
class CommittedEventModelsTest {

    @Test
    void shouldForetellTradesAsWellAsItsManifestSays() {
        check("bitstamp", MarketFeed.BITSTAMP);
    }

    @Test
    void shouldForetellTheBookAsWellAsItsManifestSays() {
        check("lobster", SharedData.file("lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip").toString());
    }

    private static void check(final String tape, final String input) {
        final Bundle bundle = CommittedModels.open(tape + CommittedModels.EVENTS);
        final EventVocabulary vocabulary = EventVocabulary.ofBundle(bundle);
        assertEquals(EventVocabulary.read(Path.of("training/fp32/" + tape + "-events/vocabulary.json")), vocabulary);
        final TransformerEvaluation measured;
        try (TransformerSession session = new TransformerSession(bundle, Backends.select(Backends.AUTO, bundle))) {
            measured = TransformerEvaluation.of(session, heldOut(EventFeed.open(input, 0, 0, vocabulary)));
        }
        final Map<String, Object> report = bundle.manifest().accuracy();
        final Map<?, ?> reported = (Map<?, ?>) report.get("bundle");
        assertEquals(((Number) report.get("predictions")).intValue(), measured.predictions());
        assertEquals(number(reported, "perplexity"), measured.perplexity(), 1e-6);
        assertEquals(number(reported, "accuracy"), measured.accuracy(), 1e-6);
        final double exact = number((Map<?, ?>) report.get("fp32"), "perplexity");
        assertTrue(measured.perplexity() < 1.003 * exact, measured + " fp32=" + exact);
    }

    /** As TokenSequences reads what tiercel events writes. */
    private static List<int[]> heldOut(final EventFeed feed) {
        return IntStream.range(0, feed.sessionCount())
                .mapToObj(session -> IntStream.range(0, feed.eventCount())
                        .filter(event -> feed.sessionIndex(event) == session && feed.heldOut(event))
                        .map(feed::token)
                        .toArray())
                .filter(tokens -> tokens.length > 0)
                .toList();
    }

    private static double number(final Map<?, ?> report, final String key) {
        return ((Number) report.get(key)).doubleValue();
    }
}
