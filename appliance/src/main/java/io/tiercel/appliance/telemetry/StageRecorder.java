package io.tiercel.appliance.telemetry;

import io.tiercel.appliance.sequencer.RequestSlot;
import org.HdrHistogram.SingleWriterRecorder;

/**
 * Histograms of the stages' latencies, in nanoseconds. Recorded by the outcome stage, which sees every time stamp of
 * a request after its response has left; read by {@link TelemetryWriter}. The writer never waits and allocates
 * nothing.
 */
public final class StageRecorder {

    /** Longer is recorded as this: a minute. */
    private static final long HIGHEST_NS = 60_000_000_000L;
    /** Within 1 %: a tenth of the memory for the telemetry thread to copy, on what may be a hot thread's core. */
    private static final int SIGNIFICANT_DIGITS = 2;

    private final SingleWriterRecorder[] recorders = new SingleWriterRecorder[Stage.values().length];

    public StageRecorder() {
        for (int index = 0; index < recorders.length; index++) {
            recorders[index] = new SingleWriterRecorder(HIGHEST_NS, SIGNIFICANT_DIGITS);
        }
    }

    /** Records a request that has gone its whole way. */
    public void record(final RequestSlot slot) {
        final long ingress = slot.ingressTickNs;
        record(Stage.JOURNAL, slot.journaledTickNs - ingress);
        record(Stage.QUEUE, slot.inferStartTickNs - ingress);
        record(Stage.INFER, slot.inferEndTickNs - slot.inferStartTickNs);
        record(Stage.EGRESS, slot.egressTickNs - Math.max(slot.journaledTickNs, slot.inferEndTickNs));
        record(Stage.TOTAL, slot.egressTickNs - ingress);
    }

    /** Forgets what was recorded, and has the writer go on as after a reader's look: in the other of two phases. */
    public void startInterval() {
        for (final SingleWriterRecorder recorder : recorders) {
            recorder.getIntervalHistogram();
        }
    }

    SingleWriterRecorder recorder(final Stage stage) {
        return recorders[stage.ordinal()];
    }

    private void record(final Stage stage, final long valueNs) {
        recorders[stage.ordinal()].recordValue(Math.min(Math.max(valueNs, 0), HIGHEST_NS));
    }
}
