package io.tiercel.tools.load;

import io.aeron.Aeron;
import io.tiercel.protocol.client.Loopback;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import org.agrona.concurrent.NanoClock;

/**
 * Runs everything that a measurement will run in this process, with the very same classes, before it starts: the
 * generator in both modes, the client, the echo client, the recorders. Until the JIT has compiled it and gone quiet, so
 * that neither the first requests nor the echo pay for this side's start.
 *
 * <p>Requests go to a responder on this same thread, which is polled when the generator reads the clock: so the
 * generator calls the same {@link ApplianceTarget} as later, and no third thread spins.
 */
public final class Rehearsal {

    private static final int MIN_ROUNDS = 6;
    private static final long MAX_NS = 5_000_000_000L;
    private static final long PART_NS = 60_000_000L;
    private static final long PAUSE_NS = 1_000;
    private static final double RATE = 40_000;

    private Rehearsal() {
    }

    /**
     * @param aeron a connection to any media driver.
     * @param sink  what will take the outputs; it gets made-up ones.
     * @param echo  an echo to be measured later, or null.
     */
    public static void run(
            final Aeron aeron,
            final NanoClock clock,
            final RequestSource source,
            final long requestCount,
            final OutputSink sink,
            final int featureCount,
            final int outputCount,
            final LoadTarget echo) {
        final CompilationMXBean jit = ManagementFactory.getCompilationMXBean();
        final boolean isTimed = jit != null && jit.isCompilationTimeMonitoringSupported();
        final long deadlineNs = clock.nanoTime() + MAX_NS;
        long compileMs = -1;
        for (int round = 0; clock.nanoTime() - deadlineNs < 0; round++) {
            try (Loopback loopback = Loopback.connect(aeron, featureCount, outputCount)) {
                rehearse(loopback, clock, source, requestCount, sink, echo);
            }
            final long nowCompileMs = isTimed ? jit.getTotalCompilationTime() : 0;
            if (round >= MIN_ROUNDS && nowCompileMs == compileMs) {
                break;
            }
            compileMs = nowCompileMs;
        }
        System.gc(); // what the start has left is not collected while something is measured
    }

    /** A connection for each round: what happens only once for each must not be compiled as what never happens. */
    private static void rehearse(
            final Loopback loopback,
            final NanoClock clock,
            final RequestSource source,
            final long requestCount,
            final OutputSink sink,
            final LoadTarget echo) {
        final NanoClock pollingClock = () -> {
            loopback.pollResponder();
            return clock.nanoTime();
        };
        final int maxInFlight = loopback.client().maxInFlight();
        rehearse(pollingClock, new ApplianceTarget(loopback.client(), Loopback.MODEL_ID, source, 0, sink), maxInFlight,
                requestCount);
        if (echo != null) {
            rehearse(clock, echo, maxInFlight, Long.MAX_VALUE);
        }
    }

    private static void rehearse(
            final NanoClock clock, final LoadTarget target, final int maxInFlight, final long requestCount) {
        new MeasuredRun(clock, target)
                .maxInFlight(maxInFlight)
                .requests(0, requestCount)
                .durationNs(PART_NS)
                .headCount(1)
                .trace(new long[1])
                .openLoop(Schedules.constant(RATE));
        new MeasuredRun(clock, target).requests(0, requestCount).durationNs(PART_NS).closedLoop(PAUSE_NS);
    }
}
