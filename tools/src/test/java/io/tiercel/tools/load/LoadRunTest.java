package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LoadRunTest {

    private static final double UNLOADED_P50_US = 2;

    @Test
    void shouldKeepUpWhenOnlyTheTailAndTheTransportSufferFromStalls() {
        assertTrue(keepsUp(counts(0, 3_000, LoadRun.TRIAL_NS + LoadRun.GRACE_NS), 3, 1));
    }

    @Test
    void shouldKeepUpWhenOneInAHundredIsShed() {
        assertTrue(keepsUp(counts(10, 0, 0, LoadRun.TRIAL_NS), 3, 1));
        assertFalse(keepsUp(counts(11, 0, 0, LoadRun.TRIAL_NS), 3, 1));
    }

    @Test
    void shouldNotKeepUpWhenARequestIsLost() {
        assertFalse(keepsUp(counts(1, 0, LoadRun.TRIAL_NS), 3, 1));
    }

    @Test
    void shouldNotKeepUpWhenTheLastAnswerComesLongAfterItWasDue() {
        assertFalse(keepsUp(counts(0, 0, LoadRun.TRIAL_NS + LoadRun.GRACE_NS + 1), 3, 1));
    }

    @Test
    void shouldNotKeepUpWhenHalfOfTheRequestsQueue() {
        assertFalse(keepsUp(counts(0, 0, LoadRun.TRIAL_NS), 20 * UNLOADED_P50_US + 1, 1));
    }

    @Test
    void shouldAllowForTheQueueThatABurstIsWhenBursty() {
        assertTrue(keepsUp(counts(0, 0, LoadRun.TRIAL_NS), 20 * UNLOADED_P50_US + 1, 2));
    }

    private static boolean keepsUp(final LoadCounts counts, final double p50Us, final int burstSize) {
        return LoadRun.keepsUp(counts, p50Us, UNLOADED_P50_US, burstSize);
    }

    private static LoadCounts counts(final long lost, final long backPressured, final long elapsedNs) {
        return counts(0, lost, backPressured, elapsedNs);
    }

    private static LoadCounts counts(
            final long rejected, final long lost, final long backPressured, final long elapsedNs) {
        return new LoadCounts(
                1_000 - rejected, 0, rejected, lost, 0, 0, backPressured, 0, elapsedNs, elapsedNs, false);
    }
}
