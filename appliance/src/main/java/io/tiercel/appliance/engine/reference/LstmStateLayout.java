package io.tiercel.appliance.engine.reference;

/**
 * Where a session's state stands. The canonical part is the same for every backend: snapshots and hashes are of it.
 *
 * <pre>
 *   canonical, for each layer 0..L-1            bytes                     all little-endian, padding zero
 *   +-------------------------------------+
 *   | c[0..H)   cell, binary32            |     4H up to a multiple of 64
 *   +-------------------------------------+
 *   | qh[0..H)  hidden, int8              |     H up to a multiple of 64
 *   +-------------------------------------+
 *   derived, this backend's own, for each layer
 *   +-------------------------------------+
 *   | ahead[0..4H)  recurrent partial     |     16H up to a multiple of 64
 *   |   sums and bias, binary32, i f g o  |
 *   +-------------------------------------+
 * </pre>
 *
 * A new session's canonical part is zeros. The hash of a step takes in the whole canonical part, since a step writes
 * all of it.
 */
final class LstmStateLayout {

    static final int ALIGNMENT = 64;

    private final int cellBytes;
    private final int hiddenBytes;
    private final int aheadBytes;
    private final int layerCount;

    LstmStateLayout(final int layerCount, final int hiddenCount) {
        this.layerCount = layerCount;
        cellBytes = align(Float.BYTES * hiddenCount);
        hiddenBytes = align(hiddenCount);
        aheadBytes = align(Float.BYTES * 4 * hiddenCount);
    }

    int cellOffset(final int layerIndex) {
        return layerIndex * (cellBytes + hiddenBytes);
    }

    int hiddenOffset(final int layerIndex) {
        return cellOffset(layerIndex) + cellBytes;
    }

    int aheadOffset(final int layerIndex) {
        return canonicalBytes() + layerIndex * aheadBytes;
    }

    int canonicalBytes() {
        return layerCount * (cellBytes + hiddenBytes);
    }

    int stateBytes() {
        return canonicalBytes() + layerCount * aheadBytes;
    }

    private static int align(final int bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
