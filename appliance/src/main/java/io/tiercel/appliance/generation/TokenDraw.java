package io.tiercel.appliance.generation;

import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.exact.TokenSampler;
import io.tiercel.protocol.Frames;
import org.agrona.DirectBuffer;
import org.agrona.UnsafeApi;

/**
 * Makes the token that a Generate asks for out of what its last step came to. A function of the frame and the logits:
 * the draw's seed is the frame's, its counter the number of tokens made before. One thread; allocates in the
 * constructor only.
 */
public final class TokenDraw {

    /** Bytes of what is made: the token, and its probability among all tokens, whatever it was drawn from. */
    public static final int OUTPUTS_LENGTH = Frames.MADE_OUTPUT_COUNT * Float.BYTES;

    private static final long FLOATS = UnsafeApi.arrayBaseOffset(float[].class);

    private final TokenExecutor executor;
    private final TokenSampler sampler;
    private final float[] logits;
    private final GenerateFrame generate = new GenerateFrame();

    /** @param executor of a model that names next tokens. */
    public TokenDraw(final TokenExecutor executor) {
        this.executor = executor;
        sampler = new TokenSampler(executor.vocabularySize());
        logits = new float[executor.vocabularySize()];
    }

    /**
     * Puts the token and its probability where the step's outputs begin: there the likeliest one stands already.
     *
     * @param frame    a Generate, from 0.
     * @param position of the batch that was the executor's last step.
     */
    public void draw(final DirectBuffer frame, final int position, final long outputsAddress) {
        generate.wrap(frame, 0);
        draw(generate, generate.madeTokens(), position, outputsAddress);
    }

    /**
     * The same of any token of a generation.
     *
     * @param how        a frame of the generation.
     * @param madeTokens tokens made before.
     * @param position   of the executor's last batch, or tentative row.
     */
    public void draw(final GenerateFrame how, final int madeTokens, final int position, final long outputsAddress) {
        final float temperature = how.temperature();
        if (temperature == 0) {
            return;
        }
        UnsafeApi.copyMemory(null, executor.logitsAddress(position), logits, FLOATS,
                (long) logits.length * Float.BYTES);
        final int token = sampler.draw(logits, temperature, how.topTokens(), how.seed(), madeTokens);
        UnsafeApi.putInt(outputsAddress, token);
        UnsafeApi.putFloat(outputsAddress + Integer.BYTES, sampler.probability(logits, token));
    }
}
