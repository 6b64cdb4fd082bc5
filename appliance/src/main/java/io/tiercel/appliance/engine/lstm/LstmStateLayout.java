package io.tiercel.appliance.engine.lstm;

/**
 * Where a session's state stands. The canonical part is the same for every backend: snapshots and hashes are of it.
 * Immutable.
 *
 * <pre>
 *   canonical, for each layer 0..L-1            bytes                     all little-endian, padding zero
 *   +-------------------------------------+
 *   | c[0..H)   cell, binary32            |     4H up to a multiple of 64
 *   +-------------------------------------+
 *   | qh[0..H)  hidden, int8              |     H up to a multiple of 64
 *   +-------------------------------------+
 *   derived, the backend's own, for each layer
 *   +-------------------------------------+
 *   | ahead[0..A)  recurrent partial sums |     4A up to a multiple of 64
 *   |   and bias, binary32                |
 *   +-------------------------------------+
 * </pre>
 *
 * How many floats A are, and in what order, is the backend's choice; 4H in the order i f g o is the reference's. A new
 * session's canonical part is zeros. The hash of a step takes in the whole canonical part, since a step writes all of
 * it.
 */
public final class LstmStateLayout {

    /** Of every part, in bytes. */
    public static final int ALIGNMENT = 64;

    private final int cellBytes;
    private final int hiddenBytes;
    private final int aheadBytes;
    private final int layerCount;

    public LstmStateLayout(final int layerCount, final int hiddenCount, final int aheadFloatsPerLayer) {
        this.layerCount = layerCount;
        cellBytes = align(Float.BYTES * hiddenCount);
        hiddenBytes = align(hiddenCount);
        aheadBytes = align(Float.BYTES * aheadFloatsPerLayer);
    }

    public int cellOffset(final int layerIndex) {
        return layerIndex * (cellBytes + hiddenBytes);
    }

    public int hiddenOffset(final int layerIndex) {
        return cellOffset(layerIndex) + cellBytes;
    }

    public int aheadOffset(final int layerIndex) {
        return canonicalBytes() + layerIndex * aheadBytes;
    }

    public int canonicalBytes() {
        return layerCount * (cellBytes + hiddenBytes);
    }

    public int stateBytes() {
        return canonicalBytes() + layerCount * aheadBytes;
    }

    private static int align(final int bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
