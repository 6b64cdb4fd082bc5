package io.tiercel.protocol;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.tiercel.protocol.wire.CancelGenerationDecoder;
import io.tiercel.protocol.wire.ChunkDecoder;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.GoodbyeDecoder;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HeartbeatDecoder;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.RejectDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import io.tiercel.protocol.wire.WelcomeDecoder;
import java.util.Iterator;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** What is encoded is what is decoded, for every message and over all values. */
class CodecProperties {

    private final MessageHeaderDecoder header = new MessageHeaderDecoder();

    @Property(tries = 300)
    void shouldKeepAHello(
            @ForAll final int streamId,
            @ForAll final long nonce,
            @ForAll("principals") final String principal,
            @ForAll("channels") final String channel) {
        final UnsafeBuffer frame = SampleFrames.hello(streamId, nonce, principal, channel);
        final HelloDecoder hello = new HelloDecoder().wrapAndApplyHeader(frame, 0, header);
        assertEquals(streamId, hello.responseStreamId());
        assertEquals(nonce, hello.nonce());
        assertEquals(principal, hello.principal());
        assertEquals(channel, hello.responseChannel());
        assertWholeFrame(frame, hello.encodedLength());
    }

    @Property(tries = 300)
    void shouldKeepAnInfer(
            @ForAll final long correlationId,
            @ForAll final long sessionKey,
            @ForAll final long budgetNs,
            @ForAll @IntRange(max = 65535) final int modelId,
            @ForAll @IntRange(min = 1, max = 8) final int stepCount,
            @ForAll final boolean stream,
            @ForAll("floats24") final float[] step) {
        final float[] features = new float[stepCount * step.length];
        for (int i = 0; i < features.length; i++) {
            features[i] = step[i % step.length] * (1 + i / step.length);
        }
        final UnsafeBuffer frame =
                SampleFrames.infer(correlationId, sessionKey, budgetNs, modelId, stepCount, stream, features);
        final InferDecoder infer = new InferDecoder().wrapAndApplyHeader(frame, 0, header);
        assertEquals(correlationId, infer.correlationId());
        assertEquals(sessionKey, infer.sessionKey());
        assertEquals(budgetNs, infer.budgetNs());
        assertEquals(modelId, infer.modelId());
        assertEquals(stepCount, infer.stepCount());
        assertEquals(step.length, infer.featureCount());
        assertEquals(stream, infer.flags().stream());
        assertEquals(features.length * Float.BYTES, infer.featuresLength());
        assertFloats(features, frame, Frames.FEATURES_OFFSET);
        infer.skipFeatures();
        assertWholeFrame(frame, infer.encodedLength());
        assertEquals(Frames.inferLength(features.length), frame.capacity());
    }

    @Property(tries = 300)
    void shouldKeepAResetSession(
            @ForAll final long correlationId,
            @ForAll final long sessionKey,
            @ForAll @IntRange(max = 65535) final int modelId) {
        final UnsafeBuffer frame = SampleFrames.resetSession(correlationId, sessionKey, modelId);
        final ResetSessionDecoder reset = new ResetSessionDecoder().wrapAndApplyHeader(frame, 0, header);
        assertEquals(correlationId, reset.correlationId());
        assertEquals(sessionKey, reset.sessionKey());
        assertEquals(modelId, reset.modelId());
        assertWholeFrame(frame, reset.encodedLength());
        assertEquals(Frames.RESET_SESSION_LENGTH, frame.capacity());
    }

    @Property(tries = 300)
    void shouldKeepAForkAndACancel(
            @ForAll final long correlationId,
            @ForAll final long sessionKey,
            @ForAll final long sourceKey,
            @ForAll @IntRange(max = 65535) final int modelId) {
        final UnsafeBuffer frame = SampleFrames.forkSession(correlationId, sessionKey, sourceKey, modelId);
        final ForkSessionDecoder fork = new ForkSessionDecoder().wrapAndApplyHeader(frame, 0, header);
        assertEquals(correlationId, fork.correlationId());
        assertEquals(sessionKey, fork.sessionKey());
        assertEquals(sourceKey, fork.sourceKey());
        assertEquals(modelId, fork.modelId());
        assertWholeFrame(frame, fork.encodedLength());
        final UnsafeBuffer cancel = SampleFrames.cancelGeneration(correlationId);
        assertEquals(correlationId,
                new CancelGenerationDecoder().wrapAndApplyHeader(cancel, 0, header).correlationId());
        assertEquals(Frames.CANCEL_GENERATION_LENGTH, cancel.capacity());
    }

