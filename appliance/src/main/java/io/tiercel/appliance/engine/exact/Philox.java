package io.tiercel.appliance.engine.exact;

/**
 * Philox 4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): random
 * bits as a function of a key and a counter. No state, so a replay needs nothing but the two.
 */
public final class Philox {

    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;

    private Philox() {
    }

    /** 64 random bits: the first two words of the block of this key and counter, the first in the low half. */
    public static long bits(final long key, final long counter) {
        int c0 = (int) counter;
        int c1 = (int) (counter >>> Integer.SIZE);
        int c2 = 0;
        int c3 = 0;
        int k0 = (int) key;
        int k1 = (int) (key >>> Integer.SIZE);
        for (int round = 0; round < ROUNDS; round++) {
            final long product0 = (c0 & 0xFFFFFFFFL) * MULTIPLIER_0;
            final long product1 = (c2 & 0xFFFFFFFFL) * MULTIPLIER_1;
            c0 = (int) (product1 >>> Integer.SIZE) ^ c1 ^ k0;
            c1 = (int) product1;
            c2 = (int) (product0 >>> Integer.SIZE) ^ c3 ^ k1;
            c3 = (int) product0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        return (c0 & 0xFFFFFFFFL) | (long) c1 << Integer.SIZE;
    }
}
