package io.tiercel.tools.engine;

import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * Measures single steps, each after a silence in which the thread spins. One thread; allocates nothing in {@link #run}
 * but the histogram.
 *
 * <p>A step counts from when it begins: what a rehearsal that is still going on delays it by is the pipeline's to
 * measure. The thread touches no other memory while it waits, so that what gets cold here is what other threads of the
 * machine drive out; an appliance with more to do loses more.
 */
final class SilenceBench {

    private final NanoClock clock;
    private final long silenceNs;
    private final int requestCount;

    SilenceBench(final NanoClock clock, final long silenceNs, final int requestCount) {
        this.clock = clock;
        this.silenceNs = silenceNs;
        this.requestCount = requestCount;
    }

    /** The times of the steps in ns; the first one, too, after a whole silence. */
    Histogram run(final TimedStep step, final Idle idle) {
        final Histogram histogram = Contender.newHistogram();
        histogram.setStartTimeStamp(System.currentTimeMillis());
        for (int i = 0; i < requestCount; i++) {
            idle.onWork();
            spin(idle);
            histogram.recordValue(Math.min(Contender.MAX_NS, step.stepNs(i)));
        }
        histogram.setEndTimeStamp(System.currentTimeMillis());
        return histogram;
    }

    private void spin(final Idle idle) {
        final long begunNs = clock.nanoTime();
        long nowNs = begunNs;
        while (nowNs - begunNs < silenceNs) {
            idle.onIdle(nowNs);
            Thread.onSpinWait();
            nowNs = clock.nanoTime();
        }
    }
}
