package io.tiercel.appliance;

import io.aeron.ExclusivePublication;
import io.aeron.logbuffer.LogBufferDescriptor;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.client.TiercelClientException;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.ExpandableArrayBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * What a client must not send: each frame gets a reject with its code, or a counter where nobody can be told, never
 * reaches the ring, and the next good request of another client is answered.
 */
class BadInputTest {

    private static final int FEATURES = 8;
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final int BLOCK = Frames.HEADER_LENGTH;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private TiercelClient good;
    private RawClient bad;
    private final Answers answers = new Answers();
    private final ExpandableArrayBuffer frame = new ExpandableArrayBuffer();

    /** Damage to a sound Infer frame; returns its new length. */
    private interface Damage {
        int apply(ExpandableArrayBuffer frame, int length);
    }

    @AfterEach
    void tearDown() {
        if (harness != null) {
            harness.close();
        }
    }

    @Test
    void shouldRefuseWhenTheFrameIsShorterThanAHeader() {
        start();
        for (int length = 0; length < Frames.HEADER_LENGTH; length++) {
            assertRefused(RejectCode.MALFORMED_FRAME, 0, shortened(length));
        }
    }

    @Test
    void shouldRefuseWhenTheSchemaIsAnother() {
        start();
        assertRefused(RejectCode.UNKNOWN_SCHEMA, 0, (buffer, length) -> {
            buffer.putShort(4, (short) 7002, LE);
            return length;
        });
    }

    @Test
    void shouldRefuseWhenTheVersionIsNotSpoken() {
        start();
        for (final int version : new int[] {0, Frames.VERSION + 1, 0xFFFF}) {
            assertRefused(RejectCode.UNSUPPORTED_VERSION, 77, (buffer, length) -> {
                buffer.putShort(6, (short) version, LE);
                return length;
            });
        }
    }

    @Test
    void shouldRefuseWhenTheTemplateIsNotOneThatAClientSends() {
        start();
        for (final int templateId : new int[] {0, 2, 5, 6, 7, 13, 0xFFFF}) {
            assertRefused(RejectCode.UNKNOWN_TEMPLATE, 0, (buffer, length) -> {
                buffer.putShort(2, (short) templateId, LE);
                return length;
            });
        }
    }

    @Test
    void shouldRefuseWhenTheFrameIsTruncatedAnywhere() {
        start();
        final int length = Frames.inferLength(FEATURES);
        for (int cut = Frames.HEADER_LENGTH; cut < length; cut++) {
            assertRefused(RejectCode.LENGTH_MISMATCH, cut < Frames.HEADER_LENGTH + Long.BYTES ? 0 : 77, shortened(cut));
        }
    }

    @Test
    void shouldRefuseWhenSomethingIsLeftOver() {
        start();
        assertRefused(RejectCode.LENGTH_MISMATCH, 77, (buffer, length) -> length + 1);
    }

