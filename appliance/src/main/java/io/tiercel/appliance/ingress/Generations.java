package io.tiercel.appliance.ingress;

import io.tiercel.appliance.generation.GenerateFrame;
import io.tiercel.appliance.generation.GenerationProgress;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.GenerateEncoder;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

/**
 * The generations under way: for each, the frame that asks for its next token. Ingress's alone, but for what egress
 * tells it through {@link GenerationProgress}. Allocates in its constructor only.
 */
final class Generations {

    private static final int BLOCK_END = Frames.HEADER_LENGTH + GenerateEncoder.BLOCK_LENGTH;

    private final GenerationProgress progress;
    /** Those under way come first. */
    private final Generation[] generations;
    private int count;

    /** One of them. */
    static final class Generation {
        /** Its cell of the progress, for good. */
        final int index;
        /** What asks for the next token, once {@link #putToken} has put the last one in. */
        final UnsafeBuffer frame;
        final GenerateFrame generate = new GenerateFrame();
        private final GenerateEncoder encoder = new GenerateEncoder();
        ClientConnection client;
        int clientGeneration;
        int frameLength;
        long firstCorrelationId;
        int madeCount;
        /** Of the last token's request. */
        long lastSequence;
        boolean isCancelled;
        /** The last token has come, and the next one has not been asked for. */
        boolean isDue;

        private Generation(final int index, final UnsafeBuffer frame) {
            this.index = index;
            this.frame = frame;
        }

        boolean hasClient() {
            return client.state == ClientConnection.State.OPEN && client.generation == clientGeneration;
        }

        /** Under which the next token is asked for. */
        long nextCorrelationId() {
            return firstCorrelationId + madeCount;
        }

        private void begin(final ClientConnection ofClient, final DirectBuffer first, final int offset) {
            client = ofClient;
            clientGeneration = ofClient.generation;
            generate.wrap(first, offset);
            firstCorrelationId = generate.firstCorrelationId();
            madeCount = 0;
            isCancelled = false;
            isDue = false;
            final int stopCount = generate.stopCount();
            frameLength = Frames.generateLength(1, stopCount);
            frame.putBytes(0, first, offset, BLOCK_END);
            frame.putInt(BLOCK_END, Integer.BYTES, LITTLE_ENDIAN);
            final int stopsLengthOffset = Frames.TOKENS_OFFSET + Integer.BYTES;
            frame.putInt(stopsLengthOffset, stopCount * Integer.BYTES, LITTLE_ENDIAN);
            for (int stop = 0; stop < stopCount; stop++) {
                frame.putInt(stopsLengthOffset + Frames.DATA_LENGTH_BYTES + stop * Integer.BYTES,
                        generate.stopToken(stop), LITTLE_ENDIAN);
            }
            encoder.wrap(frame, Frames.HEADER_LENGTH).tokenCount(1).budgetNs(0);
            generate.wrap(frame, 0);
        }

        private void putToken(final int token) {
            madeCount++;
            encoder.wrap(frame, Frames.HEADER_LENGTH).correlationId(nextCorrelationId()).madeTokens(madeCount);
            frame.putInt(Frames.TOKENS_OFFSET, token, LITTLE_ENDIAN);
            isDue = true;
        }
    }

    Generations(final GenerationProgress progress) {
        this.progress = progress;
        generations = new Generation[progress.capacity()];
        for (int index = 0; index < generations.length; index++) {
            generations[index] = new Generation(index, progress.frame(index));
        }
    }

    int count() {
        return count;
    }

    int capacity() {
        return generations.length;
    }

    boolean isFull() {
        return count == generations.length;
    }

    /** One of the first {@link #count}; the order is any. */
    Generation get(final int place) {
        return generations[place];
    }

    /**
     * A generation begins with a client's frame; there must be room.
     *
     * @param first a Generate that makes token 0.
     */
    Generation begin(final ClientConnection client, final DirectBuffer first, final int offset) {
        final Generation generation = generations[count++];
        generation.begin(client, first, offset);
        progress.begin(generation.index);
        return generation;
    }

    /** Ends the one at that place; the last one takes its place. Egress must have nothing left to say about it. */
    void end(final int place) {
        final Generation ended = generations[place];
        generations[place] = generations[--count];
        generations[count] = ended;
        ended.client = null;
    }

    /** Takes note of the token that egress has sent, if it is there. @return false if the generation is over. */
    boolean follow(final Generation generation) {
        if (generation.isDue || !progress.isMade(generation.index, generation.madeCount + 1)) {
            return true;
        }
        final int token = progress.token(generation.index);
        if (token == GenerationProgress.ENDED) {
            return false;
        }
        generation.putToken(token);
        return true;
    }

    /** The client's generation with that id, or null if there is none under way. */
    Generation find(final ClientConnection client, final long firstCorrelationId) {
        for (int place = 0; place < count; place++) {
            final Generation generation = generations[place];
            if (generation.client == client && generation.clientGeneration == client.generation &&
                    generation.firstCorrelationId == firstCorrelationId) {
                return generation;
            }
        }
        return null;
    }
}
