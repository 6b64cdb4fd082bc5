package io.tiercel.replay.whatif;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.appliance.engine.bundle.Manifest.Task;
import org.agrona.DirectBuffer;

/** How one answer, a step's outputs, differs from the one that was given. One thread; allocates once. */
final class Difference {

    /** Of changes: they are added up as whole numbers. */
    static final double UNIT = 1e-9;
    /** A larger change, or one that cannot be told, as between a number and none, counts as this. */
    static final long MOST_UNITS = Long.MAX_VALUE >>> 20;

    final long[] units;
    int valueCount;
    boolean isChanged;
    boolean isDecision;
    boolean isDecisionChanged;

    private final Task task;

    Difference(final Task task, final int outputCount) {
        this.task = task;
        units = new long[outputCount];
    }

    /**
     * Looks at two answers.
     *
     * @param offset of the given one; the candidate's is at 0.
     * @param count  outputs of each.
     */
    void find(final DirectBuffer given, final int offset, final DirectBuffer candidates, final int count) {
        isChanged = false;
        for (int i = 0; i < count; i++) {
            isChanged |= given.getInt(offset + i * Float.BYTES) != candidates.getInt(i * Float.BYTES);
        }
        isDecision = task != Task.REGRESSION;
        isDecisionChanged = task == Task.TOKENS
                ? given.getInt(offset) != candidates.getInt(0)
                : isDecision && largest(given, offset, count) != largest(candidates, 0, count);
        valueCount = task == Task.TOKENS ? 1 : count;
        for (int i = 0; i < valueCount; i++) {
            // Of tokens the first one's probability, which stands behind it.
            final int index = task == Task.TOKENS ? 1 : i;
            units[i] = units(value(given, offset, index), value(candidates, 0, index));
        }
    }

    private static long units(final float given, final float candidates) {
        if (Float.floatToRawIntBits(given) == Float.floatToRawIntBits(candidates)) {
            return 0;
        }
        final double change = Math.abs((double) given - candidates) / UNIT;
        return Double.isNaN(change) ? MOST_UNITS : (long) Math.min(change, MOST_UNITS);
    }

    /** Which of a row of values; ties go to the lower one. */
    static int largest(final DirectBuffer values, final int offset, final int count) {
        int largest = 0;
        for (int i = 1; i < count; i++) {
            largest = value(values, offset, i) > value(values, offset, largest) ? i : largest;
        }
        return largest;
    }

    static float value(final DirectBuffer values, final int offset, final int index) {
        return values.getFloat(offset + index * Float.BYTES, LITTLE_ENDIAN);
    }
}
