package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** What must hold of the features on every tape that the readers let through. */
class FeatureProperties {

    private static final long EMPTY = 9_999_999_999L;

    @Property(tries = 200)
    void shouldKeepFeaturesOfAnEventWhenTradesAfterItAreAnother(
            @ForAll("trades") final List<TradeEvent> trades,
            @ForAll("trades") final List<TradeEvent> others,
            @ForAll @IntRange(max = 200) final int cut) {
        final int kept = Math.min(cut, trades.size());
        final List<TradeEvent> altered = new ArrayList<>(trades.subList(0, kept));
        altered.addAll(others);
        assertSamePrefix(tradeVectors(trades), tradeVectors(altered), kept);
    }

    @Property(tries = 200)
    void shouldKeepFeaturesOfAnEventWhenBookAfterItIsAnother(
            @ForAll("books") final List<BookEvent> events,
            @ForAll("books") final List<BookEvent> others,
            @ForAll @IntRange(max = 200) final int cut) {
        final int kept = Math.min(cut, events.size());
        final List<BookEvent> altered = new ArrayList<>(events.subList(0, kept));
        altered.addAll(others);
        assertSamePrefix(bookVectors(events), bookVectors(altered), kept);
    }

    @Property(tries = 500)
    void shouldStayFiniteAndSmallWhenTradesAreHostile(@ForAll("trades") final List<TradeEvent> trades) {
        tradeVectors(trades).forEach(FeatureProperties::assertBounded);
    }

    @Property(tries = 500)
    void shouldStayFiniteAndSmallWhenBookIsHostile(@ForAll("books") final List<BookEvent> events) {
        bookVectors(events).forEach(FeatureProperties::assertBounded);
    }

    @Property(tries = 50)
    void shouldGiveTheSameFeaturesWhenTapeEndsSooner(
            @ForAll("trades") final List<TradeEvent> trades, @ForAll @IntRange(min = 1, max = 200) final int cut) {
        if (trades.isEmpty()) {
            return;
        }
        final int kept = Math.min(cut, trades.size());
        final MarketFeed whole = MarketFeed.ofTrades(TapeTestData.trades(trades), 1, Integer.MAX_VALUE);
        final MarketFeed part = MarketFeed.ofTrades(TapeTestData.trades(trades.subList(0, kept)), 1, Integer.MAX_VALUE);
        assertEquals(kept, part.eventCount());
        for (int i = 0; i < kept; i++) {
            for (int j = 0; j < whole.featureCount(); j++) {
                assertEquals(whole.feature(i, j), part.feature(i, j));
            }
        }
    }

    @Example
    void shouldNameEachFeatureOnceWhenAsked() {
        for (final FeatureExtractor<?> extractor : List.of(new TradeFeatures(), new BookFeatures())) {
            assertEquals(24, extractor.features().length);
            assertEquals(24, Set.copyOf(extractor.names()).size());
        }
    }

    /** Prices and amounts over the whole range that a tape may hold, in jumps and in tiny steps. */
    @Provide
    Arbitrary<List<TradeEvent>> trades() {
        final Arbitrary<Double> prices = Arbitraries.oneOf(
                Arbitraries.of(1e-9, 1.0, 1e12, 800.0, 800.01),
                Arbitraries.doubles().between(0.01, 1e6),
                Arbitraries.doubles().between(799, 801));
        final Arbitrary<Double> amounts = Arbitraries.oneOf(
                Arbitraries.of(0.0, 1e-9, 1e12), Arbitraries.doubles().between(0, 100));
        final Arbitrary<Integer> gaps = Arbitraries.of(0, 0, 0, 1, 7, 3600, Integer.MAX_VALUE);
        return Combinators.combine(prices, amounts, gaps)
                .as((price, amount, gap) -> new TradeEvent().set(gap, price, amount))
                .list().ofMaxSize(150).map(FeatureProperties::accumulate);
    }

    @Provide
    Arbitrary<List<BookEvent>> books() {
        final Arbitrary<Long> prices = Arbitraries.oneOf(
                Arbitraries.of(1L, EMPTY - 1), Arbitraries.longs().between(5_790_000, 5_810_000));
        final Arbitrary<Long> sizes = Arbitraries.oneOf(
                Arbitraries.of(0L, 1L, EMPTY), Arbitraries.longs().between(1, 1000));
        final Arbitrary<BookEvent> quotes = Combinators.combine(prices, sizes, prices, sizes)
                .as((ask, askSize, bid, bidSize) -> new BookEvent().quotes(ask, askSize, bid, bidSize));
        return Combinators.combine(
                quotes, Arbitraries.integers().between(1, 7), sizes, prices, Arbitraries.of(-1, 1),
                Arbitraries.of(0L, 1L, 1_000L, 1_000_000_000L, 40_000_000_000_000L))
                .as((event, type, size, price, direction, gapNs) -> event.message(gapNs, type, size, price, direction))
                .list().ofMaxSize(150);
    }

    private static List<TradeEvent> accumulate(final List<TradeEvent> trades) {
        long second = 0;
        for (final TradeEvent trade : trades) {
            second += trade.epochSecond;
            trade.epochSecond = second;
        }
        return trades;
    }

    private static List<float[]> tradeVectors(final List<TradeEvent> trades) {
        final TradeFeatures extractor = new TradeFeatures();
        return trades.stream().map(trade -> {
            extractor.onEvent(trade);
            return extractor.features().clone();
        }).toList();
    }

    private static List<float[]> bookVectors(final List<BookEvent> events) {
        final BookFeatures extractor = new BookFeatures();
        return events.stream().map(event -> {
            extractor.onEvent(event);
            return extractor.features().clone();
        }).toList();
    }

    private static void assertSamePrefix(final List<float[]> first, final List<float[]> second, final int count) {
        for (int i = 0; i < count; i++) {
            assertArrayEquals(first.get(i), second.get(i));
        }
    }

    private static void assertBounded(final float[] features) {
        for (int i = 0; i < features.length; i++) {
            assertTrue(Math.abs(features[i]) <= FeatureMath.SQUASH_LIMIT, "feature=" + i + " value=" + features[i]);
        }
    }
}
