package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.market.MarketFeed.Split;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MarketFeedTest {

    private static final int HORIZON = Labels.TRADES.horizon();

    @TempDir
    private Path folder;

    @Test
    void shouldInterleavePartsOfTheTapeWhenPlayedAsSeveralInstruments() {
        final MarketFeed feed = feed(103, 4, Integer.MAX_VALUE);
        assertEquals(103, feed.eventCount());
        assertEquals(4, feed.sessionCount());
        for (int i = 0; i < 100; i++) {
            assertEquals(1 + i % 4, feed.sessionKey(i));
            assertEquals(i % 4, feed.sessionIndex(i));
        }
        assertArrayEquals(new long[] {2, 3, 4},
                new long[] {feed.sessionKey(100), feed.sessionKey(101), feed.sessionKey(102)},
                "parts of 25, 26, 26, 26");
    }

    @Test
    void shouldGiveEachInstrumentItsOwnFeaturesWhenInterleaved() {
        final int rows = 100;
        final MarketFeed feed = feed(rows, 4, Integer.MAX_VALUE);
        final float[] played = new float[feed.featureCount()];
        for (int k = 0; k < 4; k++) {
            final TradeFeatures alone = new TradeFeatures();
            for (int j = 0; j < rows / 4; j++) {
                alone.onEvent(trade(k * rows / 4 + j));
                feed.copyFeatures(4 * j + k, played);
                assertArrayEquals(alone.features(), played);
            }
        }
    }

    @Test
    void shouldSplitByTapeRowWhenLabelsLookAcrossTheBorder() {
        final MarketFeed feed = feed(100, 1, Integer.MAX_VALUE);
        for (int row = 0; row < 100; row++) {
            final Split expected = row + HORIZON < 70 ? Split.TRAIN : row >= 70 && row + HORIZON < 100 ? Split.HELD_OUT
                    : Split.NEITHER;
            assertEquals(expected, feed.split(row), "row=" + row);
            assertEquals(row + HORIZON >= 100, feed.label(row) == Labels.NONE);
        }
        assertEquals(70 - HORIZON, feed.count(Split.TRAIN));
        assertEquals(30 - HORIZON, feed.count(Split.HELD_OUT));
    }

    @Test
    void shouldKeepLabelsInsideTheInstrumentWhenPartsEnd() {
        final MarketFeed feed = feed(100, 4, Integer.MAX_VALUE);
        for (int k = 0; k < 4; k++) {
            for (int j = 0; j < 25; j++) {
                assertEquals(j + HORIZON >= 25, feed.label(4 * j + k) == Labels.NONE);
                if (k == 3 && j + HORIZON < 25) {
                    assertTrue(feed.heldOut(4 * j + k));
                }
            }
        }
    }

    @Test
    void shouldChangeNothingOfWhatIsPlayedWhenItEndsSooner() {
        final MarketFeed whole = feed(100, 4, Integer.MAX_VALUE);
        final MarketFeed part = feed(100, 4, 17);
        assertEquals(17, part.eventCount());
        for (int i = 0; i < 17; i++) {
            assertEquals(whole.label(i), part.label(i));
            assertEquals(whole.split(i), part.split(i));
            assertEquals(whole.feature(i, 3), part.feature(i, 3));
        }
    }

    @Test
    void shouldPlayChangesOfTheBestQuotesAndTradesWhenTapeIsABook() throws IOException {
        final StringBuilder messages = new StringBuilder();
        final StringBuilder books = new StringBuilder();
        messages.append("1,1,1,5,1020000,-1\n");
        books.append("1020000,5,-9999999999,0\n");
        for (int i = 0; i < 40; i++) {
            messages.append("2.").append(i + 10).append(",1,1,5,980000,1\n");
            books.append("1020000,5,").append(980_000 + i / 2 * 1_000).append(",7\n");
        }
        final Path zip = TapeTestData.lobster(folder, 1, messages.toString(), books.toString());
        final MarketFeed feed = MarketFeed.open(zip.toString(), 0, 0);
        assertEquals(41, feed.rowCount());
        assertEquals(20, feed.eventCount(), "one side only, then every second row changes nothing");
        assertEquals("lobster", feed.modelName());
        assertEquals(1, feed.sessionKey(0));
        assertEquals(Labels.UP, feed.label(0));
        assertEquals(Labels.NONE, feed.label(10));
        assertEquals(Split.TRAIN, feed.split(3));
        assertEquals(Split.NEITHER, feed.split(5), "its label looks at row 31, the border is row 29");
    }

    @Test
    void shouldPlayEveryMessageWhenTheFeaturesAreTheBooksLevels() throws IOException {
        final Path zip = TapeTestData.lobster(folder, 2,
                "1,1,1,5,1020000,-1\n2,1,1,5,980000,1\n3,1,1,5,980000,1\n4,1,1,5,980000,1\n",
                "1020000,5,-9999999999,0,1030000,6,-9999999999,0\n"
                        + "1020000,5,980000,7,1030000,6,970000,8\n"
                        + "1020000,5,980000,7,1030000,6,970000,8\n"
                        + "1020000,5,980000,7,9999999999,0,970000,9\n");
        final List<String> names = List.of("f_ask_price_1", "f_ask_size_1", "f_bid_price_1", "f_bid_size_1",
                "f_ask_price_2", "f_ask_size_2", "f_bid_price_2", "f_bid_size_2");
        final MarketFeed feed = MarketFeed.open(zip.toString(), 0, 0, names);
        assertEquals(names, feed.featureNames());
        assertEquals(3, feed.eventCount(), "from when both sides are there");
        assertEquals(List.of(1_020_000f, 5f, 980_000f, 7f, 1_030_000f, 6f, 970_000f, 8f), features(feed, 0));
        assertEquals(List.of(1_020_000f, 5f, 980_000f, 7f, 1_030_000f, 0f, 970_000f, 9f), features(feed, 2));
        assertEquals(4, MarketFeed.open(zip.toString(), 0, 0, names.subList(0, 4)).featureCount());
        assertEquals(24, MarketFeed.open(zip.toString(), 0, 0, names.subList(1, 5)).featureCount());
        assertMessage("levels=3, but lobster.zip has 2", () -> MarketFeed.open(zip.toString(), 0, 0, 3));
        assertMessage("levels=1 of a book, but input=bitstamp is a tape of trades",
                () -> MarketFeed.open(MarketFeed.BITSTAMP, 0, 0, 1));
    }

    private static List<Float> features(final MarketFeed feed, final int event) {
        return IntStream.range(0, feed.featureCount()).mapToObj(i -> feed.feature(event, i)).toList();
    }

    @Test
    void shouldPlayNothingWhenTapeIsEmpty() {
        final MarketFeed feed = MarketFeed.ofTrades(TapeTestData.trades(List.of()), 1, Integer.MAX_VALUE);
        assertEquals(0, feed.eventCount());
    }

    @Test
    void shouldNameTheArgumentWhenItIsOutOfRange() throws IOException {
        assertMessage("sessions=101, expected 1 to 100 for the 100 trades of list", () -> feed(100, 101, 10));
        assertMessage("events=-1 is negative", () -> MarketFeed.open(MarketFeed.BITSTAMP, 0, -1));
        assertMessage("input=nothing.zip is neither 'bitstamp' nor a file", () -> MarketFeed.open("nothing.zip", 0, 0));
        final String zip = TapeTestData.lobster(folder, 1, "", "").toString();
        assertMessage(
                "sessions=4, but a LOBSTER file is one instrument: " + zip, () -> MarketFeed.open(zip, 4, 0));
    }

    @Test
    void shouldHaveBalancedClassesInTrainingWhenTapeIsTheRealOne() {
        final MarketFeed feed = MarketFeed.open(MarketFeed.BITSTAMP, 0, 0);
        assertEquals(100_000, feed.eventCount());
        final int[] counts = new int[3];
        for (int i = 0; i < feed.eventCount(); i++) {
            if (feed.split(i) == Split.TRAIN) {
                counts[feed.label(i)]++;
            }
        }
        for (final int count : counts) {
            assertEquals(1.0 / 3, (double) count / feed.count(Split.TRAIN), 0.03);
        }
    }

    private static void assertMessage(final String expected, final org.junit.jupiter.api.function.Executable action) {
        assertEquals(expected, assertThrows(ToolException.class, action).getMessage());
    }

    private static MarketFeed feed(final int rows, final int sessions, final int maxEvents) {
        final List<TradeEvent> trades = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            trades.add(trade(row));
        }
        return MarketFeed.ofTrades(TapeTestData.trades(trades), sessions, maxEvents);
    }

    private static TradeEvent trade(final int row) {
        return new TradeEvent().set(row / 2, 100 + row * 7 % 11, row % 3);
    }
}
