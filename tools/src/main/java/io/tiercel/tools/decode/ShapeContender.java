package io.tiercel.tools.decode;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.nativecuda.cpu.CpuLimits;
import io.tiercel.nativecuda.cpu.CpuTransformerModel;
import io.tiercel.tools.transformer.TokenSessions;
import io.tiercel.tools.transformer.TransformerSettings;
import java.util.Arrays;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * One row while it is measured: steps of one session whose context is full, in turns with the other rows. One thread;
 * allocates nothing in a turn.
 */
final class ShapeContender implements AutoCloseable {

    /** Untimed steps before those of a turn: caches, branch predictors and clock rate are then this row's. */
    private static final int SETTLE_STEPS = 200;
    private static final int FLOOR_REPETITIONS = 31;

    private final String name;
    private final TokenSessions sessions;
    private final int[] tokens;
    private final NanoClock clock;
    private final Histogram stepNs = DecodeRun.newHistogram();
    private final Histogram tokenNs = DecodeRun.newHistogram();
    private final double[] floorsNs;
    private int next;

    /** @param tokens that it takes, again and again. */
    ShapeContender(
            final Bundle bundle, final String backend, final int[] tokens, final int turns, final NanoClock clock) {
        this.tokens = tokens;
        this.clock = clock;
        name = bundle.manifest().quantisation().weights().name().toLowerCase(Locale.ROOT) + ", " +
                TransformerSettings.text(bundle.manifest().cache()) + " cache, " + backend;
        floorsNs = new double[turns];
        sessions = new TokenSessions(bundle, Backends.select(backend, bundle), 1);
        step(2 * bundle.manifest().shape().get("context"));
    }

    String name() {
        return name;
    }

    void warmUp(final int steps) {
        step(steps);
    }

    void runTurn(final int turn, final int steps) {
        step(SETTLE_STEPS);
        if (turn == 0) {
            stepNs.setStartTimeStamp(System.currentTimeMillis());
            tokenNs.setStartTimeStamp(System.currentTimeMillis());
        }
        for (int i = 0; i < steps; i++) {
            final int token = nextToken();
            final long begunNs = clock.nanoTime();
            sessions.step(0, token);
            final long answeredNs = clock.nanoTime();
            sessions.settle(0);
            final long settledNs = clock.nanoTime();
            DecodeRun.record(stepNs, answeredNs - begunNs);
            DecodeRun.record(tokenNs, settledNs - begunNs);
        }
        // Behind the steps, which have set the clock rate, and whose caches it spoils.
        floorsNs[turn] = floorNs();
    }

    ShapeRow row() {
        final CpuTransformerModel model = sessions.cpuModel();
        Arrays.sort(floorsNs);
        stepNs.setEndTimeStamp(System.currentTimeMillis());
        tokenNs.setEndTimeStamp(System.currentTimeMillis());
        return new ShapeRow(name, model == null ? 0 : model.stepBytes(), sessions.stateBytes(),
                floorsNs[floorsNs.length / 2], stepNs, tokenNs);
    }

    @Override
    public void close() {
        sessions.close();
    }

    /** The session's state is read between two readings of the weights. */
    private double floorNs() {
        final CpuTransformerModel model = sessions.cpuModel();
        return model == null
                ? Double.NaN
                : CpuLimits.streamNs(model.kernels(), model.stepBytes(), sessions.stateBytes(), FLOOR_REPETITIONS);
    }

    private void step(final int count) {
        for (int i = 0; i < count; i++) {
            sessions.step(0, nextToken());
            sessions.settle(0);
        }
    }

    private int nextToken() {
        next = next + 1 == tokens.length ? 0 : next + 1;
        return tokens[next];
    }
}
