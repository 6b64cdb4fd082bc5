package io.tiercel.protocol;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.AdministerDecoder;
import io.tiercel.protocol.wire.AnswerFlagsDecoder;
import io.tiercel.protocol.wire.ApplianceProofDecoder;
import io.tiercel.protocol.wire.CancelGenerationDecoder;
import io.tiercel.protocol.wire.ChallengeDecoder;
import io.tiercel.protocol.wire.ChunkDecoder;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.HeartbeatDecoder;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.ProofDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.protocol.wire.VersionsDecoder;
import io.tiercel.protocol.wire.WelcomeDecoder;
import org.agrona.DirectBuffer;

/**
 * Decides whether a frame may be believed, before anything else reads it. Both ends use it: the appliance for what
 * clients send, the client for what the appliance sends.
 *
 * <p>After {@link #OK} every field and every byte of variable data that the codecs of the frame's template reach lies
 * inside the frame, nothing is left over, features are finite and their count is what the frame says. Whether the
 * model exists, takes that many features, or takes tokens and has these, and whether there is room, only the appliance
 * knows; that is not asked here. The tokens of any vocabulary are finite as floats.
 *
 * <p>Single-threaded; allocates nothing; reads no byte outside {@code [offset, offset + length)}. After a refusal
 * {@link #offendingValue}, {@link #allowedValue}, {@link #templateId} and {@link #correlationId} hold what a Reject
 * says; {@link RejectDetail} puts it in words.
 */
public final class FrameValidator {

    /** The frame is sound. Every other return value is the value of a {@link RejectCode}. */
    public static final int OK = 0;

    /** Bits of InferFlags that this version defines. */
    public static final int KNOWN_FLAGS = 1;

    /** Bits of an answer's flags that are defined. */
    public static final int KNOWN_ANSWER_FLAGS = 1;

    private static final int MALFORMED_FRAME = RejectCode.MALFORMED_FRAME.value();
    private static final int UNKNOWN_SCHEMA = RejectCode.UNKNOWN_SCHEMA.value();
    private static final int UNSUPPORTED_VERSION = RejectCode.UNSUPPORTED_VERSION.value();
    private static final int UNKNOWN_TEMPLATE = RejectCode.UNKNOWN_TEMPLATE.value();
    private static final int LENGTH_MISMATCH = RejectCode.LENGTH_MISMATCH.value();
    private static final int FRAME_TOO_LONG = RejectCode.FRAME_TOO_LONG.value();
    private static final int NON_FINITE_FEATURE = RejectCode.NON_FINITE_FEATURE.value();
    private static final int FEATURE_COUNT_MISMATCH = RejectCode.FEATURE_COUNT_MISMATCH.value();
    private static final int STEP_COUNT_OUT_OF_RANGE = RejectCode.STEP_COUNT_OUT_OF_RANGE.value();
    private static final int BAD_HELLO = RejectCode.BAD_HELLO.value();
    private static final int UNKNOWN_FLAGS = RejectCode.UNKNOWN_FLAGS.value();
    private static final int GENERATION_OUT_OF_RANGE = RejectCode.GENERATION_OUT_OF_RANGE.value();

    /** binary32 exponent of two neighbours: all ones is NaN or infinity. */
    private static final long EXPONENTS = 0x7F80_0000_7F80_0000L;
    /** Added to {@link #EXPONENTS} bits, carries into the sign bit of a half only if its exponent is all ones. */
    private static final long EXPONENT_UNITS = 0x0080_0000_0080_0000L;
    private static final long SIGNS = 0x8000_0000_8000_0000L;

    private final int maxFrameLength;
    private final int maxSteps;
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final InferDecoder infer = new InferDecoder();
    private final GenerateDecoder generate = new GenerateDecoder();
    private final ResultDecoder result = new ResultDecoder();
    private final ChunkDecoder chunk = new ChunkDecoder();

    private long offendingValue;
    private long allowedValue;
    private long correlationId;
    private int templateId;

