package io.tiercel.replay.tail;

/**
 * What one cause explains of the requests that were chosen.
 *
 * @param requestCount those that owe it anything.
 * @param explainedNs  of their excess, in all.
 * @param inheritedNs  of that, what they owe to it by waiting behind others whom it had delayed.
 * @param share        of the excess of all that were chosen.
 * @param withoutNs    the percentile of all requests, if none had lost anything to this cause.
 */
public record CauseShare(
        Cause cause, int requestCount, long explainedNs, long inheritedNs, double share, long withoutNs) {
}
