package io.tiercel.replay.markout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What answers are worth that come later than they might.
 *
 * <p>An answer to an event can be acted on at the event's time by the exchange's clock, plus the latency that the
 * appliance had for this very request, plus a delay. Its value is the move of the price in its direction from then to
 * the horizon, which is counted from the event and does not move with the delay: so what a delay costs is the move that
 * it misses, measured on the same answers. Behind the horizon nothing is left, and the value is 0. Where delays are
 * counted in events the latency does not enter.
 *
 * <p>Errors are those of a block bootstrap. A block is twice as long as the horizon, in answers, and at least the cube
 * root of their number. For one thread.
 */
public final class Markout {

    private static final double BASIS_POINTS = 1e4;
    private static final double NS_PER_US = 1e3;
    private static final int FIRST_CAPACITY = 1 << 12;

    private final List<Instrument> instruments;
    private final RandomGenerator random;
    private int[] instrumentOf = new int[FIRST_CAPACITY];
    private int[] eventOf = new int[FIRST_CAPACITY];
    private int[] directions = new int[FIRST_CAPACITY];
    private long[] latenciesNs = new long[FIRST_CAPACITY];
    private int count;

    /** @param random seeded, for the errors. */
    public Markout(final List<Instrument> instruments, final RandomGenerator random) {
        this.instruments = List.copyOf(instruments);
        this.random = random;
    }

    /**
     * Takes an answer. Those of an instrument come in the order of its events.
     *
     * @param event     of the instrument, from 0.
     * @param direction 1 up, -1 down.
     */
    public void add(final int instrument, final int event, final int direction, final long latencyNs) {
        if (count == eventOf.length) {
            instrumentOf = Arrays.copyOf(instrumentOf, 2 * count);
            eventOf = Arrays.copyOf(eventOf, 2 * count);
            directions = Arrays.copyOf(directions, 2 * count);
            latenciesNs = Arrays.copyOf(latenciesNs, 2 * count);
        }
        instrumentOf[count] = instrument;
        eventOf[count] = event;
        directions[count] = direction;
        latenciesNs[count++] = latencyNs;
    }

    /** Answers taken. */
    public int count() {
        return count;
    }

    /**
     * The curve up to one horizon.
     *
     * @param delays of one clock, rising.
     */
    public MarkoutCurve curve(final Span horizon, final List<Span> delays) {
        final int[] answers = within(horizon);
        final List<Span> entries = entries(delays);
        if (answers.length == 0) {
            return new MarkoutCurve(horizon, 0, 0, List.of(), List.of());
        }
        final int blockLength = blockLength(answers, horizon);
        final BlockBootstrap bootstrap = new BlockBootstrap(answers.length, blockLength, random);
        final List<MarkoutPoint> points = new ArrayList<>();
        final List<double[]> means = new ArrayList<>();
        for (final Span entry : entries) {
            final double[] values = values(answers, horizon, entry);
            means.add(bootstrap.means(values));
            points.add(point(entry, values, bootstrap, means.get(means.size() - 1)));
        }
        return new MarkoutCurve(horizon, answers.length, blockLength, points, steps(answers, points, means));
    }

    /** With none at all before them, and that of the appliance alone, if there is one on this clock. */
    private static List<Span> entries(final List<Span> delays) {
        final List<Span> entries = new ArrayList<>();
        entries.add(null);
        if (delays.isEmpty() || delays.get(0).clock() == Span.Clock.TIME) {
            entries.add(Span.ofNs(0));
        }
        delays.stream().filter(delay -> delay.amount() > 0).forEach(entries::add);
        return entries;
    }

    /** The answers whose horizon lies within the tape, instrument by instrument. */
    private int[] within(final Span horizon) {
        final int[] answers = new int[count];
        int found = 0;
        for (int instrument = 0; instrument < instruments.size(); instrument++) {
            for (int i = 0; i < count; i++) {
                if (instrumentOf[i] == instrument && isWithin(i, horizon)) {
                    answers[found++] = i;
                }
            }
        }
        return Arrays.copyOf(answers, found);
    }

    private boolean isWithin(final int answer, final Span horizon) {
        final Instrument instrument = instruments.get(instrumentOf[answer]);
        return horizon.clock() == Span.Clock.EVENTS
                ? eventOf[answer] + horizon.amount() < instrument.eventCount()
                : eventNs(answer) + horizon.amount() <= instrument.endNs();
    }

