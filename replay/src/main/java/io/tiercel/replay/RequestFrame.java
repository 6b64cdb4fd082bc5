package io.tiercel.replay;

import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.InferFlagsDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import org.agrona.DirectBuffer;

/**
 * A request's frame in the journal, checked before anything else reads it: a record may have the right checksum and
 * still be what no appliance would have written.
 */
public final class RequestFrame {

    private static final int KNOWN_FLAGS = 1;
    private static final int INFER_FEATURES_OFFSET = MessageHeaderDecoder.ENCODED_LENGTH +
            InferDecoder.BLOCK_LENGTH + InferDecoder.featuresHeaderLength();

    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final InferDecoder infer = new InferDecoder();
    private final ResetSessionDecoder reset = new ResetSessionDecoder();
    private final InferFlagsDecoder flags = new InferFlagsDecoder();
    private DirectBuffer buffer;
    private int offset;
    private int length;
    private boolean isInfer;
    private int featuresLength;

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
        this.length = length;
        header.wrap(newBuffer, newOffset);
        checkSchema(sequence);
        isInfer = header.templateId() == InferDecoder.TEMPLATE_ID;
        if (isInfer) {
            wrapInfer(sequence, length);
        } else if (header.templateId() == ResetSessionDecoder.TEMPLATE_ID) {
            wrapReset(sequence, length);
        } else {
            throw malformed(sequence, "templateId=" + header.templateId() + " is not a request's");
        }
    }

    private void checkSchema(final long sequence) {
        if (header.schemaId() != InferDecoder.SCHEMA_ID || header.version() < 1 ||
                header.version() > InferDecoder.SCHEMA_VERSION) {
            throw new DamageException(DamageKind.UNKNOWN_SCHEMA, JoinedJournal.REQUESTS, sequence,
                    "schemaId=" + header.schemaId() + " version=" + header.version() + ", known are schemaId=" +
                            InferDecoder.SCHEMA_ID + " version=1 to " + InferDecoder.SCHEMA_VERSION);
        }
    }

    private void wrapInfer(final long sequence, final int length) {
        if (header.blockLength() != InferDecoder.BLOCK_LENGTH || length < INFER_FEATURES_OFFSET) {
            throw malformed(sequence, "blockLength=" + header.blockLength() + " frameLength=" + length +
                    " are not an Infer's");
        }
        infer.wrap(buffer, offset + MessageHeaderDecoder.ENCODED_LENGTH, header.blockLength(), header.version());
        flags.wrap(buffer, infer.offset() + InferDecoder.flagsEncodingOffset());
        featuresLength = infer.featuresLength();
        final long expectedLength = (long) infer.stepCount() * infer.featureCount() * Float.BYTES;
        if (featuresLength != expectedLength || featuresLength != length - INFER_FEATURES_OFFSET) {
            throw malformed(sequence, "featuresLength=" + featuresLength + " stepCount=" + infer.stepCount() +
                    " featureCount=" + infer.featureCount() + " frameLength=" + length + " contradict each other");
        }
        if (infer.stepCount() == 0 || (flags.getRaw() & ~KNOWN_FLAGS) != 0) {
            throw malformed(sequence, "stepCount=" + infer.stepCount() + " flags=" + flags.getRaw());
        }
    }

    private void wrapReset(final long sequence, final int length) {
        final int expectedLength = MessageHeaderDecoder.ENCODED_LENGTH + ResetSessionDecoder.BLOCK_LENGTH;
        if (header.blockLength() != ResetSessionDecoder.BLOCK_LENGTH || length != expectedLength) {
            throw malformed(sequence, "blockLength=" + header.blockLength() + " frameLength=" + length +
                    " are not a ResetSession's");
        }
        reset.wrap(buffer, offset + MessageHeaderDecoder.ENCODED_LENGTH, header.blockLength(), header.version());
        featuresLength = 0;
    }

    /** True: Infer. False: ResetSession. */
    public boolean isInfer() {
        return isInfer;
    }

    public String templateName() {
        return isInfer ? "Infer" : "ResetSession";
    }

    public long correlationId() {
        return isInfer ? infer.correlationId() : reset.correlationId();
    }

    public long sessionKey() {
        return isInfer ? infer.sessionKey() : reset.sessionKey();
    }

    public int modelId() {
        return isInfer ? infer.modelId() : reset.modelId();
    }

    /** 0: no budget, such a request never expires. */
    public long budgetNs() {
        return isInfer ? infer.budgetNs() : 0;
    }

    public int stepCount() {
        return isInfer ? infer.stepCount() : 0;
    }

    public int featureCount() {
        return isInfer ? infer.featureCount() : 0;
    }

    /** Whether the outcome holds the outputs of all steps. */
    public boolean isStream() {
        return isInfer && flags.stream();
    }

    public DirectBuffer buffer() {
        return buffer;
    }

    /** Of the whole frame. */
    public int offset() {
        return offset;
    }

    /** Of the whole frame, in bytes. */
    public int length() {
        return length;
    }

    public int featuresOffset() {
        return offset + INFER_FEATURES_OFFSET;
    }

    public int featuresLength() {
        return featuresLength;
    }

    private static DamageException malformed(final long sequence, final String detail) {
        return new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.REQUESTS, sequence, detail);
    }
}
