package io.tiercel.appliance.egress;

import io.tiercel.appliance.generation.GenerateFrame;
import io.tiercel.appliance.generation.GenerationProgress;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.session.AnswerSlot;
import io.tiercel.appliance.session.ClientConnection;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.DirectBuffer;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

/**
 * Says the tokens of generations, and tells ingress of each, so that it asks for the next. Whatever becomes of a
 * request that is a part of a generation, ingress hears one word of it from here: it waits for that. Egress thread
 * only; allocates nothing.
 */
public final class MadeTokens {

    private final ResponseWriter writer;
    private final GenerationProgress progress;
    private final GenerateFrame generate = new GenerateFrame();

    public MadeTokens(final ResponseWriter writer, final GenerationProgress progress) {
        this.writer = writer;
        this.progress = progress;
    }

    /** What a request came to, to its client. */
    int send(final ClientConnection client, final RequestSlot slot, final long sequence) {
        generate.wrap(slot.frame, 0);
        return said(slot.generationIndex, slot.status, slot.outputs,
                isLast(slot.status, slot.outputs)
                        ? writer.result(client, generate.firstCorrelationId(), slot, sequence)
                        : writer.chunk(client, generate.firstCorrelationId(), slot.sessionKey, sequence,
                                generate.madeTokens(), slot.modelId, slot.begins, slot.outputCount, slot.outputs,
                                0));
    }

    /** What a request came to when it was first made, once more. */
    int sendAgain(final ClientConnection client, final int generationIndex, final AnswerSlot kept) {
        generate.wrap(progress.frame(generationIndex), 0);
        final ResultStatus status = kept.status();
        final DirectBuffer outputs = kept.outputs();
        return said(generationIndex, status, outputs,
                isLast(status, outputs)
                        ? writer.result(client, generate.firstCorrelationId(), kept)
                        : writer.chunk(client, generate.firstCorrelationId(), kept.sessionKey(), kept.sequence(),
                                generate.madeTokens(), kept.modelId(), kept.hasSessionBegun(), kept.outputCount(),
                                outputs, 0));
    }

    /** Correlation id of the client's own frame: of a repeat that is refused. */
    long firstCorrelationId(final int generationIndex) {
        return generate.wrap(progress.frame(generationIndex), 0).firstCorrelationId();
    }

    /** A request of the generation was refused, or has nobody to hear of it. */
    void end(final int generationIndex) {
        if (generationIndex != RequestSlot.NO_GENERATION) {
            generate.wrap(progress.frame(generationIndex), 0);
            progress.made(generationIndex, generate.madeTokens() + 1, GenerationProgress.ENDED);
        }
    }

    private boolean isLast(final ResultStatus status, final DirectBuffer outputs) {
        return status != ResultStatus.OK || generate.isLast(outputs.getInt(0, LITTLE_ENDIAN));
    }

    private int said(
            final int generationIndex, final ResultStatus status, final DirectBuffer outputs, final int result) {
        final boolean goesOn = result == ResponseWriter.SENT && !isLast(status, outputs);
        progress.made(generationIndex, generate.madeTokens() + 1,
                goesOn ? outputs.getInt(0, LITTLE_ENDIAN) : GenerationProgress.ENDED);
        return result;
    }
}
