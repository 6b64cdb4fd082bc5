package io.tiercel.replay;

import io.tiercel.protocol.journal.Arithmetic;
import io.tiercel.protocol.journal.MessageHeaderDecoder;
import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.protocol.journal.OutcomeFlagsDecoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import org.agrona.DirectBuffer;

/** An outcome's frame in the journal, checked before anything else reads it. */
public final class OutcomeFrame {

    private static final int OUTPUTS_OFFSET = MessageHeaderDecoder.ENCODED_LENGTH +
            OutcomeDecoder.BLOCK_LENGTH + OutcomeDecoder.outputsHeaderLength();

    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final OutcomeDecoder outcome = new OutcomeDecoder();
    private DirectBuffer buffer;
    private int offset;
    private int outputsLength;
    private OutcomeStatus status;
    private Arithmetic arithmetic;
    private short flags;

    /**
     * Looks at a frame.
     *
     * @throws DamageException of kind {@link DamageKind#UNKNOWN_SCHEMA} or {@link DamageKind#MALFORMED_FRAME}.
     */
    public void wrap(final long sequence, final DirectBuffer newBuffer, final int newOffset, final int length) {
        if (length < MessageHeaderDecoder.ENCODED_LENGTH) {
            throw malformed(sequence, "frameLength=" + length + " is shorter than a header");
        }
        buffer = newBuffer;
        offset = newOffset;
        header.wrap(newBuffer, newOffset);
        checkSchema(sequence);
        if (header.blockLength() != OutcomeDecoder.BLOCK_LENGTH || length < OUTPUTS_OFFSET) {
            throw malformed(sequence, "blockLength=" + header.blockLength() + " frameLength=" + length +
                    " are not an Outcome's");
        }
        outcome.wrap(
                newBuffer, newOffset + MessageHeaderDecoder.ENCODED_LENGTH, header.blockLength(), header.version());
        outputsLength = outcome.outputsLength();
        if (outputsLength != length - OUTPUTS_OFFSET || outputsLength % Float.BYTES != 0) {
            throw malformed(sequence, "outputsLength=" + outputsLength + " frameLength=" + length);
        }
        status = decodeStatus(sequence, outcome.statusRaw());
        if (outcome.arithmeticRaw() > Arithmetic.TOLERANCE.value()) {
            throw malformed(sequence, "arithmetic=" + outcome.arithmeticRaw() + " is unknown");
        }
        arithmetic = outcome.arithmetic();
        flags = (short) outcome.flags().getRaw();
    }

    private void checkSchema(final long sequence) {
        if (header.schemaId() != OutcomeDecoder.SCHEMA_ID || header.version() < 1 ||
                header.version() > OutcomeDecoder.SCHEMA_VERSION) {
            throw new DamageException(DamageKind.UNKNOWN_SCHEMA, JoinedJournal.OUTCOMES, sequence,
                    "schemaId=" + header.schemaId() + " version=" + header.version() + ", known are schemaId=" +
                            OutcomeDecoder.SCHEMA_ID + " version=1 to " + OutcomeDecoder.SCHEMA_VERSION);
        }
        if (header.templateId() != OutcomeDecoder.TEMPLATE_ID) {
            throw malformed(sequence, "templateId=" + header.templateId() + " is not an Outcome's");
        }
    }

    private static OutcomeStatus decodeStatus(final long sequence, final int raw) {
        switch (raw) {
            case 0:
                return OutcomeStatus.OK;
            case 1:
                return OutcomeStatus.EXPIRED;
            case 2:
                return OutcomeStatus.RESET;
            case 3:
                return OutcomeStatus.CONTEXT_FULL;
            case 4:
                return OutcomeStatus.FORKED;
            case 6:
                return OutcomeStatus.APPLIED;
            default:
                throw malformed(sequence, "status=" + raw + " is unknown");
        }
    }

    public OutcomeStatus status() {
        return status;
    }

    public Arithmetic arithmetic() {
        return arithmetic;
    }

    /** Whether the session was not in the appliance's memory and began with this request, whatever came before. */
    public boolean hasSessionBegun() {
        return OutcomeFlagsDecoder.sessionBegan(flags);
    }

    /** Whether the session unused for longest was forgotten for it. */
    public boolean hasSessionEvicted() {
        return OutcomeFlagsDecoder.sessionEvicted(flags);
    }

    /** Whether the session was with a version that was drained, and begins anew with this one. */
    public boolean hasSessionMoved() {
        return OutcomeFlagsDecoder.sessionMoved(flags);
    }

    /** Whether the device of the model's backend had been lost, so that another computed it. Changes no bit. */
    public boolean isComputedByStandby() {
        return OutcomeFlagsDecoder.computedByStandby(flags);
    }

    public long correlationId() {
        return outcome.correlationId();
    }

    public long sessionKey() {
        return outcome.sessionKey();
    }

    public long stateHash() {
        return outcome.stateHash();
    }

    public int modelId() {
        return outcome.modelId();
    }

    public int batchSize() {
        return outcome.batchSize();
    }

    public int stepCount() {
        return outcome.stepCount();
    }

    public int outputCount() {
        return outcome.outputCount();
    }

    public long journaledNs() {
        return outcome.journaledNs();
    }

    public long inferStartNs() {
        return outcome.inferStartNs();
    }

    public long inferEndNs() {
        return outcome.inferEndNs();
    }

    public long egressNs() {
        return outcome.egressNs();
    }

    public DirectBuffer buffer() {
        return buffer;
    }

    public int outputsOffset() {
        return offset + OUTPUTS_OFFSET;
    }

    public int outputsLength() {
        return outputsLength;
    }

    private static DamageException malformed(final long sequence, final String detail) {
        return new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.OUTCOMES, sequence, detail);
    }
}
