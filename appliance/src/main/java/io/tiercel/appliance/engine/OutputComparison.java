package io.tiercel.appliance.engine;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.protocol.journal.Arithmetic;
import org.agrona.DirectBuffer;

/**
 * Compares outputs of one model that are computed again with those that were journaled: as bits, or, where the model's
 * arithmetic is not exact, within its tolerance. Recovery and replay share it. One thread; allocates nothing.
 */
public final class OutputComparison {

    /** What {@link #firstDifference} says if there is none. */
    public static final int NONE = -1;

    private final boolean isExact;
    private final Tolerance tolerance;
    private double largestDistance;

    public OutputComparison(final Model model) {
        this(model.arithmetic(), model.tolerance());
    }

    OutputComparison(final Arithmetic arithmetic, final Tolerance tolerance) {
        isExact = arithmetic == Arithmetic.EXACT;
        this.tolerance = tolerance;
    }

    public boolean isExact() {
        return isExact;
    }

    /**
     * The first output that is not what it should be, or {@link #NONE}.
     *
     * @param recorded outputs as journaled, from {@code recordedOffset}: little-endian binary32 or, of an exact model,
     *                 any other cells.
     * @param computed the same as computed again, from offset 0.
     * @param length   bytes of each.
     */
    public int firstDifference(
            final DirectBuffer recorded, final int recordedOffset, final DirectBuffer computed, final int length) {
        for (int offset = 0; offset < length; offset += Float.BYTES) {
            final int recordedBits = recorded.getInt(recordedOffset + offset, LITTLE_ENDIAN);
            final int computedBits = computed.getInt(offset, LITTLE_ENDIAN);
            if (recordedBits != computedBits && (isExact || !admits(recordedBits, computedBits))) {
                return offset / Float.BYTES;
            }
        }
        return NONE;
    }

    /** The largest distance that was admitted between two outputs; 0 of an exact model. */
    public double largestDistance() {
        return largestDistance;
    }

    private boolean admits(final int recordedBits, final int computedBits) {
        final float recorded = Float.intBitsToFloat(recordedBits);
        final float computed = Float.intBitsToFloat(computedBits);
        if (!tolerance.admits(recorded, computed)) {
            return false;
        }
        if (Float.isFinite(recorded)) {
            largestDistance = Math.max(largestDistance, Math.abs((double) recorded - computed));
        }
        return true;
    }
}
