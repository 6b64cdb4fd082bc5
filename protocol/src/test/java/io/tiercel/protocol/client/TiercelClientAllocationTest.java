package io.tiercel.protocol.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import io.aeron.Aeron;
import io.tiercel.protocol.wire.RejectCode;
import java.lang.management.ManagementFactory;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

/**
 * Counts what the client's own calls allocate; driver and appliance run on the same thread, between them. The virtual
 * machine itself now and then puts a few hundred bytes on a thread's account while it recompiles (none with
 * {@code -Xint}), so of several rounds the best must be zero: what is allocated for each message is in all of them.
 */
class TiercelClientAllocationTest {

    private static final int WARM_UP_EXCHANGES = 3_000;
    private static final int ROUNDS = 6;
    private static final int EXCHANGES = 5_000;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final CountingHandler handler = new CountingHandler();
    private long allocatedBytes;

    @Test
    void shouldAllocateNothingWhenRequestsAndAnswersFlow() {
        assertAllocatesNothing(5, 3);
    }

    @Test
    void shouldAllocateNothingWhenStepsAreTokens() {
        assertAllocatesNothing(1, 10);
    }

    @Test
    void shouldAllocateNothingWhenFramesAreLongerThanAeronsMtu() {
        assertAllocatesNothing(450, 400);
    }

    @Test
    void shouldAllocateNothingWhenRefusalsSayTheSame() {
        try (Wire wire = new Wire(); Aeron aeron = Aeron.connect(wire.aeronContext())) {
            wire.context.aeron(aeron).driverInvoker(null);
            wire.appliance.refusesRequestsWith = RejectCode.OVERLOADED;
            handler.expectsRejects = true;
            try (TiercelClient client = wire.connect()) {
                long leastBytes = Long.MAX_VALUE;
                for (int round = 0; round < ROUNDS; round++) {
                    allocatedBytes = 0;
                    exchangeInfers(wire, client, EXCHANGES);
                    leastBytes = Math.min(leastBytes, allocatedBytes);
                }
                assertEquals(0, leastBytes, "bytes in " + EXCHANGES + " refusals");
            }
            assertEquals(ROUNDS * EXCHANGES, handler.rejectCount);
        }
    }

    private void exchangeInfers(final Wire wire, final TiercelClient client, final int count) {
        final float[] features = new float[wire.appliance.featureCount];
        for (int i = 0; i < count; i++) {
            if (client.infer(FakeAppliance.MODEL_ID, i, features, 0) < 0) {
                throw new AssertionError("not sent");
            }
            while (client.inFlight() > 0) {
                wire.run();
                final long before = threads.getCurrentThreadAllocatedBytes();
                client.poll(handler, 8);
                allocatedBytes += threads.getCurrentThreadAllocatedBytes() - before;
            }
        }
    }

    private void assertAllocatesNothing(final int featureCount, final int outputCount) {
        try (Wire wire = new Wire(); Aeron aeron = Aeron.connect(wire.aeronContext().keepAliveIntervalNs(1_000))) {
            wire.appliance.featureCount = featureCount;
            wire.appliance.outputCount = outputCount;
            wire.appliance.vocabularySize = featureCount == 1 ? 1_000 : 0;
            wire.context.aeron(aeron).driverInvoker(null).heartbeatIntervalNs(1_000);
            try (TiercelClient client = wire.connect()) {
                exchange(wire, client, featureCount, WARM_UP_EXCHANGES);
                long leastBytes = Long.MAX_VALUE;
                for (int round = 0; round < ROUNDS; round++) {
                    allocatedBytes = 0;
                    exchange(wire, client, featureCount, EXCHANGES);
                    leastBytes = Math.min(leastBytes, allocatedBytes);
                }
                assertEquals(0, leastBytes, "bytes in " + EXCHANGES + " exchanges");
            }
            assertEquals(WARM_UP_EXCHANGES + ROUNDS * EXCHANGES, handler.resultCount);
        }
    }

    private void exchange(final Wire wire, final TiercelClient client, final int featureCount, final int count) {
        final float[] features = new float[featureCount];
        final int[] tokens = {5, 999};
        final UnsafeBuffer twoSteps = new UnsafeBuffer(new byte[2 * featureCount * Float.BYTES]);
        for (int i = 0; i < count; i++) {
            final long before = threads.getCurrentThreadAllocatedBytes();
            final long correlationId;
            switch (i % 3) {
                case 0:
                    correlationId = featureCount == 1
                            ? client.inferTokens(FakeAppliance.MODEL_ID, i, tokens, 0)
                            : client.infer(FakeAppliance.MODEL_ID, i, features, 0);
                    break;
                case 1:
                    correlationId = client.infer(FakeAppliance.MODEL_ID, i, twoSteps, 0, 2, 0, true);
                    break;
                default:
                    correlationId = client.resetSession(FakeAppliance.MODEL_ID, i);
                    break;
            }
            allocatedBytes += threads.getCurrentThreadAllocatedBytes() - before;
            if (correlationId < 0) {
                throw new AssertionError("sentinel " + correlationId);
            }
            while (client.inFlight() > 0) {
                wire.clock.advance(100);
                wire.run();
                final long beforePoll = threads.getCurrentThreadAllocatedBytes();
                client.poll(handler, 8);
                allocatedBytes += threads.getCurrentThreadAllocatedBytes() - beforePoll;
            }
        }
    }
}