    /**
     * @param maxFrameLength of the welcome; longer frames are refused.
     * @param maxSteps       of the welcome.
     */
    public FrameValidator(final int maxFrameLength, final int maxSteps) {
        this.maxFrameLength = maxFrameLength;
        this.maxSteps = maxSteps;
    }

    /** Judges a frame that a client sent. Returns {@link #OK} or the value of a {@link RejectCode}. */
    public int checkFromClient(final DirectBuffer buffer, final int offset, final int length) {
        final int code = checkHeader(buffer, offset, length);
        if (code != OK) {
            return code;
        }
        switch (templateId) {
            case InferDecoder.TEMPLATE_ID:
                return checkInfer(buffer, offset, length);
            case ResetSessionDecoder.TEMPLATE_ID:
                return checkFixed(length, ResetSessionDecoder.BLOCK_LENGTH);
            case HeartbeatDecoder.TEMPLATE_ID:
                return checkFixed(length, HeartbeatDecoder.BLOCK_LENGTH);
            case GoodbyeDecoder.TEMPLATE_ID:
                return checkFixed(length, GoodbyeDecoder.BLOCK_LENGTH);
            case HelloDecoder.TEMPLATE_ID:
                return checkHello(buffer, offset, length);
            default:
                return header.version() < Frames.GENERATIONS_SINCE_VERSION
                        ? refuse(UNKNOWN_TEMPLATE, templateId, 0)
                        : checkSinceGenerations(buffer, offset, length);
        }
    }

    private int checkSinceGenerations(final DirectBuffer buffer, final int offset, final int length) {
        switch (templateId) {
            case ForkSessionDecoder.TEMPLATE_ID:
                return checkFixed(length, ForkSessionDecoder.BLOCK_LENGTH);
            case GenerateDecoder.TEMPLATE_ID:
                return checkGenerate(buffer, offset, length);
            case CancelGenerationDecoder.TEMPLATE_ID:
                return checkFixed(length, CancelGenerationDecoder.BLOCK_LENGTH);
            case ProofDecoder.TEMPLATE_ID:
                return checkFixedOfAccess(length, ProofDecoder.BLOCK_LENGTH);
            case AdministerDecoder.TEMPLATE_ID:
                return checkAdminister(buffer, offset, length);
            default:
                return refuse(UNKNOWN_TEMPLATE, templateId, 0);
        }
    }

    private int checkFixedOfAccess(final int length, final int blockLength) {
        return header.version() < Frames.ACCESS_SINCE_VERSION
                ? refuse(UNKNOWN_TEMPLATE, templateId, 0)
                : checkFixed(length, blockLength);
    }

    /**
     * Judges a frame that an appliance sent. Returns {@link #OK} or the value of a {@link RejectCode}, which a client
     * does not send but can report.
     */
    public int checkFromAppliance(final DirectBuffer buffer, final int offset, final int length) {
        final int code = checkHeader(buffer, offset, length);
        if (code != OK) {
            return code;
        }
        switch (templateId) {
            case ResultDecoder.TEMPLATE_ID:
                return checkResult(buffer, offset, length);
            case ChunkDecoder.TEMPLATE_ID:
                return checkChunk(buffer, offset, length);
            case HeartbeatDecoder.TEMPLATE_ID:
                return checkFixed(length, HeartbeatDecoder.BLOCK_LENGTH);
            case RejectDecoder.TEMPLATE_ID:
                return checkReject(buffer, offset, length);
            case GoodbyeDecoder.TEMPLATE_ID:
                return checkFixed(length, GoodbyeDecoder.BLOCK_LENGTH);
            case WelcomeDecoder.TEMPLATE_ID:
                return checkWelcome(buffer, offset, length);
            case ChallengeDecoder.TEMPLATE_ID:
                return checkFixedOfAccess(length, ChallengeDecoder.BLOCK_LENGTH);
            case ApplianceProofDecoder.TEMPLATE_ID:
                return checkFixedOfAccess(length, ApplianceProofDecoder.BLOCK_LENGTH);
            case VersionsDecoder.TEMPLATE_ID:
                return checkVersions(buffer, offset, length);
            default:
                return refuse(UNKNOWN_TEMPLATE, templateId, 0);
        }
    }

