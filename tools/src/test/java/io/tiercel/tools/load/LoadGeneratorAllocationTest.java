package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class LoadGeneratorAllocationTest {

    private static final int REQUESTS = 200_000;
    /** A run's result, its schedule and what the JVM itself does now and then: far below a byte a request. */
    private static final long ALLOWED_BYTES = 20_000;

    /** Answers at the next poll. */
    private static final class ImmediateTarget implements LoadTarget {

        private long lastId;
        private long openId;

        @Override
        public long send(final long requestIndex) {
            openId = ++lastId;
            return openId;
        }

        @Override
        public int poll(final AnswerHandler handler) {
            if (openId == 0) {
                return 0;
            }
            handler.onAnswer(openId, AnswerKind.OK);
            openId = 0;
            return 1;
        }
    }

    @Test
    void shouldAllocateNothingForARequestWhenWarm() {
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        final long[] nowNs = new long[1];
        final LatencyRecorder recorder = new LatencyRecorder(100, new long[1_000]);
        final LoadGenerator generator = new LoadGenerator(
                () -> nowNs[0] += 100, new ImmediateTarget(), 1_024, false, 1_000_000, new HiccupRecorder());
        run(generator, recorder);
        final long thread = Thread.currentThread().getId();

        final long before = threads.getThreadAllocatedBytes(thread);
        run(generator, recorder);
        final long allocated = threads.getThreadAllocatedBytes(thread) - before;

        assertTrue(allocated < ALLOWED_BYTES, "allocated=" + allocated + " for " + REQUESTS + " requests");
    }

    private static void run(final LoadGenerator generator, final LatencyRecorder recorder) {
        generator.runOpenLoop(Schedules.poisson(1_000_000, 7), 0, REQUESTS, 10_000_000_000L, recorder);
        generator.runClosedLoop(0, 0, REQUESTS, 10_000_000_000L, recorder);
    }
}
