package io.tiercel.appliance.engine.onnx;

import io.tiercel.appliance.engine.StateHash;
import org.agrona.UnsafeApi;

/**
 * The newest rows of a stream, kept as a session's state: a request brings one row, the graph is fed all. The state is
 * canonical, all of it; a new one is zeros, so that before the first row there were rows of zeros, which are the mean
 * of each feature.
 *
 * <pre>
 *   0            4            8                                      64
 *   +------------+------------+--------------------------------------+----------------------+
 *   | next       | 0                                                 | row[0] … row[R-1]    |
 *   | uint32     |                                                   | C binary32 each      |
 *   +------------+------------+--------------------------------------+----------------------+
 *     all little-endian; rows one after the other, then zeros up to a multiple of 64
 * </pre>
 *
 * <p>{@code next} is where the next row goes, below R: so it is where the oldest one is, and the newest is before it,
 * in a ring. A row is held normalised: {@code hold((feature - mean) * inverseDeviation, ±3.4028235e38)}, each operation
 * one of binary32, rounded to nearest; finite features make finite rows. The hash of a step mixes the previous hash
 * with the row that the step wrote, and that with the first 8 bytes of the state.
 *
 * <p>Exact: the same bits on every machine. Immutable, any thread; a state is one thread's at a time. Allocates
 * nothing.
 */
public final class RowWindow {

    private static final int ALIGNMENT = 64;
    private static final int HEADER_BYTES = 64;

    private final int rows;
    private final int columns;
    private final int rowBytes;
    private final int stateBytes;
    private final float[] means;
    private final float[] inverseDeviations;

    /**
     * @param rows              R, above 0.
     * @param columns           C, above 0.
     * @param means             [C], finite.
     * @param inverseDeviations [C], finite and above 0.
     */
    public RowWindow(final int rows, final int columns, final float[] means, final float[] inverseDeviations) {
        this.rows = rows;
        this.columns = columns;
        this.means = means;
        this.inverseDeviations = inverseDeviations;
        rowBytes = columns * Float.BYTES;
        stateBytes = HEADER_BYTES + (Math.multiplyExact(rows, rowBytes) + ALIGNMENT - 1 & -ALIGNMENT);
    }

    public int rows() {
        return rows;
    }

    public int columns() {
        return columns;
    }

    /** Bytes of all rows, as {@link #copyTo} writes them. */
    public int windowBytes() {
        return rows * rowBytes;
    }

    public int stateBytes() {
        return stateBytes;
    }

    public void initialise(final long stateAddress) {
        UnsafeApi.setMemory(stateAddress, stateBytes, (byte) 0);
    }

    /**
     * Refuses a state, put there from outside, whose next row would be beside it.
     *
     * @throws IllegalArgumentException if so.
     */
    public void check(final long stateAddress) {
        final int next = UnsafeApi.getInt(stateAddress);
        if (Integer.compareUnsigned(next, rows) >= 0) {
            throw new IllegalArgumentException("a state's next row=" + Integer.toUnsignedString(next) +
                    " is not below rows=" + rows);
        }
    }

    /** Puts a row of features in the oldest one's place. */
    public void add(final long stateAddress, final long featuresAddress) {
        final int row = UnsafeApi.getInt(stateAddress);
        normalise(featuresAddress, rowAddress(stateAddress, row));
        UnsafeApi.putInt(stateAddress, row + 1 == rows ? 0 : row + 1);
    }

    private void normalise(final long featuresAddress, final long targetAddress) {
        for (int column = 0; column < columns; column++) {
            final long offset = (long) column * Float.BYTES;
            final float feature = UnsafeApi.getFloat(featuresAddress + offset);
            final float normal = (feature - means[column]) * inverseDeviations[column];
            UnsafeApi.putFloat(targetAddress + offset, Math.max(-Float.MAX_VALUE, Math.min(Float.MAX_VALUE, normal)));
        }
    }

    /** The feature that so many deviations from the mean are. */
    public float feature(final int column, final float deviations) {
        return means[column] + deviations / inverseDeviations[column];
    }

    /** Copies all rows, the oldest first, to where a graph reads them: {@link #windowBytes()} bytes. */
    public void copyTo(final long stateAddress, final long targetAddress) {
        copyRows(stateAddress, UnsafeApi.getInt(stateAddress), rows, targetAddress);
    }

    /** The same, as they will be once a row of features has been {@link #add added}. */
    public void copyTo(final long stateAddress, final long featuresAddress, final long targetAddress) {
        final int oldest = UnsafeApi.getInt(stateAddress);
        copyRows(stateAddress, oldest + 1 == rows ? 0 : oldest + 1, rows - 1, targetAddress);
        normalise(featuresAddress, targetAddress + (long) (rows - 1) * rowBytes);
    }

    /** Some rows of the ring, from one on. */
    private void copyRows(final long stateAddress, final int first, final int count, final long targetAddress) {
        final int beforeEnd = Math.min(count, rows - first);
        final long bytesBeforeEnd = (long) beforeEnd * rowBytes;
        UnsafeApi.copyMemory(rowAddress(stateAddress, first), targetAddress, bytesBeforeEnd);
        UnsafeApi.copyMemory(
                rowAddress(stateAddress, 0), targetAddress + bytesBeforeEnd, (long) (count - beforeEnd) * rowBytes);
    }

    /** The session's hash after {@link #add}. */
    public long hash(final long stateAddress, final long previousHash) {
        final int next = UnsafeApi.getInt(stateAddress);
        final long newest = rowAddress(stateAddress, next == 0 ? rows - 1 : next - 1);
        return StateHash.mix(StateHash.mix(previousHash, newest, rowBytes), stateAddress, Long.BYTES);
    }

    private long rowAddress(final long stateAddress, final int row) {
        return stateAddress + HEADER_BYTES + (long) row * rowBytes;
    }
}
