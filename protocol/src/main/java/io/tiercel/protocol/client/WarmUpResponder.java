package io.tiercel.protocol.client;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.aeron.Aeron;
import io.aeron.ChannelUri;
import io.aeron.CommonContext;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.logbuffer.Header;
import io.tiercel.protocol.FrameValidator;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.ChunkEncoder;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultEncoder;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.protocol.wire.WelcomeEncoder;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The other end of {@link ClientWarmUp}: speaks the protocol to one client and computes nothing. Runs on the
 * client's thread.
 */
final class WarmUpResponder implements AutoCloseable {

    static final int MODEL_ID = 0;
    static final int MAX_STEPS = 2;
    static final int MAX_IN_FLIGHT = 4;
    /** A response's share of the log is less than this many times its frame, Aeron's headers included. */
    private static final int FRAMING_FACTOR = 2;
    private static final int FRAMING_BYTES = 256;
    private static final int WELCOME_BYTES = 256;

    private final Aeron aeron;
    private final int featureCount;
    private final int outputCount;
    private final int maxFrameLength;
    private final int roomBytes;
    private final AgentInvoker driverInvoker;
    private final Subscription requests;
    private final FragmentAssembler assembler = new FragmentAssembler(this::onFragment);
    private final FrameValidator validator;
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final InferDecoder infer = new InferDecoder();
    private final ResetSessionDecoder resetSession = new ResetSessionDecoder();
    private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
    private final ResultEncoder result = new ResultEncoder();
    private final ChunkEncoder chunk = new ChunkEncoder();
    /** Of the kind that the wire has: codecs that have seen another are compiled to ask which it is. */
    private final UnsafeBuffer frame;
    private long responsesId = Aeron.NULL_VALUE;
    private ExclusivePublication responses;
    private long nonce;
    private boolean isWelcomed;
    private long sequence;