    /**
     * After a refusal of the frame: whether it is a Hello of a version that is not known yet, of which as much can be
     * read as this version has, so that it can be told so. Later versions only append.
     */
    public boolean isHelloOfLaterVersion(final DirectBuffer buffer, final int offset, final int length) {
        if (length < Frames.HEADER_LENGTH || length > maxLength() || templateId != HelloDecoder.TEMPLATE_ID) {
            return false;
        }
        header.wrap(buffer, offset);
        if (header.schemaId() != Frames.SCHEMA_ID || header.version() <= Frames.VERSION ||
                header.blockLength() < HelloDecoder.BLOCK_LENGTH) {
            return false;
        }
        return checkHelloTexts(buffer, offset, length, header.blockLength(), true) == OK;
    }

    /** After a refusal: what was wrong, as a number. */
    public long offendingValue() {
        return offendingValue;
    }

    /** After a refusal: what would have been right, or 0. */
    public long allowedValue() {
        return allowedValue;
    }

    /** The frame's templateId, or 0 if the frame is too short to have one. */
    public int templateId() {
        return templateId;
    }

    /** The frame's correlationId if its template has one and so much could be read, or 0. */
    public long correlationId() {
        return correlationId;
    }

    private int checkHeader(final DirectBuffer buffer, final int offset, final int length) {
        templateId = 0;
        correlationId = 0;
        if (length < Frames.HEADER_LENGTH) {
            return refuse(MALFORMED_FRAME, length, Frames.HEADER_LENGTH);
        }
        header.wrap(buffer, offset);
        templateId = header.templateId();
        if (header.schemaId() != Frames.SCHEMA_ID) {
            return refuse(UNKNOWN_SCHEMA, header.schemaId(), Frames.SCHEMA_ID);
        }
        readCorrelationId(buffer, offset, length);
        if (length > maxLength()) {
            return refuse(FRAME_TOO_LONG, length, maxLength());
        }
        final int version = header.version();
        if (version < 1 || version > Frames.VERSION) {
            return refuse(UNSUPPORTED_VERSION, version, Frames.VERSION);
        }
        return OK;
    }

    /** The limit is one of requests: a Hello and a Proof have their own lengths. */
    private int maxLength() {
        final boolean isOfAccess = templateId == HelloDecoder.TEMPLATE_ID || templateId == ProofDecoder.TEMPLATE_ID;
        return isOfAccess ? Math.max(maxFrameLength, Frames.MAX_HELLO_LENGTH) : maxFrameLength;
    }

    private void readCorrelationId(final DirectBuffer buffer, final int offset, final int length) {
        if ((Frames.isRequest(templateId) || templateId == CancelGenerationDecoder.TEMPLATE_ID) &&
                length >= Frames.HEADER_LENGTH + Long.BYTES) {
            correlationId = buffer.getLong(
                    offset + Frames.HEADER_LENGTH + InferDecoder.correlationIdEncodingOffset(), LITTLE_ENDIAN);
        }
    }

    private int checkInfer(final DirectBuffer buffer, final int offset, final int length) {
        final int code = checkBlock(length, InferDecoder.BLOCK_LENGTH, Frames.FEATURES_OFFSET);
        if (code != OK) {
            return code;
        }
        infer.wrap(buffer, offset + Frames.HEADER_LENGTH, InferDecoder.BLOCK_LENGTH, header.version());
        final int featuresLength = infer.featuresLength();
        if (featuresLength != length - Frames.FEATURES_OFFSET) {
            return refuse(LENGTH_MISMATCH, featuresLength & 0xFFFF_FFFFL, length - Frames.FEATURES_OFFSET);
        }
        final int flags = buffer.getShort(infer.offset() + InferDecoder.flagsEncodingOffset(), LITTLE_ENDIAN) & 0xFFFF;
        if ((flags & ~KNOWN_FLAGS) != 0) {
            return refuse(UNKNOWN_FLAGS, flags, KNOWN_FLAGS);
        }
        final int stepCount = infer.stepCount();
        if (stepCount == 0 || stepCount > maxSteps) {
            return refuse(STEP_COUNT_OUT_OF_RANGE, stepCount, maxSteps);
        }
        final long floatCount = (long) stepCount * infer.featureCount();
        if (floatCount * Float.BYTES != featuresLength) {
            return refuse(FEATURE_COUNT_MISMATCH, featuresLength / Float.BYTES, floatCount);
        }
        return checkFinite(buffer, offset + Frames.FEATURES_OFFSET, (int) floatCount);
    }

