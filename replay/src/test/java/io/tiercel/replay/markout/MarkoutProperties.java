package io.tiercel.replay.markout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

class MarkoutProperties {

    private static final long US = 1_000;
    private static final int EVENTS = 2_000;

    /** A price that goes up by one basis point, 30 µs after each event, and an answer that foresaw it. */
    @Example
    void shouldFindThePlantedDecay() {
        final long[] timesNs = new long[2 * EVENTS];
        final double[] prices = new double[2 * EVENTS];
        final int[] events = new int[EVENTS];
        double price = 10_000;
        for (int i = 0; i < EVENTS; i++) {
            timesNs[2 * i] = 100 * US * i;
            prices[2 * i] = price;
            events[i] = 2 * i;
            timesNs[2 * i + 1] = 100 * US * i + 30 * US;
            price += i % 2 == 0 ? 1 : -1;
            prices[2 * i + 1] = price;
        }
        final Markout markout = new Markout(
                List.of(new Instrument(timesNs, prices, events)), new SplittableRandom(1));
        for (int i = 0; i < EVENTS; i++) {
            markout.add(0, i, i % 2 == 0 ? 1 : -1, 5 * US);
        }

        final MarkoutCurve curve = markout.curve(
                Span.parse("1"), List.of(Span.parse("10us"), Span.parse("25us"), Span.parse("1ms")));

        assertEquals(EVENTS - 1, curve.answerCount());
        assertEquals("null 0s 10us 25us 1ms", String.join(" ",
                curve.points().stream().map(point -> String.valueOf(point.delay())).toList()));
        assertEquals(1, curve.points().get(0).mean(), 1e-3);
        assertEquals(1, curve.points().get(2).mean(), 1e-3);
        assertEquals(1, curve.points().get(2).hitRate());
        assertEquals(0, curve.points().get(3).mean(), "5 µs of latency and 25: it has just happened");
        assertEquals(0, curve.points().get(4).mean());
        assertTrue(Double.isNaN(curve.points().get(4).hitRate()));
        assertEquals(1 / 15.0, curve.steps().get(2).perUnit(), 1e-3);
        assertTrue(curve.steps().get(2).isDistinguishable());
        assertFalse(curve.steps().get(1).isDistinguishable());
        assertFalse(curve.steps().get(3).isDistinguishable());
    }

    /** By its definition, event by event, and not by look-up. */
    @Property(tries = 30)
    void shouldBeTheMeanMoveByDefinition(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 12) final int horizon,
            @ForAll @LongRange(min = 0, max = 40) final long delay) {
        final SplittableRandom random = new SplittableRandom(seed);
        final int count = 60 + random.nextInt(60);
        final long[] timesNs = random.longs(count, 0, 500).sorted().toArray();
        final double[] prices = random.doubles(count, 90, 110).toArray();
        final int[] events = IntStream.range(0, count).filter(i -> random.nextInt(3) > 0).toArray();
        final Markout markout = new Markout(List.of(new Instrument(timesNs, prices, events)), random);
        double sum = 0;
        int answers = 0;
        for (int event = 0; event < events.length; event++) {
            final int direction = random.nextBoolean() ? 1 : -1;
            final long latency = random.nextLong(20);
            markout.add(0, event, direction, latency);
            if (event + horizon < events.length) {
                final int end = events[event + horizon];
                int begin = events[event];
                while (begin < end && timesNs[begin + 1] <= timesNs[events[event]] + latency + delay) {
                    begin++;
                }
                sum += direction * 1e4 * (prices[end] - prices[begin]) / prices[events[event]];
                answers++;
            }
        }
        final MarkoutCurve curve = markout.curve(Span.ofEvents(horizon), List.of(Span.ofNs(delay)));

        assertEquals(answers, curve.answerCount());
        assertEquals(sum / answers, curve.points().get(curve.points().size() - 1).mean(), 1e-9);
    }

    /** Moving averages of noise: the error of the mean is known. */
    @Example
    void shouldHaveErrorsThatFitWhatNeighboursShare() {
        final int count = 20_000;
        final int shared = 20;
        final SplittableRandom random = new SplittableRandom(7);
        final double[] noise = IntStream.range(0, count + shared).mapToDouble(i -> random.nextDouble() - 0.5).toArray();
        final double[] series = IntStream.range(0, count)
                .mapToDouble(i -> Arrays.stream(noise, i, i + shared).average().orElseThrow()).toArray();

        final double error = BlockBootstrap.error(new BlockBootstrap(count, 2 * shared, random).means(series));

        final double known = Math.sqrt(1.0 / 12 / count);
        assertEquals(known, error, 0.25 * known);
        final double naive = BlockBootstrap.error(new BlockBootstrap(count, 1, random).means(series));
        assertTrue(naive < known / 3, () -> naive + " takes neighbours for independent");
    }

    @Example
    void shouldKeepInstrumentsApart() {
        final Instrument rising =
                new Instrument(new long[] {0, 1, 2}, new double[] {100, 101, 102}, new int[] {0, 1, 2});
        final Instrument falling = new Instrument(new long[] {0, 1, 2}, new double[] {50, 49, 48}, new int[] {0, 1, 2});
        final Markout markout = new Markout(List.of(rising, falling), new SplittableRandom(1));
        markout.add(1, 0, -1, 0);
        markout.add(0, 0, 1, 0);
        markout.add(0, 2, 1, 0);

        final MarkoutCurve curve = markout.curve(Span.ofEvents(2), List.of(Span.ofEvents(1)));

        assertEquals(2, curve.answerCount());
        assertEquals((200 + 400) / 2.0, curve.points().get(0).mean(), 1e-9);
        assertEquals((100 + 200) / 2.0, curve.points().get(1).mean(), 1e-9);
        assertEquals(1.0, curve.points().get(0).hitRate());
        assertEquals(0, markout.curve(Span.parse("1s"), List.of()).answerCount());
    }

    @Example
    void shouldReadAndWriteSpans() {
        for (final String text : List.of("0", "5", "1ns", "10us", "100ms", "1s", "90s")) {
            assertEquals(text, Span.parse(text).toString());
        }
        assertEquals("1s", Span.parse("1000ms").toString());
        for (final String text : List.of("", "us", "-1", "1.5s", "3 us", "99999999999", "3000000s")) {
            assertThrows(IllegalArgumentException.class, () -> Span.parse(text), text);
        }
    }
}
