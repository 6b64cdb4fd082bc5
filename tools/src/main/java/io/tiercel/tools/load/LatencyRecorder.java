package io.tiercel.tools.load;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

/**
 * Latencies of one run. One thread writes; another may take interval histograms meanwhile ({@link LiveReport}). The
 * first requests are kept apart as well, to compare a cold start with the steady state.
 *
 * <p>Guarantees: {@link #onLatency} is wait-free and allocates nothing. A latency above {@link #MAX_NS} counts as
 * {@code MAX_NS}, so no value is ever dropped.
 */
public final class LatencyRecorder implements LatencySink {

    /** An hour: far above any drain timeout, so the clamp never hides a real value. */
    public static final long MAX_NS = 3_600_000_000_000L;

    private static final int DIGITS = 3;

    /** Of what is looked at while it runs: ten times less to copy, by a thread that takes the core to do it. */
    private static final int LIVE_DIGITS = 2;

    private final SingleWriterRecorder recorder = new SingleWriterRecorder(MAX_NS, LIVE_DIGITS);
    private final Histogram whole = newHistogram();
    private final Histogram head = newHistogram();
    private final Histogram sinceSent = newHistogram();
    private final long headEndIndex;
    private final long[] trace;

    /**
     * @param headEndIndex requests with an index below this are kept apart as well.
     * @param trace        takes each latency at its request's index, if that is below its length.
     */
    public LatencyRecorder(final long headEndIndex, final long[] trace) {
        this.headEndIndex = headEndIndex;
        this.trace = trace;
    }

    static Histogram newHistogram() {
        return new Histogram(MAX_NS, DIGITS);
    }

    @Override
    public void onLatency(final long requestIndex, final long latencyNs) {
        final long valueNs = Math.max(0, Math.min(latencyNs, MAX_NS));
        recorder.recordValue(valueNs);
        whole.recordValue(valueNs);
        if (requestIndex < headEndIndex) {
            head.recordValue(valueNs);
        }
        if (requestIndex < trace.length) {
            trace[(int) requestIndex] = valueNs;
        }
    }

    @Override
    public void onLatencySinceSent(final long latencyNs) {
        sinceSent.recordValue(Math.max(0, Math.min(latencyNs, MAX_NS)));
    }

    static Histogram newLiveHistogram() {
        return new Histogram(MAX_NS, LIVE_DIGITS);
    }

    /** Everything; to be read by the writing thread, or after it is done. */
    public Histogram whole() {
        return whole;
    }

    /**
     * What was recorded since the last call, to two digits. For one reading thread; the writing thread never waits for
     * it.
     */
    Histogram intervalHistogram(final Histogram recycled) {
        return recorder.getIntervalHistogram(recycled);
    }

    /** Everything, from the moment of sending; to be read by the writing thread, or after it is done. */
    Histogram sinceSent() {
        return sinceSent;
    }

    /** The first requests; to be read by the writing thread, or after it is done. */
    public Histogram head() {
        return head;
    }

    /** All but the first requests; to be called after the writing thread is done. */
    public Histogram tail(final Histogram all) {
        final Histogram tail = all.copy();
        tail.subtract(head);
        return tail;
    }
}
