package io.tiercel.tools.demo;

import io.tiercel.tools.load.OutputSink;
import io.tiercel.tools.market.MarketFeed;
import io.tiercel.tools.market.PredictionScore;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.agrona.DirectBuffer;

/** The answers to a tape's events: only copied while the run is on, and looked at after it. */
final class Answers implements OutputSink {

    private final MarketFeed feed;
    private final int outputCount;
    private final float[] outputs;
    private final boolean[] answered;
    private final long[] sequences;

    Answers(final MarketFeed feed, final int outputCount) {
        this.feed = feed;
        this.outputCount = outputCount;
        this.outputs = new float[Math.multiplyExact(feed.eventCount(), outputCount)];
        this.answered = new boolean[feed.eventCount()];
        this.sequences = new long[feed.eventCount()];
    }

    @Override
    public void onOutputs(
            final long requestIndex,
            final long sequence,
            final DirectBuffer buffer,
            final int offset,
            final int count) {
        if (count != outputCount) {
            throw new IllegalStateException("outputCount=" + count + " but the bundle says " + outputCount);
        }
        final int event = (int) requestIndex;
        answered[event] = true;
        sequences[event] = sequence;
        for (int i = 0; i < outputCount; i++) {
            outputs[event * outputCount + i] = buffer.getFloat(offset + i * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
        }
    }

    /** Forgets everything, after a rehearsal. */
    void reset() {
        Arrays.fill(answered, false);
        Arrays.fill(outputs, 0);
    }

    boolean isAnswered(final int event) {
        return answered[event];
    }

    /** Place in the journal of an answered event's request. */
    long sequence(final int event) {
        return sequences[event];
    }

    /** Scores the answers to the held-out events. */
    PredictionScore score() {
        final PredictionScore score = new PredictionScore(outputCount);
        final float[] probabilities = new float[outputCount];
        for (int event = 0; event < feed.eventCount(); event++) {
            if (feed.heldOut(event) && answered[event]) {
                System.arraycopy(outputs, event * outputCount, probabilities, 0, outputCount);
                score.add(feed.label(event), probabilities);
            }
        }
        return score;
    }
}
