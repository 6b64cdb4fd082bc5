package io.tiercel.tools.market;

/** What both extractors compute with: the same bits on every machine, and finite for every finite argument. */
final class FeatureMath {

    /** Where {@link #squash} levels off. */
    static final double SQUASH_LIMIT = 4.0;
    static final double BASIS_POINTS = 1e4;

    private FeatureMath() {
    }

    /**
     * The factor by which an exponential average forgets in one event, so that an event weighs half after
     * {@code halfLife} events.
     */
    static double decay(final double halfLife) {
        return StrictMath.pow(0.5, 1.0 / halfLife);
    }

    /** One step of an exponential average. */
    static double average(final double average, final double decay, final double value) {
        return decay * average + (1.0 - decay) * value;
    }

    /**
     * Near {@code x} for small values, within ±4 for all: an outlier of the tape must not become an outlier of a
     * feature, because one int8 scale covers the whole vector.
     */
    static float squash(final double x) {
        return (float) (SQUASH_LIMIT * (x / (SQUASH_LIMIT + Math.abs(x))));
    }

    /** Sign of {@code x} times {@code log(1 + |x|)}. */
    static double signedLog(final double x) {
        return x < 0 ? -StrictMath.log1p(-x) : StrictMath.log1p(x);
    }
}
