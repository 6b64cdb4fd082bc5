package io.tiercel.tools.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.agrona.BitUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A few vectors of random features, each with mean 0 and deviation 1, or a few random tokens, that every contender is
 * given by turns. In native memory for the engine, whose executors take addresses; features as arrays for its peer too.
 * Immutable, any thread.
 */
final class FeatureTape {

    /** Vectors; a power of two. */
    static final int LENGTH = 64;

    private final float[][] vectors = new float[LENGTH][];
    private final UnsafeBuffer memory;
    private final int vectorBytes;

    FeatureTape(final int features, final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        vectorBytes = BitUtil.align(features * Float.BYTES, BitUtil.CACHE_LINE_LENGTH);
        memory = NativeMemory.allocate(LENGTH * vectorBytes);
        for (int i = 0; i < LENGTH; i++) {
            vectors[i] = new float[features];
            for (int feature = 0; feature < features; feature++) {
                vectors[i][feature] = (float) random.nextGaussian();
                memory.putFloat(i * vectorBytes + feature * Float.BYTES, vectors[i][feature],
                        ByteOrder.LITTLE_ENDIAN);
            }
        }
    }

    private FeatureTape(final int[] tokens) {
        vectorBytes = BitUtil.CACHE_LINE_LENGTH;
        memory = NativeMemory.allocate(LENGTH * vectorBytes);
        for (int i = 0; i < LENGTH; i++) {
            memory.putInt(i * vectorBytes, tokens[i], ByteOrder.LITTLE_ENDIAN);
        }
    }

    /** Inputs of a bundle: tokens, or features. */
    static FeatureTape of(final Bundle bundle, final long seed) {
        if (TransformerParameters.FAMILY.equals(bundle.manifest().family())) {
            final TransformerParameters parameters = TransformerParameters.read(bundle);
            if (parameters.isTokens()) {
                return ofTokens(parameters.shape().vocabulary(), seed);
            }
        }
        return new FeatureTape(bundle.manifest().featureCount(), seed);
    }

    /** Tokens below a number. */
    static FeatureTape ofTokens(final int vocabulary, final long seed) {
        return new FeatureTape(new SplittableRandom(seed).ints(LENGTH, 0, vocabulary).toArray());
    }

    /** Of features. Not to be written to. */
    float[] vector(final int index) {
        return vectors[index & LENGTH - 1];
    }

    /** Of the same values, little-endian, on cache lines of their own; valid as long as the tape is. */
    long address(final int index) {
        return memory.addressOffset() + (long) (index & LENGTH - 1) * vectorBytes;
    }
}
