package io.tiercel.tools.engine;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.function.DoubleSupplier;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * One row while it is measured: {@link #warmUp}, then {@link #runTurn} {@value #TURNS} times with the other contenders'
 * turns between, so that all meet the same moods of the machine, then {@link #row}. One thread; allocates nothing in a
 * turn but what the step does.
 */
final class Contender implements AutoCloseable {

    static final int TURNS = 10;

    /** The most that is recorded; a longer step counts as this, so that none is dropped. */
    static final long MAX_NS = 60_000_000_000L;

    private static final int DIGITS = 3;

    /** Untimed steps before those of a turn: caches, branch predictors and clock rate are then this contender's. */
    private static final int SETTLE_STEPS = 50;

    /** And no less than this: the worker threads of whoever had the turn before spin on for 5 ms. */
    private static final long SETTLE_NS = 10_000_000;

    /** But no more than this, if a few steps have been made, where one takes milliseconds. */
    private static final long MAX_SETTLE_NS = 50_000_000;
    private static final int MIN_SETTLE_STEPS = 5;

    private static final int MIN_ROUNDS = 5;
    private static final int MAX_ROUNDS = 20;
    private static final int MIN_ROUND_STEPS = 10;

    private final NanoClock clock;
    private final EngineRow.Label label;
    private final TimedStep step;
    private final DoubleSupplier floorNs;
    private final double[] floorsNs = new double[TURNS];
    private final Histogram histogram = newHistogram();
    private int stepCount;
    private int tapeIndex;

    /** @param floorNs measures what a step takes at best, once a turn; null where nobody can say. */
    Contender(
            final NanoClock clock, final EngineRow.Label label, final TimedStep step, final DoubleSupplier floorNs) {
        this.clock = clock;
        this.label = label;
        this.step = step;
        this.floorNs = floorNs;
    }

    /** Takes any number of ns up to {@link #MAX_NS}, to three digits. */
    static Histogram newHistogram() {
        return new Histogram(MAX_NS, DIGITS);
    }

    /** All turns without a pause: for a contender that has no others. */
    EngineRow runAlone(final EnginePlan plan) {
        warmUp(plan);
        for (int turn = 0; turn < TURNS; turn++) {
            runTurn(turn);
        }
        return row();
    }

    EngineRow.Label label() {
        return label;
    }

    /**
     * Steps for half of the plan's time for a row, and longer while the JIT still compiles; from the last steps follows
     * how many will be measured.
     */
    void warmUp(final EnginePlan plan) {
        final CompilationMXBean jit = ManagementFactory.getCompilationMXBean();
        final boolean isTimed = jit != null && jit.isCompilationTimeMonitoringSupported();
        final long roundNs = plan.rowNs() / 2 / MIN_ROUNDS;
        double nsPerStep = 0;
        long compileMs = -1;
        for (int round = 0; round < MAX_ROUNDS; round++) {
            nsPerStep = warmUpRound(roundNs);
            final long nowCompileMs = isTimed ? jit.getTotalCompilationTime() : 0;
            if (round + 1 >= MIN_ROUNDS && nowCompileMs == compileMs) {
                break;
            }
            compileMs = nowCompileMs;
        }
        stepCount = plan.stepCount(nsPerStep);
        histogram.setStartTimeStamp(System.currentTimeMillis());
    }

    /** @param turn 0..{@value #TURNS} - 1, each once. */
    void runTurn(final int turn) {
        settle();
        final int first = share(turn);
        final int end = share(turn + 1);
        for (int i = first; i < end; i++) {
            histogram.recordValue(Math.min(MAX_NS, step.stepNs(tapeIndex++)));
        }
        if (floorNs != null) { // behind the steps, which have set the clock rate, and whose caches it spoils
            floorsNs[turn] = floorNs.getAsDouble();
        }
    }

    /** Steps that come at a rate, behind all turns. */
    PacedRow runPaced(final PacedRow.Arrivals arrivals) {
        settle();
        return new PacedRow(label, arrivals,
                new SilenceBench(clock, arrivals.silenceNs(), arrivals.count()).run(step, Idle.NOTHING));
    }

    /** After the last turn. */
    EngineRow row() {
        histogram.setEndTimeStamp(System.currentTimeMillis());
        Arrays.sort(floorsNs);
        return new EngineRow(label, floorNs == null ? Double.NaN : floorsNs[TURNS / 2], histogram);
    }

    @Override
    public void close() {
        step.close();
    }

    private double warmUpRound(final long roundNs) {
        final long begunNs = clock.nanoTime();
        long tookNs = 0;
        int count = 0;
        while (count < MIN_ROUND_STEPS || tookNs < roundNs) {
            step.stepNs(tapeIndex++);
            count++;
            tookNs = clock.nanoTime() - begunNs;
        }
        return (double) tookNs / count;
    }

    private void settle() {
        final long begunNs = clock.nanoTime();
        long tookNs = 0;
        for (int count = 0; isUnsettled(count, tookNs); count++) {
            step.stepNs(tapeIndex++);
            tookNs = clock.nanoTime() - begunNs;
        }
    }

    private static boolean isUnsettled(final int count, final long tookNs) {
        return (count < SETTLE_STEPS || tookNs < SETTLE_NS) && (count < MIN_SETTLE_STEPS || tookNs < MAX_SETTLE_NS);
    }

    /** Steps before a turn, all turns having as equally many as they can. */
    private int share(final int turn) {
        return (int) ((long) stepCount * turn / TURNS);
    }
}
