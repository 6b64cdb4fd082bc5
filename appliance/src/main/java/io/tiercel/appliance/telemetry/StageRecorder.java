package io.tiercel.appliance.telemetry;

import io.tiercel.appliance.sequencer.RequestSlot;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

import java.util.Arrays;

/**
 * Histograms of the latencies of each stage and model, in nanoseconds. Recorded by the outcome stage, which sees every
 * time stamp of a request after its response has left; read by {@link TelemetryWriter}. The writer never waits and
 * allocates nothing; a model more costs it nothing.
 */
public final class StageRecorder {

    /** Longer is recorded as this: a minute. */
    private static final long HIGHEST_NS = 60_000_000_000L;
    /** Within 1 %: a tenth of the memory for the telemetry thread to copy, on what may be a hot thread's core. */
    private static final int SIGNIFICANT_DIGITS = 2;

    private final SingleWriterRecorder[][] recorders;

    /** @param modelCount models that requests may name, by their indices. */
    public StageRecorder(final int modelCount) {
        recorders = new SingleWriterRecorder[modelCount][Stage.values().length];
        for (final SingleWriterRecorder[] ofModel : recorders) {
            Arrays.setAll(ofModel, stage -> new SingleWriterRecorder(HIGHEST_NS, SIGNIFICANT_DIGITS));
        }
    }

    /** Records a request that has gone its whole way. */
    public void record(final RequestSlot slot) {
        final SingleWriterRecorder[] ofModel = recorders[slot.modelIndex];
        final long ingress = slot.ingressTickNs;
        record(ofModel, Stage.JOURNAL, slot.journaledTickNs - ingress);
        record(ofModel, Stage.QUEUE, slot.inferStartTickNs - ingress);
        record(ofModel, Stage.INFER, slot.inferEndTickNs - slot.inferStartTickNs);
        record(ofModel, Stage.EGRESS, slot.egressTickNs - Math.max(slot.journaledTickNs, slot.inferEndTickNs));
        record(ofModel, Stage.TOTAL, slot.egressTickNs - ingress);
    }

    /** Forgets what was recorded, and has the writer go on as after a reader's look: in the other of two phases. */
    public void startInterval() {
        for (final SingleWriterRecorder[] ofModel : recorders) {
            for (final SingleWriterRecorder recorder : ofModel) {
                recorder.getIntervalHistogram();
            }
        }
    }

    int modelCount() {
        return recorders.length;
    }

    SingleWriterRecorder recorder(final int modelIndex, final Stage stage) {
        return recorders[modelIndex][stage.ordinal()];
    }

    /** One that takes whatever is recorded here. */
    static Histogram newHistogram() {
        return new Histogram(HIGHEST_NS, SIGNIFICANT_DIGITS);
    }

    private static void record(final SingleWriterRecorder[] ofModel, final Stage stage, final long valueNs) {
        ofModel[stage.ordinal()].recordValue(Math.min(Math.max(valueNs, 0), HIGHEST_NS));
    }
}
