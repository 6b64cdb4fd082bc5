package io.tiercel.appliance.generation;

import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.GenerateDecoder;
import org.agrona.DirectBuffer;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

/** A Generate, read where it lies: a client's, or one of the appliance's own that goes on with it. Any thread's own. */
public final class GenerateFrame {

    private final GenerateDecoder generate = new GenerateDecoder();
    private DirectBuffer buffer;
    private int stopsOffset;

    /** @param offset of the frame, which a {@link io.tiercel.protocol.FrameValidator} has found sound. */
    public GenerateFrame wrap(final DirectBuffer newBuffer, final int offset) {
        buffer = newBuffer;
        generate.wrap(newBuffer, offset + Frames.HEADER_LENGTH, GenerateDecoder.BLOCK_LENGTH, Frames.VERSION);
        stopsOffset = offset + Frames.generateLength(generate.tokenCount(), 0);
        return this;
    }

    /** Of this frame: each token of a generation has an id of its own. */
    public long correlationId() {
        return generate.correlationId();
    }

    /** Of the client's frame, and of all that the client is told. */
    public long firstCorrelationId() {
        return generate.correlationId() - generate.madeTokens();
    }

    public long sessionKey() {
        return generate.sessionKey();
    }

    public int modelId() {
        return generate.modelId();
    }

    public long budgetNs() {
        return generate.budgetNs();
    }

    /** Tokens that the session steps through. */
    public int tokenCount() {
        return generate.tokenCount();
    }

    /** Tokens made before: which one this frame makes, from 0. */
    public int madeTokens() {
        return generate.madeTokens();
    }

    public int maxTokens() {
        return generate.maxTokens();
    }

    /** Tokens in the order of the frame that end the generation. */
    public int stopCount() {
        return generate.stopCount();
    }

    public int stopToken(final int index) {
        return buffer.getInt(stopsOffset + index * Integer.BYTES, LITTLE_ENDIAN);
    }

    public float temperature() {
        return generate.temperature();
    }

    public int topTokens() {
        return generate.topTokens();
    }

    public long seed() {
        return generate.seed();
    }

    /** Whether the generation ends with this token, made by this frame. */
    public boolean isLast(final int token) {
        return madeTokens() + 1 >= maxTokens() || isStop(token);
    }

    private boolean isStop(final int token) {
        for (int index = 0, count = stopCount(); index < count; index++) {
            if (stopToken(index) == token) {
                return true;
            }
        }
        return false;
    }
}
