package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.DeviceLostException;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which of several ways of one model is the fastest on a GPU: each that is considered is loaded and takes some steps,
 * alone; the smallest median wins, of equals the first.
 */
final class FastestWay<M extends CudaModel> implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(FastestWay.class);

    private static final int WARM_UP_STEPS = 4;
    private static final int LEAST_STEPS = 4;
    private static final int MOST_STEPS = 64;
    private static final long LONGEST_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final double NS_PER_US = 1e3;

    private final NanoClock clock;
    private M best;
    private long bestNs = Long.MAX_VALUE;
    private int waysTried;
    private final StringBuilder tried = new StringBuilder();

    FastestWay(final NanoClock clock) {
        this.clock = clock;
    }

    /**
     * Whether it is the best so far; else it is closed.
     *
     * @throws CudaException       if the driver fails; what was the best until then is still there.
     * @throws DeviceLostException if it does not answer.
     */
    boolean consider(final Supplier<M> opening) {
        final M model = opening.get();
        final long ns;
        try {
            ns = medianNs(model);
        } catch (final CudaException | DeviceLostException ex) {
            model.close();
            throw ex;
        }
        tried.append(waysTried++ == 0 ? " by " : ", by ").append(model.wayName()).append(' ').append(ns / NS_PER_US)
                .append(" us");
        final M worse = ns < bestNs ? best : model;
        if (worse != null) {
            worse.close();
        }
        if (worse == model) {
            return false;
        }
        best = model;
        bestNs = ns;
        return true;
    }

    /** The same where there is another way: that the driver does not take this one is for the log. */
    boolean considerIfItCan(final Supplier<M> opening) {
        try {
            return consider(opening);
        } catch (final CudaException | DeviceLostException ex) {
            LOG.warn("Left out of what is tried: {}", ex.getMessage());
            return false;
        }
    }

    /**
     * The best of all, which is no longer closed with this; the log has all of them.
     *
     * @throws CudaException if the GPU has been lost meanwhile.
     */
    M take() {
        best.device().checkIsThere();
        LOG.info("Median of a step{}: {}", tried, best.wayName());
        final M taken = best;
        best = null;
        return taken;
    }

    /** What has not been taken is closed. */
    @Override
    public void close() {
        if (best != null) {
            best.close();
        }
    }

    /** From a step's input to its outputs. */
    private long medianNs(final M model) {
        final UnsafeBuffer input = allocate(model.shape().featureCount() * Float.BYTES);
        final UnsafeBuffer state = allocate(model.shape().stateBytes());
        final UnsafeBuffer outputs = allocate(model.shape().outputCount() * Float.BYTES);
        final StepBatch batch = new StepBatch(1);
        batch.add(input.addressOffset(), state.addressOffset(), outputs.addressOffset());
        final long[] ns = new long[MOST_STEPS];
        int count = 0;
        try (ModelExecutor executor = model.newTrialExecutor()) {
            executor.initialise(state.addressOffset());
            final long begunNs = clock.nanoTime();
            for (int i = -WARM_UP_STEPS; i < LEAST_STEPS ||
                    i < MOST_STEPS && clock.nanoTime() - begunNs < LONGEST_NS; i++) {
                if (!executor.hasRoom(state.addressOffset(), 1)) {
                    executor.initialise(state.addressOffset());
                }
                final long stepBegunNs = clock.nanoTime();
                executor.step(batch);
                if (i >= 0) {
                    ns[count++] = clock.nanoTime() - stepBegunNs;
                }
                executor.ahead(batch);
            }
        }
        Arrays.sort(ns, 0, count);
        return ns[count / 2];
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(bytes, BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
    }
}