    private int checkGenerate(final DirectBuffer buffer, final int offset, final int length) {
        final int code = checkBlock(length, GenerateDecoder.BLOCK_LENGTH, Frames.generateLength(0, 0));
        if (code != OK) {
            return code;
        }
        generate.wrap(buffer, offset + Frames.HEADER_LENGTH, GenerateDecoder.BLOCK_LENGTH, header.version());
        final int tokenCount = generate.tokenCount();
        final int stopCount = generate.stopCount();
        final int tokensEnd = endOfData(buffer, offset, length, Frames.TOKENS_OFFSET - Frames.DATA_LENGTH_BYTES);
        final int end = tokensEnd < 0 ? tokensEnd : endOfData(buffer, offset, length, tokensEnd);
        final int expectedLength = Frames.generateLength(tokenCount, stopCount);
        if (end != length || length != expectedLength || tokensEnd != Frames.generateLength(tokenCount, 0) -
                Frames.DATA_LENGTH_BYTES) {
            return refuse(LENGTH_MISMATCH, length, expectedLength);
        }
        if (tokenCount == 0 || tokenCount > maxSteps) {
            return refuse(STEP_COUNT_OUT_OF_RANGE, tokenCount, maxSteps);
        }
        return checkGeneration(generate.maxTokens(), generate.madeTokens(), stopCount, generate.temperature());
    }

    private int checkGeneration(
            final int maxTokens, final int madeTokens, final int stopCount, final float temperature) {
        if (maxTokens == 0) {
            return refuse(GENERATION_OUT_OF_RANGE, maxTokens, GenerateDecoder.maxTokensMaxValue());
        }
        if (madeTokens >= maxTokens) {
            return refuse(GENERATION_OUT_OF_RANGE, madeTokens, maxTokens - 1L);
        }
        if (stopCount > Frames.MAX_STOP_TOKENS) {
            return refuse(GENERATION_OUT_OF_RANGE, stopCount, Frames.MAX_STOP_TOKENS);
        }
        return Frames.isTemperature(temperature)
                ? OK
                : refuse(GENERATION_OUT_OF_RANGE, Float.floatToRawIntBits(temperature) & 0xFFFF_FFFFL, 0);
    }

