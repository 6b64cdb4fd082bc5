package io.tiercel.replay.markout;

/**
 * What is lost from one delay to the next, of the same answers: the horizon stands still, so it is the move between the
 * two moments.
 *
 * @param from      null: from no delay at all, and no latency.
 * @param lost      basis points; the error is that of the difference, not of its two ends.
 * @param perUnit   the same for a microsecond (of the mean latency, where that is the step), or for an event.
 */
public record MarkoutStep(
        Span from, Span to, double lost, double lostError, double perUnit, double perUnitError) {

    /** More than the usual two: a report has dozens of steps, and each may be called more than chance. */
    private static final double STANDARD_ERRORS = 3;

    /** Whether it is too far from 0 for chance. */
    public boolean isDistinguishable() {
        return Math.abs(lost) > STANDARD_ERRORS * lostError;
    }
}
