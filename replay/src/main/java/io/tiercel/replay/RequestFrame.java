package io.tiercel.replay;

import io.tiercel.appliance.generation.GenerateFrame;
import io.tiercel.appliance.routing.AdminFrame;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.protocol.FrameValidator;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.InferFlagsDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import org.agrona.DirectBuffer;

/**
 * A request's frame in the journal, checked before anything else reads it: a record may have the right checksum and
 * still be what no appliance would have written. What is asked for again and again is taken out of it once.
 */
public final class RequestFrame {

    private static final int KNOWN_FLAGS = 1;
    private static final int MAX_STEPS = 65_535;
    private static final int INFER_FEATURES_OFFSET = MessageHeaderDecoder.ENCODED_LENGTH +
            InferDecoder.BLOCK_LENGTH + InferDecoder.featuresHeaderLength();

    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final InferDecoder infer = new InferDecoder();
    private final ResetSessionDecoder reset = new ResetSessionDecoder();
    private final ForkSessionDecoder fork = new ForkSessionDecoder();
    private final GenerateFrame generate = new GenerateFrame();
    private final AdminFrame command = new AdminFrame();
    private final FrameValidator validator = new FrameValidator(Integer.MAX_VALUE, MAX_STEPS);
    private final InferFlagsDecoder flags = new InferFlagsDecoder();
    private DirectBuffer buffer;
    private int offset;
    private int length;
    private RequestKind kind;
    private int featuresLength;
    private long correlationId;
    private long sessionKey;
    private int modelId;
    private long budgetNs;
    private int stepCount;
    private int featureCount;
    private boolean isStream;

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
        kind = RequestKind.of(header.templateId());
        if (kind == null) {
            throw malformed(sequence, "templateId=" + header.templateId() + " is not a request's");
        }
        featuresLength = 0;
        budgetNs = 0;
        stepCount = 0;
        featureCount = 0;
        isStream = false;
        switch (kind) {
            case INFER -> wrapInfer(sequence, length);
            case RESET -> wrapReset(sequence, length);
            case FORK -> wrapFork(sequence, length);
            case ADMINISTER -> wrapAdminister(sequence, length);
            default -> wrapGenerate(sequence, length);
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
        stepCount = infer.stepCount();
        featureCount = infer.featureCount();
        final long expectedLength = (long) stepCount * featureCount * Float.BYTES;
        if (featuresLength != expectedLength || featuresLength != length - INFER_FEATURES_OFFSET) {
            throw malformed(sequence, "featuresLength=" + featuresLength + " stepCount=" + stepCount +
                    " featureCount=" + featureCount + " frameLength=" + length + " contradict each other");
        }
        if (stepCount == 0 || (flags.getRaw() & ~KNOWN_FLAGS) != 0) {
            throw malformed(sequence, "stepCount=" + stepCount + " flags=" + flags.getRaw());
        }
        isStream = flags.stream();
        budgetNs = infer.budgetNs();
        name(infer.correlationId(), infer.modelId(), infer.sessionKey());
    }

    private void wrapReset(final long sequence, final int length) {
        final int expectedLength = MessageHeaderDecoder.ENCODED_LENGTH + ResetSessionDecoder.BLOCK_LENGTH;
        if (header.blockLength() != ResetSessionDecoder.BLOCK_LENGTH || length != expectedLength) {
            throw malformed(sequence, "blockLength=" + header.blockLength() + " frameLength=" + length +
                    " are not a ResetSession's");
        }
        reset.wrap(buffer, offset + MessageHeaderDecoder.ENCODED_LENGTH, header.blockLength(), header.version());
        name(reset.correlationId(), reset.modelId(), reset.sessionKey());
    }

    private void wrapFork(final long sequence, final int length) {
        checkFrame(sequence, length);
        fork.wrap(buffer, offset + MessageHeaderDecoder.ENCODED_LENGTH, header.blockLength(), header.version());
        name(fork.correlationId(), fork.modelId(), fork.sessionKey());
    }

    private void wrapGenerate(final long sequence, final int length) {
        checkFrame(sequence, length);
        generate.wrap(buffer, offset);
        stepCount = generate.tokenCount();
        featureCount = 1;
        featuresLength = stepCount * Integer.BYTES;
        budgetNs = generate.budgetNs();
        name(generate.correlationId(), generate.modelId(), generate.sessionKey());
    }

    private void wrapAdminister(final long sequence, final int length) {
        checkFrame(sequence, length);
        command.wrap(buffer, offset);
        name(command.correlationId(), command.modelId(), 0);
    }

    private void name(final long newCorrelationId, final int newModelId, final long newSessionKey) {
        correlationId = newCorrelationId;
        modelId = newModelId;
        sessionKey = newSessionKey;
    }

    private void checkFrame(final long sequence, final int length) {
        final int code = validator.checkFromClient(buffer, offset, length);
        if (code != FrameValidator.OK) {
            throw malformed(sequence, "the frame would be refused: rejectCode=" + code + " value=" +
                    validator.offendingValue() + " allowed=" + validator.allowedValue());
        }
    }

    public RequestKind kind() {
        return kind;
    }

    public boolean isInfer() {
        return kind == RequestKind.INFER;
    }

    /** As the wire protocol has it. */
    public String templateName() {
        return switch (kind) {
            case INFER -> "Infer";
            case RESET -> "ResetSession";
            case FORK -> "ForkSession";
            case ADMINISTER -> "Administer";
            default -> "Generate";
        };
    }

    public long correlationId() {
        return correlationId;
    }

    /** 0 of a command. */
    public long sessionKey() {
        return sessionKey;
    }

    /** Of a fork: the session that is copied. */
    public long sourceKey() {
        return fork.sourceKey();
    }

    /** Of a generation: which token the request makes, from 0, and how. */
    public GenerateFrame generate() {
        return generate;
    }

    /** Of a command, which is no session's request. */
    public AdminFrame command() {
        return command;
    }

    public int modelId() {
        return modelId;
    }

    /** 0: no budget, such a request never expires. */
    public long budgetNs() {
        return budgetNs;
    }

    public int stepCount() {
        return stepCount;
    }

    /** 1 where a step's input is a token. */
    public int featureCount() {
        return featureCount;
    }

    /** Whether the outcome holds the outputs of all steps. */
    public boolean isStream() {
        return isStream;
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
        return offset + (kind == RequestKind.GENERATE ? Frames.TOKENS_OFFSET : INFER_FEATURES_OFFSET);
    }

    public int featuresLength() {
        return featuresLength;
    }

    private static DamageException malformed(final long sequence, final String detail) {
        return new DamageException(DamageKind.MALFORMED_FRAME, JoinedJournal.REQUESTS, sequence, detail);
    }
}
