package io.tiercel.tools.demo;

import io.tiercel.tools.ToolException;
import io.tiercel.tools.load.OutputSink;
import io.tiercel.tools.market.AnswerScore;
import io.tiercel.tools.market.PlayedTape;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.agrona.DirectBuffer;

/** The answers to a tape's events: only copied while the run is on, and looked at after it. */
final class Answers implements OutputSink {

    private final PlayedTape tape;
    private final int outputCount;
    private final int[] outputs;
    private final boolean[] answered;
    private final long[] sequences;

    Answers(final PlayedTape tape, final int outputCount) {
        this.tape = tape;
        this.outputCount = outputCount;
        this.outputs = new int[Math.multiplyExact(tape.eventCount(), outputCount)];
        this.answered = new boolean[tape.eventCount()];
        this.sequences = new long[tape.eventCount()];
    }

    @Override
    public void onOutputs(
            final long requestIndex,
            final long sequence,
            final DirectBuffer buffer,
            final int offset,
            final int count) {
        if (count != outputCount) {
            throw new IllegalStateException("outputCount=" + count + " but the bundle says " + outputCount);
        }
        final int event = (int) requestIndex;
        answered[event] = true;
        sequences[event] = sequence;
        for (int i = 0; i < outputCount; i++) {
            outputs[event * outputCount + i] = buffer.getInt(offset + i * Integer.BYTES, ByteOrder.LITTLE_ENDIAN);
        }
    }

    /** Forgets everything, after a rehearsal. */
    void reset() {
        Arrays.fill(answered, false);
        Arrays.fill(outputs, 0);
    }

    boolean isAnswered(final int event) {
        return answered[event];
    }

    /** Place in the journal of an answered event's request. */
    long sequence(final int event) {
        return sequences[event];
    }

    /** Writes the labels of the held-out events by sequence, as {@code replay whatif} reads them. */
    void writeLabels(final Path file) {
        final StringBuilder lines = new StringBuilder("sequence,label\n");
        for (int event = 0; event < tape.eventCount(); event++) {
            if (tape.heldOut(event) && answered[event] && tape.label(event) >= 0) {
                lines.append(sequences[event]).append(',').append(tape.label(event)).append('\n');
            }
        }
        try {
            Files.writeString(file, lines);
        } catch (final IOException e) {
            throw ToolException.environment("--labels=" + file + " cannot be written: " + e, e);
        }
    }

    /** Scores the answers to the held-out events. */
    AnswerScore score() {
        final AnswerScore score = tape.newScore(outputCount);
        for (int event = 0; event < tape.eventCount(); event++) {
            if (tape.heldOut(event) && answered[event]) {
                score.add(event, outputs, event * outputCount);
            }
        }
        return score;
    }
}