    /** What a command needs it has, and nothing else; whether that makes sense only the appliance knows. */
    private int checkAdminister(final DirectBuffer buffer, final int offset, final int length) {
        if (header.version() < Frames.ADMIN_SINCE_VERSION) {
            return refuse(UNKNOWN_TEMPLATE, templateId, 0);
        }
        final int groupStart = Frames.HEADER_LENGTH + AdministerDecoder.BLOCK_LENGTH;
        final int code = checkBlock(length, AdministerDecoder.BLOCK_LENGTH, Frames.administerLength(0, 0));
        if (code != OK) {
            return code;
        }
        final int command = buffer.getByte(
                offset + Frames.HEADER_LENGTH + AdministerDecoder.commandEncodingOffset()) & 0xFF;
        if (command > AdminCommand.SNAPSHOT.value()) {
            return refuse(MALFORMED_FRAME, command, AdminCommand.SNAPSHOT.value());
        }
        final int entryLength = buffer.getShort(offset + groupStart, LITTLE_ENDIAN) & 0xFFFF;
        final int routeCount = buffer.getShort(offset + groupStart + Short.BYTES, LITTLE_ENDIAN) & 0xFFFF;
        final int expectedEntryLength = AdministerDecoder.RoutesDecoder.sbeBlockLength();
        if (entryLength != expectedEntryLength) {
            return refuse(LENGTH_MISMATCH, entryLength, expectedEntryLength);
        }
        final boolean isRoute = command == AdminCommand.ROUTE.value();
        final int maxRoutes = isRoute ? Frames.MAX_ROUTES : 0;
        if (routeCount > maxRoutes || isRoute && routeCount == 0) {
            return refuse(MALFORMED_FRAME, routeCount, maxRoutes);
        }
        final int bundleStart = Frames.administerLength(routeCount, 0) - Frames.DATA_LENGTH_BYTES;
        final int end = endOfData(buffer, offset, length, bundleStart);
        if (end != length) {
            return refuse(LENGTH_MISMATCH, length, Math.max(0, end));
        }
        return checkBundle(buffer, offset, end, command, end - bundleStart - Frames.DATA_LENGTH_BYTES);
    }

    private int checkBundle(
            final DirectBuffer buffer, final int offset, final int end, final int command, final int bundleLength) {
        final boolean isLoad = command == AdminCommand.LOAD.value();
        final boolean isSound = isLoad
                ? bundleLength > 0 && bundleLength <= Frames.MAX_BUNDLE_LENGTH &&
                        isPrintable(buffer, offset + end - bundleLength, bundleLength)
                : bundleLength == 0;
        return isSound ? OK : refuse(MALFORMED_FRAME, bundleLength, isLoad ? Frames.MAX_BUNDLE_LENGTH : 0);
    }

    private int checkVersions(final DirectBuffer buffer, final int offset, final int length) {
        if (header.version() < Frames.ADMIN_SINCE_VERSION) {
            return refuse(UNKNOWN_TEMPLATE, templateId, 0);
        }
        final int code = checkBlock(length, VersionsDecoder.BLOCK_LENGTH, Frames.versionsLength(0));
        return code == OK
                ? checkEntries(buffer, offset, length, VersionsDecoder.BLOCK_LENGTH,
                        VersionsDecoder.ServedDecoder.sbeBlockLength())
                : code;
    }

    /** A group that is the last of its frame. */
    private int checkEntries(
            final DirectBuffer buffer, final int offset, final int length, final int blockLength,
            final int expectedEntryLength) {
        final int groupStart = Frames.HEADER_LENGTH + blockLength;
        final int entryLength = buffer.getShort(offset + groupStart, LITTLE_ENDIAN) & 0xFFFF;
        final int entryCount = buffer.getShort(offset + groupStart + Short.BYTES, LITTLE_ENDIAN) & 0xFFFF;
        if (entryLength != expectedEntryLength) {
            return refuse(LENGTH_MISMATCH, entryLength, expectedEntryLength);
        }
        final int end = groupStart + WelcomeDecoder.ModelsDecoder.HEADER_SIZE + entryCount * entryLength;
        return end == length ? OK : refuse(LENGTH_MISMATCH, length, end);
    }

    /** Two floats a turn and one branch for all of them: the frame is nearly always good. */
    private int checkFinite(final DirectBuffer buffer, final int offset, final int floatCount) {
        final int pairsEnd = offset + (floatCount & ~1) * Float.BYTES;
        long carries = 0;
        for (int index = offset; index < pairsEnd; index += Long.BYTES) {
            carries |= (buffer.getLong(index, LITTLE_ENDIAN) & EXPONENTS) + EXPONENT_UNITS;
        }
        if ((floatCount & 1) != 0) {
            carries |= (buffer.getInt(pairsEnd, LITTLE_ENDIAN) & (int) EXPONENTS) + EXPONENT_UNITS;
        }
        return (carries & SIGNS) == 0 ? OK : refuseNonFinite(buffer, offset, floatCount);
    }

