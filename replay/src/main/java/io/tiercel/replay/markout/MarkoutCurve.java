package io.tiercel.replay.markout;

import java.util.List;

/**
 * The value of answers up to one horizon, by delay.
 *
 * @param answerCount those whose horizon lies within the tape.
 * @param blockLength answers that errors are estimated from together, because their horizons overlap.
 * @param points      one without latency, one with the appliance's own, one for each added delay.
 * @param steps       from each point to the next.
 */
public record MarkoutCurve(
        Span horizon, int answerCount, int blockLength, List<MarkoutPoint> points, List<MarkoutStep> steps) {

    /** Independent pieces that the errors stand on. */
    public int blockCount() {
        return answerCount / Math.max(1, blockLength);
    }
}
