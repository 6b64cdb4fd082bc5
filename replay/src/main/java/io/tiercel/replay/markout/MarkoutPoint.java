package io.tiercel.replay.markout;

/**
 * What answers are worth at one delay. Errors are standard errors.
 *
 * @param delay     added to the appliance's own latency; null: neither counts, as if the answer were there at once.
 * @param mean      move of the price in the answer's direction, from when it can be acted on to the horizon, in basis
 *                  points of the price at the event.
 * @param hitRate   of the answers after which the price moved: how many were right; NaN if it never moved.
 * @param movedShare how many answers the price moved after.
 */
public record MarkoutPoint(
        Span delay, double mean, double meanError, double hitRate, double hitRateError, double movedShare) {
}