    @Property(tries = 300)
    void shouldKeepAGenerate(
            @ForAll final long correlationId,
            @ForAll final long seed,
            @ForAll @IntRange(max = 65535) final int modelId,
            @ForAll @Size(min = 1, max = 20) final int[] tokens,
            @ForAll @Size(max = 16) final int[] stopTokens) {
        final UnsafeBuffer frame = SampleFrames.generate(correlationId, seed, modelId, tokens, stopTokens);
        final GenerateDecoder generate = new GenerateDecoder().wrapAndApplyHeader(frame, 0, header);
        assertEquals(correlationId, generate.correlationId());
        assertEquals(2, generate.sessionKey());
        assertEquals(3, generate.budgetNs());
        assertEquals(seed, generate.seed());
        assertEquals(0.5f, generate.temperature());
        assertEquals(modelId, generate.modelId());
        assertEquals(tokens.length, generate.tokenCount());
        assertEquals(3, generate.maxTokens());
        assertEquals(0, generate.madeTokens());
        assertEquals(40, generate.topTokens());
        assertEquals(stopTokens.length, generate.stopCount());
        for (int i = 0; i < tokens.length; i++) {
            assertEquals(tokens[i], frame.getInt(Frames.TOKENS_OFFSET + i * Integer.BYTES, LITTLE_ENDIAN));
        }
        generate.skipTokens();
        assertEquals(stopTokens.length * Integer.BYTES, generate.stopTokensLength());
        for (int i = 0; i < stopTokens.length; i++) {
            assertEquals(stopTokens[i],
                    frame.getInt(frame.capacity() - (stopTokens.length - i) * Integer.BYTES, LITTLE_ENDIAN));
        }
        generate.skipStopTokens();
        assertWholeFrame(frame, generate.encodedLength());
    }

    @Property(tries = 300)
    void shouldKeepAHeartbeatAndAGoodbye(@ForAll final long timestampNs, @ForAll final GoodbyeReason reason) {
        final UnsafeBuffer heartbeat = SampleFrames.heartbeat(timestampNs);
        assertEquals(timestampNs, new HeartbeatDecoder().wrapAndApplyHeader(heartbeat, 0, header).timestampNs());
        assertEquals(Frames.HEARTBEAT_LENGTH, heartbeat.capacity());
        final UnsafeBuffer goodbye = SampleFrames.goodbye(reason);
        assertEquals(reason, new GoodbyeDecoder().wrapAndApplyHeader(goodbye, 0, header).reason());
        assertEquals(Frames.GOODBYE_LENGTH, goodbye.capacity());
    }

    @Property(tries = 300)
    void shouldKeepAResult(
            @ForAll final long correlationId,
            @ForAll final long sessionKey,
            @ForAll final long sequence,
            @ForAll @LongRange(max = 0xFFFF_FFFFL) final long applianceNs,
            @ForAll final ResultStatus status,
            @ForAll("floats24") final float[] outputs) {
        final UnsafeBuffer frame =
                SampleFrames.result(correlationId, sessionKey, sequence, applianceNs, status, outputs);
        final ResultDecoder result = new ResultDecoder().wrapAndApplyHeader(frame, 0, header);
        assertEquals(correlationId, result.correlationId());
        assertEquals(sessionKey, result.sessionKey());
        assertEquals(sequence, result.sequence());
        assertEquals(applianceNs, result.applianceNs());
        assertEquals(1, result.modelId());
        assertEquals(2, result.batchSize());
        assertEquals(outputs.length, result.outputCount());
        assertEquals(status, result.status());
        assertFloats(outputs, frame, Frames.RESULT_OUTPUTS_OFFSET);
        result.skipOutputs();
        assertWholeFrame(frame, result.encodedLength());
        assertEquals(Frames.resultLength(outputs.length), frame.capacity());
    }

    @Property(tries = 300)
    void shouldKeepAChunk(
            @ForAll final long correlationId,
            @ForAll final long sessionKey,
            @ForAll final long sequence,
            @ForAll @LongRange(max = 0xFFFF_FFFFL) final long stepIndex,
            @ForAll("floats24") final float[] outputs) {
        final UnsafeBuffer frame = SampleFrames.chunk(correlationId, sessionKey, sequence, stepIndex, outputs);
        final ChunkDecoder chunk = new ChunkDecoder().wrapAndApplyHeader(frame, 0, header);
        assertEquals(correlationId, chunk.correlationId());
        assertEquals(sessionKey, chunk.sessionKey());
        assertEquals(sequence, chunk.sequence());
        assertEquals(stepIndex, chunk.stepIndex());
        assertEquals(outputs.length, chunk.outputCount());
        assertFloats(outputs, frame, Frames.CHUNK_OUTPUTS_OFFSET);
        chunk.skipOutputs();
        assertWholeFrame(frame, chunk.encodedLength());
        assertEquals(Frames.chunkLength(outputs.length), frame.capacity());
    }

