package io.tiercel.ops.probe;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.protocol.client.ModelInfo;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The steps that a model is asked, always the same for the same shape: features between -1 and 1, or tokens of the
 * vocabulary, a few steps so that what a session keeps from one to the next counts too.
 */
public final class ProbeQuestion {

    private static final int MAX_STEPS = 3;
    /** What fits into a frame under any configuration that is usual; a model of wider steps is asked one. */
    private static final int MAX_BYTES = 2_048;
    /** The golden ratio's bits: multiples of it spread over all integers. */
    private static final int SPREAD = 0x9E37_79B9;
    private static final int FRACTION_BITS = 24;

    private final int stepCount;
    private final UnsafeBuffer inputs;

    private ProbeQuestion(final int stepCount, final UnsafeBuffer inputs) {
        this.stepCount = stepCount;
        this.inputs = inputs;
    }

    /** @param maxSteps of one request, as the appliance's welcome said. */
    public static ProbeQuestion of(final ModelInfo model, final int maxSteps) {
        final int room = model.contextTokens() == 0 ? MAX_STEPS : model.contextTokens();
        final int wide = Math.max(1, MAX_BYTES / Integer.BYTES / model.featureCount());
        final int stepCount = Math.min(Math.min(MAX_STEPS, maxSteps), Math.min(room, wide));
        final int wordCount = stepCount * model.featureCount();
        final UnsafeBuffer inputs = new UnsafeBuffer(
                BufferUtil.allocateDirectAligned(wordCount * Integer.BYTES, BitUtil.CACHE_LINE_LENGTH));
        for (int index = 0; index < wordCount; index++) {
            inputs.putInt(index * Integer.BYTES, word(model, index), LITTLE_ENDIAN);
        }
        return new ProbeQuestion(stepCount, inputs);
    }

    public int stepCount() {
        return stepCount;
    }

    /** The steps as a request has them; not to be changed. */
    public UnsafeBuffer inputs() {
        return inputs;
    }

    private static int word(final ModelInfo model, final int index) {
        final int spread = (index + 1) * SPREAD;
        return model.hasTokens()
                ? Integer.remainderUnsigned(spread, model.vocabularySize())
                : Float.floatToRawIntBits(
                        (spread >>> (Integer.SIZE - FRACTION_BITS)) / (float) (1 << FRACTION_BITS) * 2 - 1);
    }
}
