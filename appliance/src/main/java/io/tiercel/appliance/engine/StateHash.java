package io.tiercel.appliance.engine;

import org.agrona.UnsafeApi;

/**
 * The 64-bit chained hash of a session's state: the hash before a step mixed with the canonical bytes that the step
 * wrote. It finds a divergence, and where it began; it is no defence against an adversary.
 *
 * <p>Each 64-bit little-endian word {@code w} of the bytes, the last one padded with zeros:
 * {@code h = rotl(h ^ (w * P1), 31) * P2}; at the end {@code h ^= length; h ^= h >>> 33; h *= P3; h ^= h >>> 29}.
 * Integer operations modulo 2^64 only, so every backend and language has the same bits. The primes are xxHash64's
 * (Y. Collet, xxHash specification).
 */
public final class StateHash {

    public static final long P1 = 0x9E3779B185EBCA87L;
    public static final long P2 = 0xC2B2AE3D27D4EB4FL;
    public static final long P3 = 0x165667B19E3779F9L;

    private StateHash() {
    }

    /** The hash of {@code previousHash} and {@code length} bytes at {@code address}. */
    public static long mix(final long previousHash, final long address, final int length) {
        long hash = previousHash;
        int offset = 0;
        for (; offset <= length - Long.BYTES; offset += Long.BYTES) {
            hash = mixWord(hash, UnsafeApi.getLong(address + offset));
        }
        if (offset < length) {
            long word = 0;
            for (int shift = 0; offset < length; offset++, shift += Byte.SIZE) {
                word |= (UnsafeApi.getByte(address + offset) & 0xFFL) << shift;
            }
            hash = mixWord(hash, word);
        }
        hash ^= length;
        hash ^= hash >>> 33;
        hash *= P3;
        return hash ^ (hash >>> 29);
    }

    /** One word of a chain: {@code rotl(hash ^ (word * P1), 31) * P2}. */
    public static long mixWord(final long hash, final long word) {
        return Long.rotateLeft(hash ^ (word * P1), 31) * P2;
    }
}
