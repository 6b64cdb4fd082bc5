package io.tiercel.appliance.infer;

import io.tiercel.appliance.generation.GenerateFrame;
import io.tiercel.appliance.generation.TokenHistory;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.GenerateEncoder;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

/**
 * What is foreseen of one session: either steps of several tokens of which one may be asked next, or a row of steps of
 * tokens that a generation will ask for one after the other. One infer thread's; allocates in its constructor only.
 */
final class ForeseenSession {

    static final int NOBODY = -1;
    static final int NOT_FORESEEN = -1;

    /** Tokens of a text that guesses are looked up in. */
    private static final int HISTORY_TOKENS = 1024;
    private static final int FRAME_LENGTH = Frames.HEADER_LENGTH + GenerateEncoder.BLOCK_LENGTH;

    final int[] tokens;
    final Step[] steps;
    int modelIndex = NOBODY;
    int sessionIndex = NOBODY;
    /** Tokens to be foreseen, and of how many the steps are there. */
    int tokenCount;
    int foreseenCount;
    /** Of the last answer: the higher the later. */
    long stamp;

    /** Of a generation: the frame that its last token came of, without its tokens. */
    private final UnsafeBuffer frame = allocate(FRAME_LENGTH);
    private final GenerateFrame generate = new GenerateFrame();
    /** Of the steps, which know the addresses: it keeps the memory. */
    private final UnsafeBuffer outputs;
    private final TokenHistory history;
    private boolean isGenerating;
    /** Of a row: the first token that has not been asked for. */
    private int nextIndex;

    /** A step that was computed before it was asked for. */
    static final class Step {
        final UnsafeBuffer changed;
        final long outputsAddress;
        long position;
        long hash;
        long durationNs;

        private Step(final long outputsAddress, final int footprintBytes) {
            this.outputsAddress = outputsAddress;
            changed = allocate(footprintBytes);
        }
    }

    /** @param outputsLength of a step, in bytes: those of the steps follow each other. */
    ForeseenSession(final int capacity, final int outputsLength, final int footprintBytes, final boolean hasHistory) {
        tokens = new int[capacity];
        steps = new Step[capacity];
        history = hasHistory ? new TokenHistory(HISTORY_TOKENS) : null;
        outputs = allocate(capacity * outputsLength);
        for (int index = 0; index < capacity; index++) {
            steps[index] = new Step(outputs.addressOffset() + (long) index * outputsLength, footprintBytes);
        }
    }

    /** The place is another session's from here on. */
    void begin(final int ofModelIndex, final int ofSessionIndex) {
        modelIndex = ofModelIndex;
        sessionIndex = ofSessionIndex;
        isGenerating = false;
    }

    void release() {
        sessionIndex = NOBODY;
    }

    boolean isFree() {
        return sessionIndex == NOBODY;
    }

    boolean hasWork() {
        return !isFree() && foreseenCount < tokenCount;
    }

    boolean isGenerating() {
        return isGenerating;
    }

    /** Whether a step is there that has not been asked for. */
    boolean hasForeseen() {
        return foreseenCount > (isGenerating ? nextIndex : 0);
    }

    /** The session may be asked for any of some tokens next; they are still to be put in. */
    void expectOneOf(final int count) {
        isGenerating = false;
        tokenCount = count;
        foreseenCount = 0;
    }

    /** The step of a token that may be asked for, of several. */
    int find(final int token) {
        for (int index = 0; !isGenerating && index < foreseenCount; index++) {
            if (tokens[index] == token) {
                return index;
            }
        }
        return NOT_FORESEEN;
    }

    /** A generation has made a token, by that frame, and will ask for the step of it next. */
    void expectNext(final DirectBuffer madeBy, final int token) {
        frame.putBytes(0, madeBy, 0, FRAME_LENGTH);
        generate.wrap(frame, 0);
        if (!isGenerating || generate.madeTokens() == 0) {
            history.clear();
            for (int index = 0; index < generate.tokenCount(); index++) {
                history.add(madeBy.getInt(Frames.TOKENS_OFFSET + index * Integer.BYTES, LITTLE_ENDIAN));
            }
        }
        history.add(token);
        if (isGenerating && hasForeseen() && tokens[nextIndex] == token) {
            return;
        }
        isGenerating = true;
        tokens[0] = token;
        tokenCount = 1;
        foreseenCount = 0;
        nextIndex = 0;
    }

    /** Puts guesses at what follows behind the one token that is certain; returns how many there are with it. */
    int guess(final int limit) {
        final int left = generate.maxTokens() - generate.madeTokens() - 1;
        return 1 + history.guess(tokens, 1, Math.min(limit, left) - 1);
    }

    /** Whether a frame asks for the token that comes next, to be followed by a token that is chosen in the same way. */
    boolean isContinuedBy(final GenerateFrame next, final int token) {
        return isGenerating && tokens[nextIndex] == token &&
                next.madeTokens() == generate.madeTokens() + 1 &&
                next.seed() == generate.seed() &&
                next.topTokens() == generate.topTokens() &&
                Float.floatToRawIntBits(next.temperature()) == Float.floatToRawIntBits(generate.temperature());
    }

    /** The frame that the last token came of; it has no tokens. */
    GenerateFrame generate() {
        return generate;
    }

    /** The row's next step; it is there. */
    Step next() {
        return steps[nextIndex++];
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                BitUtil.align(Math.max(1, bytes), BitUtil.CACHE_LINE_LENGTH), BitUtil.CACHE_LINE_LENGTH));
    }
}