    WarmUpResponder(
            final Aeron aeron,
            final AgentInvoker driverInvoker,
            final int requestStreamId,
            final int featureCount,
            final int outputCount) {
        this.aeron = aeron;
        this.driverInvoker = driverInvoker;
        this.featureCount = featureCount;
        this.outputCount = outputCount;
        maxFrameLength = Frames.inferLength(MAX_STEPS * featureCount);
        roomBytes = MAX_IN_FLIGHT * MAX_STEPS * (FRAMING_FACTOR * Frames.chunkLength(outputCount) + FRAMING_BYTES);
        frame = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
                Math.max(Frames.chunkLength(outputCount), WELCOME_BYTES), BitUtil.CACHE_LINE_LENGTH));
        validator = new FrameValidator(Math.max(maxFrameLength, Frames.MAX_HELLO_LENGTH), MAX_STEPS);
        requests = aeron.addSubscription(ClientContext.DEFAULT_CHANNEL, requestStreamId);
    }

    int poll() {
        if (!isWelcomed && responsesId != Aeron.NULL_VALUE) {
            welcome();
        }
        if (isWelcomed && responses.availableWindow() < roomBytes) {
            return driverInvoker == null ? 0 : driverInvoker.invoke();
        }
        return requests.poll(assembler, MAX_IN_FLIGHT);
    }

    @Override
    public void close() {
        CloseHelper.closeAll(responses, requests);
    }

    private void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header aeronHeader) {
        if (validator.checkFromClient(buffer, offset, length) != FrameValidator.OK) {
            throw new IllegalStateException("the warm-up sent a bad frame: templateId=" + validator.templateId());
        }
        header.wrap(buffer, offset);
        switch (header.templateId()) {
            case InferDecoder.TEMPLATE_ID:
                onInfer(infer.wrapAndApplyHeader(buffer, offset, header), buffer);
                break;
            case ResetSessionDecoder.TEMPLATE_ID:
                onResetSession(resetSession.wrapAndApplyHeader(buffer, offset, header));
                break;
            case HelloDecoder.TEMPLATE_ID:
                onHello(new HelloDecoder().wrapAndApplyHeader(buffer, offset, header), aeronHeader.sessionId());
                break;
            default:
                if (responses != null) {
                    responses.offer(buffer, offset, length);
                }
                break;
        }
    }

    private void onHello(final HelloDecoder hello, final int sessionId) {
        nonce = hello.nonce();
        hello.skipPrincipal();
        final ChannelUri uri = ChannelUri.parse(ChannelUri.addSessionId(hello.responseChannel(), sessionId));
        uri.put(CommonContext.TERM_LENGTH_PARAM_NAME, Integer.toString(termLengthFor(roomBytes)));
        responsesId = aeron.asyncAddExclusivePublication(uri.toString(), hello.responseStreamId());
    }

    /** Bytes of a term whose window, half of it, holds that many bytes several times. */
    static int termLengthFor(final int bytes) {
        return Math.max(ClientContext.DEFAULT_REQUEST_TERM_LENGTH, BitUtil.findNextPositivePowerOfTwo(8 * bytes));
    }

    /** A publication is connected before the driver has given it its first window. */
    private void welcome() {
        if (responses == null) {
            responses = aeron.getExclusivePublication(responsesId);
        } else if (responses.isConnected() && responses.availableWindow() >= roomBytes) {
            final WelcomeEncoder welcome = new WelcomeEncoder().wrapAndApplyHeader(frame, 0, headerEncoder)
                    .nonce(nonce)
                    .clientId(0)
                    .maxFrameLength(maxFrameLength)
                    .maxInFlight(MAX_IN_FLIGHT)
                    .maxSessions(1)
                    .heartbeatTimeoutMs(1)
                    .maxSteps(MAX_STEPS)
                    .durability(Durability.PROCESS)
                    .overload(Overload.BACKPRESSURE)
                    .retryWindow(0)
                    .maxRatePerSecond(0);
            welcome.modelsCount(1).next()
                    .modelId(MODEL_ID)
                    .featureCount(featureCount)
                    .outputCount(outputCount)
                    .vocabularySize(featureCount == 1 ? Integer.MAX_VALUE : 0)
                    .contextTokens(0)
                    .alias("warm-up");
            isWelcomed = send(Frames.HEADER_LENGTH + welcome.encodedLength()) > 0;
        }
    }

    private void onInfer(final InferDecoder request, final DirectBuffer buffer) {
        final int flags = buffer.getShort(request.offset() + InferDecoder.flagsEncodingOffset(), LITTLE_ENDIAN);
        if (flags == FrameValidator.KNOWN_FLAGS) {
            chunk.wrapAndApplyHeader(frame, 0, headerEncoder)
                    .correlationId(request.correlationId())
                    .sessionKey(request.sessionKey())
                    .sequence(sequence)
                    .stepIndex(0)
                    .modelId(MODEL_ID)
                    .outputCount(outputCount);
            chunk.flags().clear();
            frame.putInt(chunk.limit(), outputCount * Float.BYTES, LITTLE_ENDIAN);
            send(Frames.chunkLength(outputCount));
        }
        sendResult(request.correlationId(), request.sessionKey(), ResultStatus.OK, outputCount);
    }

    private void onResetSession(final ResetSessionDecoder request) {
        sendResult(request.correlationId(), request.sessionKey(), ResultStatus.RESET, 0);
    }

    private void sendResult(
            final long correlationId, final long sessionKey, final ResultStatus status, final int count) {
        result.wrapAndApplyHeader(frame, 0, headerEncoder)
                .correlationId(correlationId)
                .sessionKey(sessionKey)
                .sequence(sequence++)
                .applianceNs(1)
                .modelId(MODEL_ID)
                .batchSize(1)
                .outputCount(count)
                .status(status);
        result.flags().clear();
        frame.putInt(result.limit(), count * Float.BYTES, LITTLE_ENDIAN);
        send(Frames.resultLength(count));
    }

    /** There is room: that was seen to before the request was read. */
    private long send(final int length) {
        final long position = responses.offer(frame, 0, length);
        if (position < 0 && position != Publication.NOT_CONNECTED && position != Publication.ADMIN_ACTION) {
            throw new IllegalStateException("warm-up response: " + Publication.errorString(position));
        }
        return position == Publication.ADMIN_ACTION ? responses.offer(frame, 0, length) : position;
    }
}