    @Property(tries = 300)
    void shouldKeepAReject(
            @ForAll final long correlationId,
            @ForAll final long offendingValue,
            @ForAll final long allowedValue,
            @ForAll final RejectCode code,
            @ForAll @IntRange(max = 65535) final int templateId) {
        final byte[] text = new byte[RejectDetail.MAX_LENGTH];
        final UnsafeBuffer detail = new UnsafeBuffer(text);
        final int length =
                code == RejectCode.NULL_VAL ? 0 : RejectDetail.put(code, offendingValue, allowedValue, detail, 0);
        final String words = detail.getStringWithoutLengthAscii(0, length);
        final UnsafeBuffer frame =
                SampleFrames.reject(correlationId, offendingValue, allowedValue, code, templateId, words);
        final RejectDecoder reject = new RejectDecoder().wrapAndApplyHeader(frame, 0, header);
        assertEquals(correlationId, reject.correlationId());
        assertEquals(offendingValue, reject.offendingValue());
        assertEquals(allowedValue, reject.allowedValue());
        assertEquals(code, reject.code());
        assertEquals(templateId, reject.templateId());
        assertEquals(words, reject.detail());
        assertWholeFrame(frame, reject.encodedLength());
    }

    @Property(tries = 300)
    void shouldKeepAWelcome(
            @ForAll final long nonce,
            @ForAll final int clientId,
            @ForAll @LongRange(max = 0xFFFF_FFFFL) final long limit,
            @ForAll("aliases") final String[] aliases) {
        final UnsafeBuffer frame = SampleFrames.welcome(nonce, clientId, limit, aliases);
        final WelcomeDecoder welcome = new WelcomeDecoder().wrapAndApplyHeader(frame, 0, header);
        assertEquals(nonce, welcome.nonce());
        assertEquals(clientId, welcome.clientId());
        assertEquals(limit, welcome.maxFrameLength());
        assertEquals(limit, welcome.maxInFlight());
        assertEquals(limit, welcome.maxSessions());
        assertEquals(limit, welcome.heartbeatTimeoutMs());
        assertEquals(64, welcome.maxSteps());
        assertEquals(Durability.PROCESS, welcome.durability());
        assertEquals(Overload.SHED, welcome.overload());
        assertEquals(limit, welcome.retryWindow());
        assertEquals(limit, welcome.maxRatePerSecond());
        final Iterator<WelcomeDecoder.ModelsDecoder> models = welcome.models().iterator();
        for (int i = 0; i < aliases.length; i++) {
            final WelcomeDecoder.ModelsDecoder model = models.next();
            assertEquals(i, model.modelId());
            assertEquals(20 + i, model.featureCount());
            assertEquals(3 + i, model.outputCount());
            assertEquals(aliases[i], model.alias());
            assertEquals((i * 31 + 31 * 7) & 0xFF, model.modelVersion(31));
            assertEquals(1000 * i, model.vocabularySize());
            assertEquals(i, model.contextTokens());
        }
        assertFalse(models.hasNext());
        assertWholeFrame(frame, welcome.encodedLength());
    }

    @Provide
    Arbitrary<String> principals() {
        return WireFrames.principals();
    }

    @Provide
    Arbitrary<String> channels() {
        return WireFrames.channels();
    }

    @Provide
    Arbitrary<float[]> floats24() {
        return Arbitraries.integers().between(1, 24).flatMap(WireFrames::floats);
    }

    @Provide
    Arbitrary<String[]> aliases() {
        return WireFrames.aliases();
    }

    private static void assertFloats(final float[] expected, final DirectBuffer frame, final int offset) {
        final float[] actual = new float[expected.length];
        for (int i = 0; i < actual.length; i++) {
            actual[i] = frame.getFloat(offset + i * Float.BYTES, LITTLE_ENDIAN);
        }
        assertArrayEquals(expected, actual);
    }

    private static void assertWholeFrame(final UnsafeBuffer frame, final int encodedLength) {
        assertEquals(frame.capacity(), Frames.HEADER_LENGTH + encodedLength);
    }
}