    @Test
    void shouldRefuseWhenTheLengthsLie() {
        start();
        for (final int featuresLength : new int[] {-1, 0, 31, 33, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertRefused(RejectCode.LENGTH_MISMATCH, 77, (buffer, length) -> {
                buffer.putInt(Frames.FEATURES_OFFSET - Integer.BYTES, featuresLength, LE);
                return length;
            });
        }
        for (final int blockLength : new int[] {0, 35, 37, 40, 0xFFFF}) {
            assertRefused(RejectCode.LENGTH_MISMATCH, 77, (buffer, length) -> {
                buffer.putShort(0, (short) blockLength, LE);
                return length;
            });
        }
    }

    @Test
    void shouldNameTheFeatureWhenItIsNotFinite() {
        start();
        for (final float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            final RawClient.Rejection rejection = assertRefused(RejectCode.NON_FINITE_FEATURE, 77,
                    (buffer, length) -> {
                        buffer.putFloat(Frames.FEATURES_OFFSET + 5 * Float.BYTES, value, LE);
                        return length;
                    });
            assertEquals(5, rejection.offendingValue());
        }
    }

    @Test
    void shouldRefuseWhenTheModelIsUnknown() {
        start();
        for (final int modelId : new int[] {1, 2, 0xFFFF}) {
            assertRefused(RejectCode.UNKNOWN_MODEL, 77, (buffer, length) -> {
                buffer.putShort(BLOCK + InferEncoder.modelIdEncodingOffset(), (short) modelId, LE);
                return length;
            });
        }
        bad.reset(78, 1, 5);
        bad.until("reset refused", () -> bad.rejections.size() == 4);
        assertEquals(RejectCode.UNKNOWN_MODEL, bad.rejections.get(3).code());
        assertEquals(ResetSessionDecoder.TEMPLATE_ID, bad.rejections.get(3).templateId());
        assertOthersAreServed();
    }

    @Test
    void shouldRefuseWhenTheFeatureCountIsNotTheModels() {
        start();
        assertRefused(RejectCode.FEATURE_COUNT_MISMATCH, 77,
                (buffer, length) -> RawClient.putInfer(buffer, 77, 5, new float[FEATURES - 1]));
        assertRefused(RejectCode.FEATURE_COUNT_MISMATCH, 77, (buffer, length) -> RawClient.putInfer(buffer, 77, 5));
        assertRefused(RejectCode.FEATURE_COUNT_MISMATCH, 77, (buffer, length) -> {
            buffer.putShort(BLOCK + InferEncoder.stepCountEncodingOffset(), (short) 2, LE);
            return length;
        });
        assertRefused(RejectCode.FEATURE_COUNT_MISMATCH, 77, (buffer, length) -> {
            buffer.putShort(BLOCK + InferEncoder.stepCountEncodingOffset(), (short) 2, LE);
            buffer.putShort(BLOCK + InferEncoder.featureCountEncodingOffset(), (short) (FEATURES / 2), LE);
            return length;
        });
    }

    @Test
    void shouldRefuseWhenTheStepCountIsOutOfRange() {
        start();
        for (final int stepCount : new int[] {0, 65, 0xFFFF}) {
            assertRefused(RejectCode.STEP_COUNT_OUT_OF_RANGE, 77, (buffer, length) -> {
                buffer.putShort(BLOCK + InferEncoder.stepCountEncodingOffset(), (short) stepCount, LE);
                return length;
            });
        }
    }

    @Test
    void shouldRefuseWhenAFlagIsUnknown() {
        start();
        for (int bit = 1; bit < Short.SIZE; bit++) {
            final int flags = 1 << bit;
            assertRefused(RejectCode.UNKNOWN_FLAGS, 77, (buffer, length) -> {
                buffer.putShort(BLOCK + InferEncoder.flagsEncodingOffset(), (short) flags, LE);
                return length;
            });
        }
    }

    @Test
    void shouldRefuseWhenTheFrameIsTooLong() {
        start();
        final RawClient.Rejection rejection = assertRefused(RejectCode.FRAME_TOO_LONG, 77,
                (buffer, length) -> RawClient.putInfer(buffer, 77, 5, new float[1024]));
        assertEquals(Frames.inferLength(1024), rejection.offendingValue());
        assertEquals(harness.context.maxFrameLength(), rejection.allowedValue());
    }

    @Test
    void shouldRefuseWhenTheFrameIsLongerThanAFragment() {
        start();
        final float[] features = new float[20_000];
        assertTrue(Frames.inferLength(features.length) > bad.maxUnfragmentedLength());
        assertRefused(RejectCode.FRAME_TOO_LONG, 77,
                (buffer, length) -> RawClient.putInfer(buffer, 77, 5, features));
    }

    @Test
    void shouldTakeAFragmentedFrameWhenItIsWithinTheLimit() {
        final Path bundle = RandomModels.lstm(1).features(3000).write(directory);
        start(bundle, context -> context.responseTermLength(64 * 1024).maxFrameLength(8 * 1024)
                .ringCapacity(64));
        final PipelineHarness own = harness;
        final ExclusivePublication publication = own.aeron().addExclusivePublication(
                "aeron:ipc?mtu=1408", PipelineHarness.REQUEST_STREAM);
        own.roundsUntil("connected", publication::isConnected);
        final int length = RawClient.putInfer(frame, 9, 5, new float[1000]);
        own.roundsUntil("sent", () -> publication.offer(frame, 0, length) > 0);
        own.rounds(10);
        assertEquals(1, own.counter(CounterId.FRAMES_UNANSWERABLE));
        publication.close();
    }

    @Test
    void shouldRefuseANewSessionWhenTheLimitIsReached() {
        start(context -> context.maxSessions(2));
        bad.infer(1, 100, new float[FEATURES]).infer(2, 101, new float[FEATURES]).infer(3, 102, new float[FEATURES])
                .infer(4, 100, new float[FEATURES]);
        bad.until("answers", () -> bad.results.size() == 3 && bad.rejections.size() == 1);
        assertEquals(RejectCode.SESSION_LIMIT, bad.rejections.get(0).code());
        assertEquals(3, bad.rejections.get(0).correlationId());
        assertEquals(2, harness.counter(CounterId.SESSIONS));
    }

    @Test
    void shouldRefuseWhenTooManyRequestsAreInFlight() {
        start(context -> context.maxInFlight(3));
        harness.requests.stall(true);
        for (int request = 1; request <= 5; request++) {
            bad.infer(request, 100, new float[FEATURES]);
        }
        bad.until("rejections", () -> bad.rejections.size() == 2);
        assertEquals(RejectCode.IN_FLIGHT_LIMIT, bad.rejections.get(0).code());
        assertEquals(List.of(4L, 5L), bad.rejections.stream().map(RawClient.Rejection::correlationId).toList());
        harness.requests.stall(false);
        bad.until("results", () -> bad.results.size() == 3);
        bad.infer(6, 100, new float[FEATURES]);
        bad.until("room again", () -> bad.results.size() == 4);
        assertOthersAreServed();
    }

    @Test
    void shouldTellTheClientWhenThereAreTooMany() {
        start(context -> context.maxClients(2));
        for (int attempt = 0; attempt < 10; attempt++) {
            final TiercelClientException refused = assertThrows(TiercelClientException.class,
                    () -> harness.connect("third"));
            assertEquals(RejectCode.CLIENT_LIMIT, refused.code());
        }
        assertEquals(2, harness.counter(CounterId.CLIENTS));
        assertOthersAreServed();
    }

    @Test
    void shouldTellTheClientWhenItsPrincipalMayNotConnect() {
        start(context -> context.principals(List.of("good", "bad")));
        final TiercelClientException refused = assertThrows(TiercelClientException.class,
                () -> harness.connect("stranger"));
        assertEquals(RejectCode.PRINCIPAL_REFUSED, refused.code());
        assertOthersAreServed();
    }

    /** The driver clears a log as it makes it, on a thread that others wait for. */
    @Test
    void shouldMakeAShortLogForARefusalOnly() {
        start(context -> context.principals(List.of("good", "bad")).responseTermLength(1 << 17));
        final RawClient stranger = harness.rawClient();
        stranger.hello("stranger");
        stranger.until("refused", () -> !stranger.rejections.isEmpty());
        assertEquals(LogBufferDescriptor.TERM_MIN_LENGTH, stranger.heardTermLength);
        assertEquals(1 << 17, bad.heardTermLength);
        assertOthersAreServed();
    }

    @Test
    void shouldRefuseWhenAClientSaysHelloTwice() {
        start();
        bad.hello("bad");
        bad.until("rejected", () -> !bad.rejections.isEmpty());
        assertEquals(RejectCode.DUPLICATE_HELLO, bad.rejections.get(0).code());
        assertEquals(HelloDecoder.TEMPLATE_ID, bad.rejections.get(0).templateId());
        assertOthersAreServed();
    }

    @Test
    void shouldCountWhenThePrincipalIsNotAName() {
        start();
        final RawClient stranger = harness.rawClient();
        long unanswerable = harness.counter(CounterId.FRAMES_UNANSWERABLE);
        for (final String principal : new String[] {"", "a b", "x".repeat(65), "\u007f", "name\n"}) {
            stranger.hello(principal);
            unanswerable++;
            assertUnanswerable(unanswerable);
        }
        assertEquals(2, harness.counter(CounterId.CLIENTS));
        assertOthersAreServed();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "aeron:udp?endpoint=localhost:40123",
        "aeron-spy:aeron:ipc",
        "ipc",
        "aeron:ipcx",
        "aeron:ipc?",
        "aeron:ipc?term-length",
        "aeron:ipc?init-term-id=5",
        "aeron:ipc?mtu=7",
        "aeron:ipc?linger=-9"})
    void shouldCountWhenTheResponseChannelIsNotAllowedOrNotSound(final String channel) {
        start();
        final RawClient stranger = harness.rawClient();
        final long unanswerable = harness.counter(CounterId.FRAMES_UNANSWERABLE);
        stranger.hello("stranger", channel, RawClient.RESPONSE_STREAM);
        harness.rounds(200);
        stranger.poll();
        assertTrue(harness.counter(CounterId.FRAMES_UNANSWERABLE) > unanswerable || stranger.hears(), channel);
        assertNull(harness.pipeline.state().failure());
        assertOthersAreServed();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "aeron:ipc?mtu=32",
        "aeron:ipc?mtu=64",
        "aeron:ipc?mtu=128",
        "aeron:ipc?session-id=7",
        "aeron:ipc?term-length=1g",
        "aeron:ipc?linger=1000000000000",
        "aeron:ipc?sparse=true|eos=false|tether=false|rejoin=false|group=true",
        "aeron:ipc?tags=1,2|alias=x",
        "aeron:ipc?pub-wnd=1k|ssc=true|untethered-linger-timeout=1ns"})
    void shouldServeOnOurTermsWhenTheResponseChannelHasParametersOfItsOwn(final String channel) {
        start();
        final RawClient odd = harness.rawClient();
        odd.hello("odd", channel, RawClient.RESPONSE_STREAM);
        odd.until("heard", () -> !odd.welcomedNonces.isEmpty());
        odd.infer(5, 1, new float[FEATURES]);
        odd.until("answered", () -> !odd.results.isEmpty());
        assertNull(harness.pipeline.state().failure());
        assertOthersAreServed();
    }

    @Test
    void shouldCountWhenARequestComesBeforeTheHello() {
        start();
        final RawClient stranger = harness.rawClient();
        final long unanswerable = harness.counter(CounterId.FRAMES_UNANSWERABLE);
        stranger.infer(1, 1, new float[FEATURES]).reset(2, 0, 1).heartbeat(3).goodbye();
        assertUnanswerable(unanswerable + 4);
        assertEquals(0, harness.pipeline.takenCount());
        stranger.welcome("stranger").infer(4, 1, new float[FEATURES]);
        stranger.until("answered", () -> stranger.results.size() == 1);
        assertOthersAreServed();
    }

    @Test
    void shouldKeepTheOrderOfAnswersWhenGoodAndBadRequestsMix() {
        start();
        for (int request = 0; request < 50; request++) {
            bad.infer(request, 1, new float[request % 2 == 0 ? FEATURES : FEATURES + 1]);
        }
        bad.until("all answered", () -> bad.results.size() == 25 && bad.rejections.size() == 25);
        for (int index = 0; index < 25; index++) {
            assertEquals(2 * index, bad.results.get(index).correlationId());
            assertEquals(index, bad.results.get(index).sequence());
            assertEquals(2 * index + 1, bad.rejections.get(index).correlationId());
        }
    }

    @Test
    void shouldGoOnWhenAClientSendsMoreBadFramesThanTheCommandQueueHolds() {
        start();
        frame.setMemory(0, 64, (byte) 0xEE);
        int sent = 0;
        for (int burst = 0; burst < 100; burst++) {
            while (sent < 10_000 && bad.trySend(frame, 64)) {
                sent++;
            }
            harness.round();
        }
        final int total = sent;
        assertTrue(total > 2_000, "sent=" + total);
        bad.until("all refused", () -> bad.rejections.size() == total);
        assertOthersAreServed();
    }

    private void start() {
        start(context -> {});
    }

    private void start(final PipelineHarness.Change change) {
        start(RandomModels.lstm(1).features(FEATURES).write(directory), change);
    }

    private void start(final Path bundle, final PipelineHarness.Change change) {
        harness = new PipelineHarness(directory, bundle, change);
        good = harness.connect("good");
        bad = harness.rawClient().welcome("bad");
    }

    private static Damage shortened(final int newLength) {
        return (buffer, length) -> newLength;
    }

    private RawClient.Rejection assertRefused(
            final RejectCode code, final long correlationId, final Damage damage) {
        final int length = damage.apply(frame, RawClient.putInfer(frame, 77, 5, new float[FEATURES]));
        final long refused = harness.counter(CounterId.FRAMES_REFUSED);
        final long taken = harness.pipeline.takenCount();
        final int count = bad.rejections.size();
        bad.send(frame, length);
        bad.until("rejected", () -> bad.rejections.size() > count);
        final RawClient.Rejection rejection = bad.rejections.get(count);
        assertEquals(code, rejection.code());
        assertEquals(correlationId, rejection.correlationId());
        assertTrue(rejection.detail().contains("=" + rejection.offendingValue()), rejection.detail());
        assertEquals(refused + 1, harness.counter(CounterId.FRAMES_REFUSED));
        assertEquals(taken, harness.pipeline.takenCount());
        assertOthersAreServed();
        return rejection;
    }

    private void assertUnanswerable(final long count) {
        harness.roundsUntil("counted", () -> harness.counter(CounterId.FRAMES_UNANSWERABLE) == count);
    }

    private void assertOthersAreServed() {
        final int count = answers.count();
        assertTrue(good.infer(0, 1, new float[FEATURES], 0) > 0);
        harness.exchange(good, answers, count + 1);
        assertEquals(ResultStatus.OK, answers.results.get(answers.results.size() - 1).status());
    }
}
