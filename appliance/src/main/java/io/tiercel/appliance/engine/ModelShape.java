package io.tiercel.appliance.engine;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import org.agrona.DirectBuffer;

/**
 * The sizes that the pipeline needs of a model.
 *
 * @param family           {@code lstm}, {@code transformer}.
 * @param featureCount     floats in a step's input, 1 to 65,535; 1 if the input is a token.
 * @param outputCount      floats in a step's output, 1 to 65,535.
 * @param stateBytes       memory of one session, a multiple of 64: the canonical state first, then what the backend
 *                         derives from it (recurrent partial sums) and may lay out as it likes.
 * @param canonicalBytes   the first part of {@code stateBytes}: the layout that hashes, snapshots and other backends
 *                         agree on, written down in the family's package.
 * @param vocabularySize   above 0: a step's input is one token, an unsigned 32-bit integer below this; 0: floats. No
 *                         executor checks a token, so none may reach one unchecked: {@link #firstStrayStep}.
 * @param contextTokens    steps that a session has room for before it is reset; 0 if any number. See
 *                         {@link ModelExecutor#hasRoom}.
 * @param namesTokens      whether outputs are next tokens, likeliest first, each with its probability: then every
 *                         executor is a {@link TokenExecutor}, and tokens can be generated.
 */
public record ModelShape(
        String family, int featureCount, int outputCount, int stateBytes, int canonicalBytes, int vocabularySize,
        int contextTokens, boolean namesTokens) {

    /** Of a model that takes feature vectors, and any number of steps. */
    public ModelShape(
            final String family, final int featureCount, final int outputCount, final int stateBytes,
            final int canonicalBytes) {
        this(family, featureCount, outputCount, stateBytes, canonicalBytes, 0, 0, false);
    }

    /**
     * Whether what a client asks a model of the other shape, and how it reads the answers, is right for one of this
     * shape: the same inputs and outputs, and no less room for a session.
     */
    public boolean asksLike(final ModelShape other) {
        final boolean hasRoom = contextTokens == 0 || other.contextTokens > 0 && contextTokens >= other.contextTokens;
        return featureCount == other.featureCount && outputCount == other.outputCount &&
                vocabularySize == other.vocabularySize && namesTokens == other.namesTokens && hasRoom;
    }

    /** Whether a step's input is a token. */
    public boolean hasTokens() {
        return vocabularySize > 0;
    }

    /**
     * The first of a request's steps whose token the vocabulary does not have, or -1; always -1 if the input is floats.
     *
     * @param offset of the first step's input in {@code inputs}.
     */
    public int firstStrayStep(final DirectBuffer inputs, final int offset, final int stepCount) {
        if (vocabularySize > 0) {
            for (int step = 0; step < stepCount; step++) {
                if (tokenAt(inputs, offset, step) >= vocabularySize) {
                    return step;
                }
            }
        }
        return -1;
    }

    /** The token of one of a request's steps, as it stands there. */
    public static long tokenAt(final DirectBuffer inputs, final int offset, final int step) {
        return Integer.toUnsignedLong(inputs.getInt(offset + step * Integer.BYTES, LITTLE_ENDIAN));
    }
}
