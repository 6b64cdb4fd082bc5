package io.tiercel.appliance.generation;

import io.tiercel.protocol.Frames;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * What ingress and egress share of the generations under way. Egress tells ingress the last token that was made, when
 * its chunk has left: a cell for each generation, written by egress (release) and read by ingress (acquire). Ingress
 * waits for each token before it asks for the next, so a cell is never written twice unseen; and so long nothing
 * changes the frame that asks for it, which egress reads when it is to say again what it said before.
 */
public final class GenerationProgress {

    /** In the place of a token: the generation is over, and its client has been told if it is there. */
    public static final int ENDED = -1;

    private static final int STRIDE = BitUtil.CACHE_LINE_LENGTH;

    private final UnsafeBuffer cells;
    private final UnsafeBuffer[] frames;
    private final int capacity;

    /** @param capacity generations under way at once. */
    public GenerationProgress(final int capacity) {
        this.capacity = capacity;
        cells = new UnsafeBuffer(BufferUtil.allocateDirectAligned(Math.max(1, capacity) * STRIDE, STRIDE));
        frames = new UnsafeBuffer[capacity];
        for (int index = 0; index < capacity; index++) {
            frames[index] = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                    Frames.generateLength(1, Frames.MAX_STOP_TOKENS), STRIDE));
        }
    }

    public int capacity() {
        return capacity;
    }

    /** What asks for the generation's next token: ingress's to write while egress has nothing to say about it. */
    public UnsafeBuffer frame(final int index) {
        return frames[index];
    }

    /** Ingress, while egress knows nothing of the generation: no token has been made. */
    public void begin(final int index) {
        cells.putLong(index * STRIDE, 0);
    }

    /**
     * Egress: the last word on a request of the generation.
     *
     * @param madeCount tokens made, this one included.
     * @param token     or {@link #ENDED}.
     */
    public void made(final int index, final int madeCount, final int token) {
        cells.putLongRelease(index * STRIDE, (long) madeCount << Integer.SIZE | token & 0xFFFF_FFFFL);
    }

    /** Ingress: whether the word on the request that makes so many tokens is there. */
    public boolean isMade(final int index, final int madeCount) {
        return cells.getLongAcquire(index * STRIDE) >>> Integer.SIZE == madeCount;
    }

    /** Ingress, after {@link #isMade}. */
    public int token(final int index) {
        return (int) cells.getLong(index * STRIDE);
    }
}