    private int refuseNonFinite(final DirectBuffer buffer, final int offset, final int floatCount) {
        int index = 0;
        while (index < floatCount && Float.isFinite(buffer.getFloat(offset + index * Float.BYTES, LITTLE_ENDIAN))) {
            index++;
        }
        return refuse(NON_FINITE_FEATURE, index, 0);
    }

    private int checkHello(final DirectBuffer buffer, final int offset, final int length) {
        final int blockLength = Frames.helloBlockLength(header.version());
        final int code = checkBlock(length, blockLength,
                Frames.HEADER_LENGTH + blockLength + 2 * Frames.DATA_LENGTH_BYTES);
        return code != OK ? code : checkHelloTexts(buffer, offset, length, blockLength, false);
    }

    private int checkHelloTexts(
            final DirectBuffer buffer, final int offset, final int length, final int blockLength,
            final boolean mayHaveMore) {
        int end = Frames.HEADER_LENGTH + blockLength;
        final int principalStart = end + Frames.DATA_LENGTH_BYTES;
        end = endOfData(buffer, offset, length, end);
        final int principalLength = end - principalStart;
        final int channelStart = end + Frames.DATA_LENGTH_BYTES;
        end = end < 0 ? end : endOfData(buffer, offset, length, end);
        if (mayHaveMore ? end < 0 : end != length) {
            return refuse(LENGTH_MISMATCH, length, Math.max(0, end));
        }
        if (!Principals.isValid(buffer, offset + principalStart, principalLength)) {
            return refuse(BAD_HELLO, principalLength, Principals.MAX_LENGTH);
        }
        final int channelLength = end - channelStart;
        final boolean isChannelSound = channelLength > 0 && channelLength <= Frames.MAX_CHANNEL_LENGTH &&
                isPrintable(buffer, offset + channelStart, channelLength);
        return isChannelSound ? OK : refuse(BAD_HELLO, channelLength, Frames.MAX_CHANNEL_LENGTH);
    }

    private int checkResult(final DirectBuffer buffer, final int offset, final int length) {
        final int code = checkBlock(length, ResultDecoder.BLOCK_LENGTH, Frames.RESULT_OUTPUTS_OFFSET);
        if (code != OK) {
            return code;
        }
        result.wrap(buffer, offset + Frames.HEADER_LENGTH, ResultDecoder.BLOCK_LENGTH, header.version());
        final int statusRaw = result.statusRaw();
        final int lastStatus = lastStatus(header.version());
        if (statusRaw > lastStatus) {
            return refuse(MALFORMED_FRAME, statusRaw, lastStatus);
        }
        if (hasUnknownFlags(result.flags())) {
            return refuse(UNKNOWN_FLAGS, result.flags().getRaw(), KNOWN_ANSWER_FLAGS);
        }
        final int outputCount = statusRaw == ResultStatus.OK.value() ? result.outputCount() : 0;
        return checkOutputs(result.outputsLength(), outputCount, length - Frames.RESULT_OUTPUTS_OFFSET);
    }

    private static int lastStatus(final int version) {
        if (version < Frames.TOKENS_SINCE_VERSION) {
            return ResultStatus.RESET.value();
        }
        if (version < Frames.GENERATIONS_SINCE_VERSION) {
            return ResultStatus.CONTEXT_FULL.value();
        }
        return version < Frames.ADMIN_SINCE_VERSION ? ResultStatus.CANCELLED.value() : ResultStatus.APPLIED.value();
    }

    private int checkChunk(final DirectBuffer buffer, final int offset, final int length) {
        final int code = checkBlock(length, ChunkDecoder.BLOCK_LENGTH, Frames.CHUNK_OUTPUTS_OFFSET);
        if (code != OK) {
            return code;
        }
        chunk.wrap(buffer, offset + Frames.HEADER_LENGTH, ChunkDecoder.BLOCK_LENGTH, header.version());
        if (hasUnknownFlags(chunk.flags())) {
            return refuse(UNKNOWN_FLAGS, chunk.flags().getRaw(), KNOWN_ANSWER_FLAGS);
        }
        return checkOutputs(chunk.outputsLength(), chunk.outputCount(), length - Frames.CHUNK_OUTPUTS_OFFSET);
    }

