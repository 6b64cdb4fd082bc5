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
 *
 * <p>Those that could be felt are kept one by one, with their times, in a {@link StallTrack}. So are rounds in which
 * the thread did work and which took far longer than such work has taken of late: what interrupts a thread does not
 * wait until it is idle. What a unit of work usually takes is a mean that forgets; a long round counts in it for no
 * more than the limit that it has broken, so a stall does not hide the next one, and lasting change is followed.
 */
public final class HiccupRecorder {

    /** Below this an idle cycle is only its own polls. */
    public static final long FLOOR_NS = 2_000;
    /** From here on a round is a stall that an operator is told of. */
    static final long STALL_NS = 1_000_000;
    private static final long HIGHEST_NS = 60_000_000_000L;
    /** Within 1 %: a tenth of the memory for the telemetry thread to copy, on what may be a hot thread's core. */
    private static final int SIGNIFICANT_DIGITS = 2;

    /** A round with work is long at so many times what its work usually takes. */
    private static final int LONG_FACTOR = 8;
    /** The mean forgets a 64th with each round. */
    private static final int MEAN_SHIFT = 6;

    private final SingleWriterRecorder recorder = new SingleWriterRecorder(HIGHEST_NS, SIGNIFICANT_DIGITS);
    private final boolean isOn;
    private final AtomicCounter stallCount;
    private final StallTrack stalls = new StallTrack();
    /** The time and the work of rounds, forgetting: their quotient is the mean. It begins high. */
    private long busyNs = StallTrack.FLOOR_NS << MEAN_SHIFT;
    private long busyWork = 1L << MEAN_SHIFT;

    public HiccupRecorder(final boolean isOn, final Counters counters) {
        this.isOn = isOn;
        stallCount = counters.get(CounterId.STALLS_OVER_1MS);
    }

    /** A round without work took from here to there. */
    public void onIdleRound(final long startTickNs, final long endTickNs) {
        final long durationNs = endTickNs - startTickNs;
        if (durationNs >= FLOOR_NS && isOn) {
            recorder.recordValue(Math.min(durationNs, HIGHEST_NS));
            if (durationNs >= StallTrack.FLOOR_NS) {
                stalls.record(startTickNs, durationNs, 0);
            }
            if (durationNs >= STALL_NS) {
                stallCount.increment();
            }
        }
    }

    /** A round that did {@code work}, more than none, took from here to there. */
    public void onBusyRound(final long startTickNs, final long endTickNs, final int work) {
        long durationNs = Math.min(endTickNs - startTickNs, HIGHEST_NS);
        if (durationNs >= StallTrack.FLOOR_NS) {
            final long limitNs = LONG_FACTOR * work * busyNs / busyWork;
            if (durationNs > limitNs) {
                stalls.record(startTickNs, durationNs, work);
                durationNs = limitNs;
            }
        }
        busyNs += durationNs - (busyNs >> MEAN_SHIFT);
        busyWork += work - (busyWork >> MEAN_SHIFT);
    }

    /** The long rounds one by one. */
    public StallTrack stalls() {
        return stalls;
    }

    /** Forgets what was recorded, and has the writer go on as after a reader's look: in the other of two phases. */
    public void startInterval() {
        recorder.getIntervalHistogram();
    }

    SingleWriterRecorder recorder() {
        return recorder;
    }
}
