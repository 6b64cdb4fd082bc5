package io.tiercel.tools.load;

import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Requests for any model: features from −1 to 1, or tokens of its vocabulary, the same ones for the same seed, sessions
 * in turn. Made before the run, as many vectors as fit the second-level cache, so that making them is not measured.
 */
public final class RandomRequests implements RequestSource {

    private static final int MAX_BYTES = 256 * 1024;

    private final UnsafeBuffer features;
    private final int vectorLength;
    private final long vectorMask;
    private final int sessionCount;

    /** Of feature vectors. */
    public RandomRequests(final int featureCount, final int sessionCount, final long seed) {
        this(featureCount, 0, sessionCount, seed);
    }

    /** @param vocabularySize above 0 if a step's one feature is a token. */
    public RandomRequests(
            final int featureCount, final int vocabularySize, final int sessionCount, final long seed) {
        this.vectorLength = featureCount * Float.BYTES;
        final int vectors = BitUtil.findNextPositivePowerOfTwo(Math.max(2, MAX_BYTES / vectorLength + 1) / 2);
        this.vectorMask = vectors - 1;
        this.sessionCount = sessionCount;
        this.features =
                new UnsafeBuffer(BufferUtil.allocateDirectAligned(vectors * vectorLength, BitUtil.CACHE_LINE_LENGTH));
        final SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < vectors * featureCount; i++) {
            final int cell = vocabularySize > 0
                    ? random.nextInt(vocabularySize)
                    : Float.floatToRawIntBits((float) (2.0 * random.nextDouble() - 1.0));
            features.putInt(i * Float.BYTES, cell, ByteOrder.LITTLE_ENDIAN);
        }
    }

    @Override
    public long sessionKey(final long requestIndex) {
        return requestIndex % sessionCount;
    }

    @Override
    public DirectBuffer features() {
        return features;
    }

    @Override
    public int featuresOffset(final long requestIndex) {
        return (int) (requestIndex & vectorMask) * vectorLength;
    }
}
