package io.tiercel.appliance.telemetry;

import org.HdrHistogram.SingleWriterRecorder;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * What the machine takes from a spinning thread: the length of duty cycles in which the thread did nothing. Whatever
 * is longer than the polls themselves is an interrupt, another process, or the hypervisor, on this very core; a
 * latency that is no longer than these is not the appliance's.
 *
 * <p>Recorded by the thread itself, so it costs no other core. Cycles shorter than {@link #FLOOR_NS} are the polls
 * and are left out. A thread whose idle strategy sleeps on purpose has no hiccups to speak of; it gets a recorder
 * that is switched off.
 */
public final class HiccupRecorder {

    /** Below this an idle cycle is only its own polls. */
    public static final long FLOOR_NS = 2_000;
    private static final long STALL_NS = 1_000_000;
    private static final long HIGHEST_NS = 60_000_000_000L;
    /** Within 1 %: a tenth of the memory for the telemetry thread to copy, on what may be a hot thread's core. */
    private static final int SIGNIFICANT_DIGITS = 2;

    private final SingleWriterRecorder recorder = new SingleWriterRecorder(HIGHEST_NS, SIGNIFICANT_DIGITS);
    private final boolean isOn;
    private final AtomicCounter stallCount;

    public HiccupRecorder(final boolean isOn, final Counters counters) {
        this.isOn = isOn;
        stallCount = counters.get(CounterId.STALLS_OVER_1MS);
    }

    /** A round without work took this long. */
    public void onIdleRound(final long durationNs) {
        if (durationNs >= FLOOR_NS && isOn) {
            recorder.recordValue(Math.min(durationNs, HIGHEST_NS));
            if (durationNs >= STALL_NS) {
                stallCount.increment();
            }
        }
    }

    /** Forgets what was recorded, and has the writer go on as after a reader's look: in the other of two phases. */
    public void startInterval() {
        recorder.getIntervalHistogram();
    }

    SingleWriterRecorder recorder() {
        return recorder;
    }
}
