package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ToolException;
import io.tiercel.tools.market.MarketFeed.Split;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EventFeedTest {

    private static final String GOOG = "lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip";

    @Test
    void shouldPlayTokensOfEachInstrumentWithWhatComesNextWhenInterleaved() {
        final List<TradeEvent> trades = VocabularyTestData.tradeEvents(100, 7);
        final EventVocabulary vocabulary = VocabularyTestData.trades();
        final EventFeed feed = EventFeed.ofTrades(TapeTestData.trades(trades), 4, 0, vocabulary);
        assertEquals(100, feed.eventCount());
        for (int k = 0; k < 4; k++) {
            final EventTokeniser<TradeEvent> alone = EventTokeniser.ofTrades(vocabulary);
            for (int j = 0; j < 25; j++) {
                final int i = 4 * j + k;
                final int row = 25 * k + j;
                assertEquals(k + 1, feed.sessionKey(i));
                assertEquals(alone.onEvent(trades.get(row)), feed.token(i));
                assertEquals(j == 24 ? EventFeed.NONE : feed.token(i + 4), feed.nextToken(i));
                assertEquals(j == 24
                        ? Labels.NONE
                        : Labels.FLAT - (int) Math.signum(
                                trades.get(row + 1).price - trades.get(row).price),
                        feed.nextMove(i));
                assertEquals(j == 24 || row == 69 ? Split.NEITHER : row < 69 ? Split.TRAIN : Split.HELD_OUT,
                        feed.split(i), "row=" + row);
            }
        }
    }

    @Test
    void shouldKeepVocabularyAndTokensWhenTheLast30PercentAreOthers() {
        final List<TradeEvent> trades = VocabularyTestData.tradeEvents(5_000, 1);
        final List<TradeEvent> altered = new ArrayList<>(trades.subList(0, 3_500));
        final long lastSecond = trades.get(3_499).epochSecond;
        for (int i = 0; i < 1_500; i++) {
            altered.add(new TradeEvent().set(lastSecond + 90 * i, 1 + i % 17 * 90, 1000 * i));
        }
        final EventFeed feed = EventFeed.ofTrades(TapeTestData.trades(trades), 1, 0, null);
        final EventFeed other = EventFeed.ofTrades(TapeTestData.trades(altered), 1, 0, null);
        assertEquals(feed.vocabulary(), other.vocabulary());
        for (int i = 0; i < 3_500; i++) {
            assertEquals(feed.token(i), other.token(i));
        }
    }

    @Test
    void shouldGiveTokensOfTheVocabularyEachTimeWhenTapeIsTheRealOneOfTrades() {
        final EventVocabulary committed =
                EventVocabulary.read(Path.of("training/fp32/bitstamp-events/vocabulary.json"));
        assertGood(EventFeed.ofTrades(0, 0, null), EventFeed.ofTrades(0, 0, committed), 100_000);
    }

    @Test
    void shouldGiveTokensOfTheVocabularyEachTimeWhenTapeIsTheRealOneOfABook() {
        final Path zip = TapeTestData.shared(GOOG);
        final EventVocabulary committed = EventVocabulary.read(Path.of("training/fp32/lobster-events/vocabulary.json"));
        assertGood(EventFeed.ofBook(zip, 0, null), EventFeed.ofBook(zip, 0, committed), 147_916);
    }

    @Test
    void shouldNameTheArgumentWhenItIsOutOfRange() {
        assertMessage("events=-1 is negative", () -> EventFeed.ofTrades(1, -1, null));
        assertMessage("sessions=101, expected 1 to 100 for the 100 trades of list",
                () -> EventFeed.ofTrades(TapeTestData.trades(VocabularyTestData.tradeEvents(100, 1)), 101, 0, null));
        assertMessage("vocabulary is for lobster, bitstamp_trades_from_20131125_usd.csv is bitstamp",
                () -> EventFeed.ofTrades(1, 0, VocabularyTestData.book()));
    }

    private static void assertGood(final EventFeed feed, final EventFeed again, final int events) {
        assertEquals(events, feed.eventCount());
        assertEquals(feed.vocabulary(), again.vocabulary());
        final int tokenCount = feed.vocabulary().tokenCount();
        assertTrue(tokenCount <= EventVocabulary.MAX_TOKENS, "tokens=" + tokenCount);
        for (int i = 0; i < events; i++) {
            assertTrue(feed.token(i) >= 0 && feed.token(i) < tokenCount, "event=" + i + " token=" + feed.token(i));
            assertEquals(feed.token(i), again.token(i));
        }
        assertEquals(0.7, feed.count(Split.TRAIN) / (double) events, 0.001);
        final TokenEntropy heldOut = TokenEntropy.of(feed, Split.HELD_OUT);
        assertTrue(heldOut.usedTokens() > tokenCount * 9 / 10, heldOut.toString());
        assertTrue(heldOut.bigramBits() < heldOut.unigramBits(), heldOut.toString());
        assertTrue(heldOut.unigramBits() < Math.log(tokenCount) / Math.log(2), heldOut.toString());
    }

    private static void assertMessage(final String expected, final org.junit.jupiter.api.function.Executable action) {
        assertEquals(expected, assertThrows(ToolException.class, action).getMessage());
    }
}
