package io.tiercel.appliance.engine.bundle;

/**
 * How far an output that is computed again may be from the one that was journaled, where the arithmetic is not exact:
 * {@code |recorded - computed| <= absolute + relative * |recorded|}, in binary64, which holds each of the two.
 *
 * @param absolute in the output's own unit; finite, 0 or more.
 * @param relative of the recorded output's magnitude, 0 to 1.
 */
public record Tolerance(double absolute, double relative) {

    /** Bits or nothing. */
    public static final Tolerance NONE = new Tolerance(0, 0);

    public Tolerance {
        if (!(absolute >= 0 && absolute <= Double.MAX_VALUE)) {
            throw new IllegalArgumentException("absolute=" + absolute + " is not a finite number of 0 or more");
        }
        if (!(relative >= 0 && relative <= 1)) {
            throw new IllegalArgumentException("relative=" + relative + " is not in 0..1");
        }
    }

    /**
     * Whether the two are near enough. What is not finite is near to the same only: an infinity to itself, a NaN to any
     * NaN, whose bits differ from processor to processor.
     */
    public boolean admits(final float recorded, final float computed) {
        if (Float.isFinite(recorded) && Float.isFinite(computed)) {
            return Math.abs((double) recorded - computed) <= absolute + relative * Math.abs((double) recorded);
        }
        return Float.compare(recorded, computed) == 0;
    }
}