    private long eventNs(final int answer) {
        final Instrument instrument = instruments.get(instrumentOf[answer]);
        return instrument.timeNs(instrument.eventIndex(eventOf[answer]));
    }

    /** Twice as many as follow within the horizon, on average. */
    private int blockLength(final int[] answers, final Span horizon) {
        long overlaps = 0;
        int next = 0;
        for (int i = 0; i < answers.length; i++) {
            next = Math.max(next, i + 1);
            while (next < answers.length && instrumentOf[answers[next]] == instrumentOf[answers[i]] &&
                    isBefore(answers[next], answers[i], horizon)) {
                next++;
            }
            overlaps += next - i - 1;
        }
        final long twice = 2 * overlaps / answers.length;
        return (int) Math.min(answers.length, Math.max(twice, Math.round(Math.ceil(Math.cbrt(answers.length)))));
    }

    /** Whether a later answer's event lies before an earlier one's horizon. */
    private boolean isBefore(final int later, final int earlier, final Span horizon) {
        return horizon.clock() == Span.Clock.EVENTS
                ? eventOf[later] - eventOf[earlier] < horizon.amount()
                : eventNs(later) - eventNs(earlier) < horizon.amount();
    }

    private double[] values(final int[] answers, final Span horizon, final Span entry) {
        final double[] values = new double[answers.length];
        for (int i = 0; i < answers.length; i++) {
            final Instrument instrument = instruments.get(instrumentOf[answers[i]]);
            final int event = instrument.eventIndex(eventOf[answers[i]]);
            final int end = index(answers[i], horizon, 0);
            final int begin = entry == null ? event : Math.min(end, index(answers[i], entry, latenciesNs[answers[i]]));
            values[i] = directions[answers[i]] * BASIS_POINTS *
                    (instrument.price(end) - instrument.price(begin)) / instrument.price(event);
        }
        return values;
    }

    /** The price that stands a span after an answer's event, and after a latency where the span is time. */
    private int index(final int answer, final Span span, final long latencyNs) {
        final Instrument instrument = instruments.get(instrumentOf[answer]);
        return span.clock() == Span.Clock.EVENTS
                ? instrument.eventIndex((int) Math.min(eventOf[answer] + span.amount(), instrument.eventCount() - 1))
                : instrument.indexAt(eventNs(answer) + latencyNs + span.amount(),
                        instrument.eventIndex(eventOf[answer]));
    }

    private static MarkoutPoint point(
            final Span delay, final double[] values, final BlockBootstrap bootstrap, final double[] means) {
        final double[] hits = new double[values.length];
        final double[] moves = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            hits[i] = values[i] > 0 ? 1 : 0;
            moves[i] = values[i] != 0 ? 1 : 0;
        }
        final double[] hitRates = bootstrap.means(hits);
        final double[] moveRates = bootstrap.means(moves);
        for (int r = 0; r < hitRates.length; r++) {
            hitRates[r] /= moveRates[r];
        }
        return new MarkoutPoint(delay, mean(values), BlockBootstrap.error(means), mean(hits) / mean(moves),
                BlockBootstrap.error(hitRates), mean(moves));
    }

    private List<MarkoutStep> steps(
            final int[] answers, final List<MarkoutPoint> points, final List<double[]> means) {
        final List<MarkoutStep> steps = new ArrayList<>();
        for (int i = 1; i < points.size(); i++) {
            final double[] differences = new double[means.get(i).length];
            for (int r = 0; r < differences.length; r++) {
                differences[r] = means.get(i - 1)[r] - means.get(i)[r];
            }
            final double lost = points.get(i - 1).mean() - points.get(i).mean();
            final double error = BlockBootstrap.error(differences);
            final double units = units(answers, points.get(i - 1).delay(), points.get(i).delay());
            steps.add(new MarkoutStep(
                    points.get(i - 1).delay(), points.get(i).delay(), lost, error, lost / units, error / units));
        }
        return steps;
    }

    /** The length of a step in microseconds, on average where it is that of the latency; or in events. */
    private double units(final int[] answers, final Span from, final Span to) {
        if (to.clock() == Span.Clock.EVENTS) {
            return to.amount() - (from == null ? 0 : from.amount());
        }
        if (from != null) {
            return (to.amount() - from.amount()) / NS_PER_US;
        }
        return Arrays.stream(answers).mapToLong(answer -> latenciesNs[answer]).average().orElse(0) / NS_PER_US;
    }

    private static double mean(final double[] series) {
        return Arrays.stream(series).average().orElse(Double.NaN);
    }
}
