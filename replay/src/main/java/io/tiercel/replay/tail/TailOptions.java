package io.tiercel.replay.tail;

/**
 * Which requests are to be explained: the slowest so many, or all whose time is the percentile's or more.
 *
 * @param slowestCount 0 for all past the percentile.
 * @param percentile   also the one of which is said what it would be without each cause.
 */
public record TailOptions(int slowestCount, double percentile) {

    public TailOptions {
        if (!(percentile > 0 && percentile < 100)) {
            throw new IllegalArgumentException("percentile=" + percentile + " is not between 0 and 100");
        }
        if (slowestCount < 0) {
            throw new IllegalArgumentException("slowest=" + slowestCount + " is below 0");
        }
    }
}
