package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class FeaturesTest {

    private static final float TINY = 1e-6f;

    @Test
    void shouldFollowTickRuleWhenPricesRiseStandAndFall() {
        final TradeFeatures extractor = new TradeFeatures();
        final TradeEvent trade = new TradeEvent();
        extractor.onEvent(trade.set(0, 100, 1));
        assertEquals(0, feature(extractor, "tick_sign"));
        extractor.onEvent(trade.set(0, 101, 1));
        assertEquals(1, feature(extractor, "tick_sign"));
        assertEquals(1, feature(extractor, "range_position"));
        assertTrue(feature(extractor, "quote_spread") > 0);
        extractor.onEvent(trade.set(0, 101, 1));
        assertEquals(1, feature(extractor, "tick_sign"));
        assertEquals(0, feature(extractor, "return_1"));
        assertTrue(feature(extractor, "return_2") > 0);
        extractor.onEvent(trade.set(3, 100, 1));
        assertEquals(-1, feature(extractor, "tick_sign"));
        assertEquals(-1, feature(extractor, "range_position"));
        assertTrue(feature(extractor, "quote_gap") > 0, "the price is the bid, so the middle is above it");
        assertEquals(4 * Math.log(4) / (4 + Math.log(4)), feature(extractor, "arrival_gap"), TINY);
        assertEquals(100, extractor.referencePrice());
        assertEquals(0.01, extractor.referenceUnit());
    }

    @Test
    void shouldCountTradesBeforeInTheSameSecondWhenTheyComeInBursts() {
        final TradeFeatures extractor = new TradeFeatures();
        final TradeEvent trade = new TradeEvent();
        final int[] seconds = {5, 5, 5, 6, 6};
        final int[] before = {0, 1, 2, 0, 1};
        for (int i = 0; i < seconds.length; i++) {
            extractor.onEvent(trade.set(seconds[i], 100, 1));
            final double expected = Math.log1p(before[i]);
            assertEquals(4 * expected / (4 + expected), feature(extractor, "burst"), TINY);
        }
    }

    @Test
    void shouldLeaveOutMessagesWhenBestQuotesStayAndNothingTrades() {
        final BookFeatures extractor = new BookFeatures();
        final BookEvent event = quotes(102, 10, 98, 30).message(1, BookEvent.NEW_ORDER, 1, 90, 1);
        assertTrue(extractor.isEvent(event));
        extractor.onEvent(event);
        assertFalse(extractor.isEvent(event));
        assertTrue(extractor.isEvent(event.message(2, BookEvent.EXECUTION_HIDDEN, 1, 100, 1)));
        assertTrue(extractor.isEvent(quotes(102, 11, 98, 30).message(3, BookEvent.NEW_ORDER, 1, 102, -1)));
        assertEquals(0.5f, feature(extractor, "imbalance"));
        assertEquals(0.01, extractor.referencePrice());
        assertEquals(0.0004, extractor.referenceUnit());
    }

    @Test
    void shouldKeepLastQuoteWhenSideRunsEmpty() {
        final BookFeatures extractor = new BookFeatures();
        extractor.onEvent(quotes(9_999_999_999L, 0, 98, 30).message(1, BookEvent.NEW_ORDER, 30, 98, 1));
        assertTrue(Double.isNaN(extractor.referencePrice()));
        assertEquals(0, feature(extractor, "imbalance"));
        extractor.onEvent(quotes(102, 10, 98, 30).message(2, BookEvent.NEW_ORDER, 10, 102, -1));
        final BookEvent empty = quotes(9_999_999_999L, 0, 98, 30).message(3, BookEvent.DELETE, 10, 102, -1);
        assertTrue(extractor.isEvent(empty));
        extractor.onEvent(empty);
        assertFalse(extractor.isEvent(empty));
        assertEquals(0.01, extractor.referencePrice());
        assertEquals(1, feature(extractor, "imbalance"));
        assertEquals(0, feature(extractor, "ask_move"));
        assertTrue(feature(extractor, "flow") > 0, "offers went away");
    }

    @Test
    void shouldSignFlowByTheSideWhenQuotesMove() {
        final BookFeatures extractor = new BookFeatures();
        extractor.onEvent(quotes(102, 10, 98, 30).message(1, BookEvent.NEW_ORDER, 10, 102, -1));
        extractor.onEvent(quotes(102, 10, 99, 5).message(2, BookEvent.NEW_ORDER, 5, 99, 1));
        assertEquals(1, feature(extractor, "bid_move"));
        assertTrue(feature(extractor, "flow") > 0);
        assertTrue(feature(extractor, "return_1") > 0);
        extractor.onEvent(quotes(102, 10, 98, 30).message(3, BookEvent.EXECUTION_VISIBLE, 5, 99, 1));
        assertEquals(-1, feature(extractor, "bid_move"));
        assertEquals(-1, feature(extractor, "trade"));
        assertTrue(feature(extractor, "flow") < 0);
    }

    @Test
    void shouldAllocateNothingWhenEventsArrive() {
        final TradeFeatures trades = new TradeFeatures();
        final BookFeatures books = new BookFeatures();
        final TradeEvent trade = new TradeEvent();
        final BookEvent book = new BookEvent();
        play(trades, trade, books, book, 20_000);
        final com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        final long thread = Thread.currentThread().getId();
        final long before = threads.getThreadAllocatedBytes(thread);
        play(trades, trade, books, book, 20_000);
        final long allocatedBytes = threads.getThreadAllocatedBytes(thread) - before;
        assertTrue(allocatedBytes < 20_000, "allocatedBytes=" + allocatedBytes + " in 40,000 events");
    }

    private static void play(
            final TradeFeatures trades, final TradeEvent trade, final BookFeatures books, final BookEvent book,
            final int count) {
        for (int i = 0; i < count; i++) {
            trades.onEvent(trade.set(i / 3, 800 + i % 7, i % 5));
            book.quotes(5_800_000 + i % 11 * 100, 1 + i % 13, 5_798_000, 1 + i % 17);
            books.onEvent(book.message(i * 1000L, 1 + i % 5, 10, 5_799_000, 1 - 2 * (i & 1)));
        }
    }

    private static BookEvent quotes(final long ask, final long askSize, final long bid, final long bidSize) {
        return new BookEvent().quotes(ask, askSize, bid, bidSize);
    }

    private static float feature(final FeatureExtractor<?> extractor, final String name) {
        return extractor.features()[extractor.names().indexOf(name)];
    }
}