    /** Where they stand is padding in earlier versions, which is not looked at. */
    private boolean hasUnknownFlags(final AnswerFlagsDecoder flags) {
        return header.version() >= Frames.BEGINNINGS_SINCE_VERSION && (flags.getRaw() & ~KNOWN_ANSWER_FLAGS) != 0;
    }

    private int checkOutputs(final int outputsLength, final int outputCount, final int remainingLength) {
        final int expectedLength = outputCount * Float.BYTES;
        if (outputsLength != remainingLength || outputsLength != expectedLength) {
            return refuse(LENGTH_MISMATCH, outputsLength & 0xFFFF_FFFFL, expectedLength);
        }
        return OK;
    }

    private int checkReject(final DirectBuffer buffer, final int offset, final int length) {
        final int blockEnd = Frames.HEADER_LENGTH + RejectDecoder.BLOCK_LENGTH;
        final int code = checkBlock(length, RejectDecoder.BLOCK_LENGTH, blockEnd + Frames.DATA_LENGTH_BYTES);
        if (code != OK) {
            return code;
        }
        final int end = endOfData(buffer, offset, length, blockEnd);
        return end == length ? OK : refuse(LENGTH_MISMATCH, length, Math.max(0, end));
    }

    private int checkWelcome(final DirectBuffer buffer, final int offset, final int length) {
        final int groupStart = Frames.HEADER_LENGTH + WelcomeDecoder.BLOCK_LENGTH;
        final int entriesStart = groupStart + WelcomeDecoder.ModelsDecoder.HEADER_SIZE;
        final int code = checkBlock(length, WelcomeDecoder.BLOCK_LENGTH, entriesStart);
        if (code != OK) {
            return code;
        }
        return checkEntries(buffer, offset, length, WelcomeDecoder.BLOCK_LENGTH,
                Frames.welcomeModelLength(header.version()));
    }

    private int checkFixed(final int length, final int blockLength) {
        final int frameLength = Frames.HEADER_LENGTH + blockLength;
        final int code = checkBlock(length, blockLength, frameLength);
        if (code != OK) {
            return code;
        }
        return length == frameLength ? OK : refuse(LENGTH_MISMATCH, length, frameLength);
    }

    /**
     * A version has one block length for each template, and only versions that are known come this far, so the length
     * is compared, not bounded: a block that claims to be longer would shift the variable data behind it. No two
     * templates that one side may send share a length, so this also finds a templateId that was corrupted.
     */
    private int checkBlock(final int length, final int blockLength, final int minFrameLength) {
        if (header.blockLength() != blockLength) {
            return refuse(LENGTH_MISMATCH, header.blockLength(), blockLength);
        }
        return length >= minFrameLength ? OK : refuse(LENGTH_MISMATCH, length, minFrameLength);
    }

    /** Where the variable data that starts at {@code start} of the frame ends, or -1 if that is outside the frame. */
    private static int endOfData(final DirectBuffer buffer, final int offset, final int length, final int start) {
        final int remaining = length - start - Frames.DATA_LENGTH_BYTES;
        if (remaining < 0) {
            return -1;
        }
        final long dataLength = buffer.getInt(offset + start, LITTLE_ENDIAN) & 0xFFFF_FFFFL;
        return dataLength > remaining ? -1 : start + Frames.DATA_LENGTH_BYTES + (int) dataLength;
    }

    private static boolean isPrintable(final DirectBuffer buffer, final int offset, final int length) {
        for (int i = 0; i < length; i++) {
            final byte character = buffer.getByte(offset + i);
            if (character <= ' ' || character > '~') {
                return false;
            }
        }
        return true;
    }

    private int refuse(final int code, final long offending, final long allowed) {
        offendingValue = offending;
        allowedValue = allowed;
        return code;
    }
}
