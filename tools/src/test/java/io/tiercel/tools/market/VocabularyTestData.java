package io.tiercel.tools.market;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Small vocabularies made by hand, and events to tokenise. */
final class VocabularyTestData {

    private VocabularyTestData() {
    }

    /** Every combination of few buckets has tokens. */
    static EventVocabulary book() {
        return whole(EventSchema.LOBSTER, new float[][] {
            {-5, 0, 1}, {100}, {100, 1000},
            {}, {}, {},
            {-5, 0, 1}, {}, {100, 1000},
            {0}, {}, {100},
            {-1}, {}, {},
            {}, {}, {}});
    }

    static EventVocabulary trades() {
        return whole(EventSchema.BITSTAMP, new float[][] {{0.01f, 10}, {0.5f}, {1e6f}});
    }

    private static EventVocabulary whole(final EventSchema schema, final float[][] edges) {
        final int[] counts = Arrays.stream(edges).mapToInt(each -> each.length).toArray();
        final float[] flat = new float[IntStream.of(counts).sum()];
        int at = 0;
        for (final float[] each : edges) {
            System.arraycopy(each, 0, flat, at, each.length);
            at += each.length;
        }
        final EventGrid grid = new EventGrid("test", schema, flat, counts);
        final int[] all = IntStream.range(0, grid.shapeCount()).toArray();
        final float[] moves = new float[2 * all.length];
        for (int i = 0; i < all.length; i++) {
            moves[2 * i] = i / 8f;
            moves[2 * i + 1] = -i / 8f;
        }
        return new EventVocabulary("test", grid, all, all, moves);
    }

    /** Messages of all types around quotes that move, from a seed. */
    static List<BookEvent> bookEvents(final int count, final long seed) {
        final Random random = new Random(seed);
        final List<BookEvent> events = new ArrayList<>();
        long bid = 9_990_000;
        long ask = 10_010_000;
        long timeNs = 0;
        for (int i = 0; i < count; i++) {
            final int direction = random.nextBoolean() ? 1 : -1;
            final long price = direction > 0
                    ? bid - random.nextInt(30) * 100 + 500
                    : ask + random.nextInt(30) * 100 - 500;
            bid += (random.nextInt(11) - 5) * 100L;
            ask = Math.max(bid + 100, ask + (random.nextInt(11) - 5) * 100L);
            timeNs += (long) Math.pow(10, random.nextInt(10));
            events.add(new BookEvent().quotes(ask, 1 + random.nextInt(500), bid, 1 + random.nextInt(500))
                    .message(timeNs, 1 + random.nextInt(7), random.nextInt(300), price, direction));
        }
        return events;
    }

    /** Trades of all sizes, some at the price of the one before, from a seed. */
    static List<TradeEvent> tradeEvents(final int count, final long seed) {
        final Random random = new Random(seed);
        final List<TradeEvent> events = new ArrayList<>();
        double price = 800;
        long second = 1_385_000_000;
        for (int i = 0; i < count; i++) {
            price += random.nextBoolean() ? 0 : random.nextInt(200) / 100.0 - 1;
            second += random.nextBoolean() ? 0 : random.nextInt(30);
            events.add(new TradeEvent().set(second, price, random.nextInt(1000) / 200.0));
        }
        return events;
    }
}
