package io.tiercel.tools.engine;

import org.agrona.concurrent.NanoClock;

/** A session of ONNX Runtime. All of a step is timed: it has nothing to do afterwards. */
final class OnnxStep implements TimedStep {

    private final NanoClock clock;
    private final FeatureTape tape;
    private final OnnxRuntimeLstm lstm;

    OnnxStep(final NanoClock clock, final FeatureTape tape, final OnnxRuntimeLstm lstm) {
        this.clock = clock;
        this.tape = tape;
        this.lstm = lstm;
    }

    @Override
    public long stepNs(final int tapeIndex) {
        final float[] features = tape.vector(tapeIndex);
        final long begunNs = clock.nanoTime();
        lstm.step(features);
        return clock.nanoTime() - begunNs;
    }

    @Override
    public void close() {
        lstm.close();
    }
}
