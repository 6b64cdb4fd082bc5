package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EventTokeniserTest {

    private static final long ASK = 5_802_000;
    private static final long BID = 5_800_000;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1 | 100 | 5800000 |  1 | 5802000 | 5800000 | new buy distanceTicks=0..1 size=100..",
        "1 |  99 | 5799000 |  1 | 5802000 | 5800000 | new buy distanceTicks=1.. size=..100",
        "1 |  99 | 5800300 |  1 | 5802000 | 5800300 | new buy distanceTicks=-5..0 size=..100",
        "1 |  99 | 5801000 | -1 | 5801000 | 5800000 | new sell distanceTicks=..-5 size=..100",
        "1 | 100 | 5803000 | -1 | 5802000 | 5800000 | new sell distanceTicks=1.. size=100..",
        "2 |   5 | 5800000 |  1 | 5802000 | 5800000 | cancel buy",
        "3 | 100 | 5800000 |  1 | 5802000 | 5800000 | delete buy distanceTicks=0..1",
        "3 | 100 | 5800000 |  1 | 5802000 | 5799900 | delete buy distanceTicks=-5..0",
        "3 | 100 | 5802000 | -1 | 5803000 | 5800000 | delete sell distanceTicks=..-5",
        "3 | 100 | 5799900 |  1 | 5802000 | 5800000 | delete buy distanceTicks=1..",
        "4 |   1 | 5802000 | -1 | 5802000 | 5800000 | execution sell distanceTicks=0..",
        "4 |   1 | 5802000 | -1 | 5802100 | 5800000 | execution sell distanceTicks=..0",
        "5 |   1 | 5801950 | -1 | 5802000 | 5800000 | hidden sell distanceTicks=-1..",
        "5 |   1 | 5801000 |  1 | 5802000 | 5800000 | hidden buy distanceTicks=..-1",
        "6 |   1 | 5801000 |  1 | 5802000 | 5800000 | halt buy",
        "7 |   0 |      -1 | -1 | 5802000 | 5800000 | halt sell",
    })
    void shouldSayWhatHappenedAndWhereWhenMessageArrives(
            final int type, final long size, final long price, final int direction, final long ask, final long bid,
            final String expected) {
        final EventVocabulary vocabulary = VocabularyTestData.book();
        final EventTokeniser<BookEvent> tokeniser = EventTokeniser.ofBook(vocabulary);
        final BookEvent event = new BookEvent();
        tokeniser.onEvent(event.quotes(ASK, 10, BID, 10).message(1_000, BookEvent.NEW_ORDER, 1, BID, 1));
        final int token = tokeniser.onEvent(
                event.quotes(ask, 10, bid, 10).message(2_000, type, size, price, direction));
        assertEquals(expected, vocabulary.name(token).replaceAll(" gapUs=\\S+", ""));
        assertEquals((ask + bid) / 2e4, tokeniser.referencePrice());
    }

    @Test
    void shouldMeasureTheGapFromTheEventBeforeWhenTimePasses() {
        final EventVocabulary vocabulary = VocabularyTestData.book();
        final EventTokeniser<BookEvent> tokeniser = EventTokeniser.ofBook(vocabulary);
        final BookEvent event = new BookEvent().quotes(ASK, 10, BID, 10);
        final long[] timesNs = {5_000_000_000L, 5_000_000_000L, 5_000_099_999L, 5_000_199_999L, 5_001_199_999L};
        final String[] gaps = {"..100", "..100", "..100", "100..1000", "1000.."};
        for (int i = 0; i < timesNs.length; i++) {
            final int token = tokeniser.onEvent(event.message(timesNs[i], BookEvent.NEW_ORDER, 1, BID, 1));
            assertTrue(vocabulary.name(token).endsWith(" gapUs=" + gaps[i]), vocabulary.name(token));
        }
    }

    @Test
    void shouldCountDistancesAsNoneWhenNoQuoteWasSeenBefore() {
        final EventVocabulary vocabulary = VocabularyTestData.book();
        final EventTokeniser<BookEvent> tokeniser = EventTokeniser.ofBook(vocabulary);
        final BookEvent event = new BookEvent().quotes(9_999_999_999L, 0, BID, 10);
        final int token = tokeniser.onEvent(event.message(1, BookEvent.NEW_ORDER, 10, BID, 1));
        assertTrue(vocabulary.name(token).startsWith("new buy distanceTicks=0..1"), vocabulary.name(token));
        assertTrue(Double.isNaN(tokeniser.referencePrice()));
    }

    @Test
    void shouldFollowTheTickRuleWhenTradesArrive() {
        final EventVocabulary vocabulary = VocabularyTestData.trades();
        final EventTokeniser<TradeEvent> tokeniser = EventTokeniser.ofTrades(vocabulary);
        final double[] prices = {100, 100, 100.02, 100.02, 99, 99, 99.01};
        final String[] expected = {"buy moveBp=..0.01", "buy moveBp=..0.01", "buy moveBp=0.01..10", "buy moveBp=..0.01",
            "sell moveBp=10..", "sell moveBp=..0.01", "buy moveBp=0.01..10"};
        final TradeEvent trade = new TradeEvent();
        for (int i = 0; i < prices.length; i++) {
            final int token = tokeniser.onEvent(trade.set(7, prices[i], 1));
            assertTrue(vocabulary.name(token).startsWith("trade " + expected[i] + " "), vocabulary.name(token));
            assertEquals(prices[i], tokeniser.referencePrice());
        }
    }

    @Test
    void shouldGiveMirrorTokensWhenSidesAreExchanged() {
        final EventVocabulary vocabulary = VocabularyTestData.book();
        final EventTokeniser<BookEvent> plain = EventTokeniser.ofBook(vocabulary);
        final EventTokeniser<BookEvent> mirrored = EventTokeniser.ofBook(vocabulary);
        final BookEvent other = new BookEvent();
        for (final BookEvent event : VocabularyTestData.bookEvents(500, 3)) {
            final long sum = 20_000_000;
            other.quotes(sum - event.bidPrice, event.bidSize, sum - event.askPrice, event.askSize)
                    .message(event.timeNs, event.type, event.size, sum - event.price, -event.direction);
            assertEquals(EventVocabulary.mirror(plain.onEvent(event)), mirrored.onEvent(other));
        }
    }

    @Test
    void shouldRefuseWhenVocabularyIsForOtherEvents() {
        assertThrows(IllegalArgumentException.class, () -> EventTokeniser.ofTrades(VocabularyTestData.book()));
        assertThrows(IllegalArgumentException.class, () -> EventTokeniser.ofBook(VocabularyTestData.trades()));
    }

    @Test
    void shouldAllocateNothingWhenEventsArrive() {
        final EventTokeniser<TradeEvent> trades = EventTokeniser.ofTrades(VocabularyTestData.trades());
        final EventTokeniser<BookEvent> books = EventTokeniser.ofBook(VocabularyTestData.book());
        final TradeEvent trade = new TradeEvent();
        final BookEvent book = new BookEvent();
        final int[] counts = new int[EventVocabulary.MAX_TOKENS];
        play(trades, trade, books, book, 20_000, counts);
        final com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        final long thread = Thread.currentThread().getId();
        final long before = threads.getThreadAllocatedBytes(thread);
        play(trades, trade, books, book, 20_000, counts);
        final long allocatedBytes = threads.getThreadAllocatedBytes(thread) - before;
        assertTrue(allocatedBytes < 20_000, "allocatedBytes=" + allocatedBytes + " in 40,000 events");
        assertEquals(80_000, Arrays.stream(counts).sum());
    }

    private static void play(
            final EventTokeniser<TradeEvent> trades, final TradeEvent trade, final EventTokeniser<BookEvent> books,
            final BookEvent book, final int count, final int[] counts) {
        for (int i = 0; i < count; i++) {
            counts[trades.onEvent(trade.set(i / 3, 800 + i % 7, i % 5))]++;
            book.quotes(5_800_000 + i % 11 * 100, 1 + i % 13, 5_798_000, 1 + i % 17);
            counts[books.onEvent(book.message(i * 1000L, 1 + i % 7, 10, 5_799_000, 1 - 2 * (i & 1)))]++;
        }
    }
}
