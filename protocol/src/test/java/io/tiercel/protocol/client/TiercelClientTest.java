package io.tiercel.protocol.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.Aeron;
import io.tiercel.protocol.wire.Durability;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.HelloDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.Overload;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TiercelClientTest {

    private static final int MODEL_ID = FakeAppliance.MODEL_ID;
    private static final float[] FEATURES = {1, 2, 3, 4, 5};

    private final Wire wire = new Wire();
    private final FakeAppliance appliance = wire.appliance;
    private final RecordingHandler handler = new RecordingHandler();
    private TiercelClient client;

    @AfterEach
    void tearDown() {
        if (client != null) {
            client.close();
        }
        wire.close();
    }

    @Test
    void shouldKnowTheModelsAndLimitsWhenWelcomed() {
        client = wire.connect();
        final String version = "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8";
        assertEquals(List.of(new ModelInfo(MODEL_ID, "flow", 5, 3, version, 0, 0)), client.models());
        assertEquals(client.models().get(0), client.model("flow"));
        assertEquals(9, client.clientId());
        assertEquals(4096, client.maxFrameLength());
        assertEquals(4096, client.maxSessions());
        assertEquals(1024, client.maxInFlight());
        assertEquals(8, client.maxSteps());
        assertEquals(Durability.DISK, client.durability());
        assertEquals(Overload.SHED, client.overload());
        assertEquals(2_048, client.retryWindow());
        assertEquals(50_000, client.maxRatePerSecond());
        assertEquals("desk-7", appliance.principal);
        assertTrue(client.isConnected());
        final Exception ex = assertThrows(IllegalArgumentException.class, () -> client.model("flaw"));
        assertTrue(ex.getMessage().startsWith("alias=flaw "), ex.getMessage());
    }

    @Test
    void shouldDeliverTheAnswerWhenARequestIsSent() {
        client = wire.connect();
        assertEquals(1, client.infer(MODEL_ID, 42, FEATURES, 0));
        assertEquals(1, client.inFlight());
        assertLines("result 1 session 42 sequence 0 OK ns 1234 batch 1 [15.0, 16.0, 17.0]");
        assertEquals(0, client.inFlight());
    }

    @Test
    void shouldNumberRequestsFromOneWhenTheyAreSentInARow() {
        client = wire.connect();
        for (int i = 1; i <= 20; i++) {
            assertEquals(i, client.infer(MODEL_ID, i, FEATURES, 0));
        }
        awaitLines(20);
        for (int i = 1; i <= 20; i++) {
            assertTrue(handler.lines.get(i - 1).startsWith("result " + i + " session " + i + " "));
        }
    }

    @Test
    void shouldNumberRequestsFromAnIdOfTheirOwnWhenConnectionsDeriveTheirs() {
        wire.context.firstCorrelationId(0);
        client = wire.connect();
        final long first = client.infer(MODEL_ID, 1, FEATURES, 0);
        assertTrue(first > 0);
        assertEquals(first + 1, client.resetSession(MODEL_ID, 1));
        reconnect();
        final long firstOfNext = client.infer(MODEL_ID, 1, FEATURES, 0);
        assertTrue(firstOfNext > 0);
        assertTrue(Math.abs(firstOfNext - first) > 1_000_000_000_000L, first + " and " + firstOfNext);
    }

    @Test
    void shouldSendTheSameBytesWhenARequestIsSentAgainOnANewConnection() {
        client = wire.connect();
        final long id = client.infer(MODEL_ID, 42, FEATURES, 1_000);
        assertSameBytesAgain(id, () -> client.inferAgain(id, MODEL_ID, 42, FEATURES, 1_000));
    }

    @Test
    void shouldSendTheSameBytesWhenAStreamedRequestIsSentAgain() {
        client = wire.connect();
        final long id = client.infer(MODEL_ID, 42, features(3), 4, 3, 0, true);
        assertSameBytesAgain(id, () -> client.inferAgain(id, MODEL_ID, 42, features(3), 4, 3, 0, true));
    }

    @Test
    void shouldSendTheSameBytesWhenAResetIsSentAgain() {
        client = wire.connect();
        final long id = client.resetSession(MODEL_ID, 42);
        assertSameBytesAgain(id, () -> client.resetSessionAgain(id, MODEL_ID, 42));
    }

    @Test
    void shouldSendTheSameBytesWhenAForkIsSentAgain() {
        client = wire.connect();
        final long id = client.forkSession(MODEL_ID, 42, 41);
        assertSameBytesAgain(id, () -> client.forkSessionAgain(id, MODEL_ID, 42, 41));
    }

    @Test
    void shouldSendTheSameBytesWhenAGenerationIsSentAgain() {
        appliance.featureCount = 1;
        appliance.vocabularySize = 100;
        client = wire.connect();
        final Generation generation = new Generation()
                .maxTokens(5).temperature(0.5f).topTokens(3).seed(-7).stopTokens(98, 99);
        final int[] tokens = {1, 2, 3};
        final long id = client.generate(MODEL_ID, 42, tokens, generation, 1_000);
        assertSameBytesAgain(id, () -> client.generateAgain(id, MODEL_ID, 42, tokens, generation, 1_000));
    }

    @Test
    void shouldLeaveAnIdForEachTokenOfAGeneration() {
        appliance.featureCount = 1;
        appliance.vocabularySize = 100;
        client = wire.connect();
        final long id = client.generate(MODEL_ID, 42, new int[] {1}, new Generation().maxTokens(5), 0);
        assertEquals(id + 5, client.resetSession(MODEL_ID, 42));
        awaitLines(2);
        assertEquals(0, client.inFlight());
    }

    @Test
    void shouldRefuseToGenerateWhatNoApplianceWouldAccept() {
        appliance.featureCount = 1;
        appliance.vocabularySize = 100;
        client = wire.connect();
        final Generation generation = new Generation();
        assertRefused("tokens[1]=100 ", () -> client.generate(MODEL_ID, 1, new int[] {1, 100}, generation, 0));
        assertRefused("stepCount=0 ", () -> client.generate(MODEL_ID, 1, new int[0], generation, 0));
        assertRefused("stepCount=9 ", () -> client.generate(MODEL_ID, 1, new int[9], generation, 0));
        assertRefused("modelId=4 ", () -> client.generate(4, 1, new int[1], generation, 0));
        assertRefused("modelId=4 ", () -> client.forkSession(4, 1, 2));
        assertRefused("correlationId=0 ", () -> client.generateAgain(0, MODEL_ID, 1, new int[1], generation, 0));
        assertRefused("correlationId=0 ", () -> client.cancelGeneration(0));
        assertRefused("maxTokens=0 ", () -> generation.maxTokens(0));
        assertRefused("maxTokens=65535 ", () -> generation.maxTokens(65_535));
        assertRefused("temperature=-1.0 ", () -> generation.temperature(-1));
        assertRefused("temperature=NaN ", () -> generation.temperature(Float.NaN));
        assertRefused("temperature=1.4E-45 ", () -> generation.temperature(Float.MIN_VALUE));
        assertRefused("topTokens=-1 ", () -> generation.topTokens(-1));
        assertRefused("stopTokens.length=17 ", () -> generation.stopTokens(new int[17]));
    }

    @Test
    void shouldNotGenerateWhenTheApplianceIsOlder() {
        appliance.version = 2;
        client = wire.connect();
        assertThrows(UnsupportedOperationException.class,
                () -> client.generate(MODEL_ID, 1, new int[1], new Generation(), 0));
        assertThrows(UnsupportedOperationException.class, () -> client.forkSession(MODEL_ID, 1, 2));
        assertThrows(UnsupportedOperationException.class, () -> client.cancelGeneration(1));
    }

    @Test
    void shouldSendTheSameBytesWhenALongRequestIsSentAgain() {
        appliance.featureCount = 1000;
        client = wire.connect();
        final float[] features = new float[1000];
        features[999] = 3;
        final long id = client.infer(MODEL_ID, 42, features, 0);
        assertSameBytesAgain(id, () -> client.inferAgain(id, MODEL_ID, 42, features, 0));
    }

    @Test
    void shouldGoOnCountingWhenARequestWasSentAgain() {
        client = wire.connect();
        assertEquals(1, client.infer(MODEL_ID, 1, FEATURES, 0));
        assertEquals(900, client.inferAgain(900, MODEL_ID, 1, FEATURES, 0));
        assertEquals(901, client.resetSessionAgain(901, MODEL_ID, 1));
        assertEquals(2, client.infer(MODEL_ID, 1, FEATURES, 0));
        assertEquals(4, client.inFlight());
        awaitLines(4);
        assertEquals(0, client.inFlight());
        assertTrue(handler.lines.get(1).startsWith("result 900 session 1 "), handler.lines.get(1));
    }

    @Test
    void shouldPushBackWhenARequestIsSentAgainAndTheLimitIsReached() {
        appliance.maxInFlight = 1;
        client = wire.connect();
        client.infer(MODEL_ID, 1, FEATURES, 0);
        assertEquals(TiercelClient.BACK_PRESSURED, client.inferAgain(7, MODEL_ID, 1, FEATURES, 0));
        assertEquals(TiercelClient.BACK_PRESSURED, client.resetSessionAgain(7, MODEL_ID, 1));
        client.close();
        assertEquals(TiercelClient.CLOSED, client.inferAgain(7, MODEL_ID, 1, FEATURES, 0));
    }

    @Test
    void shouldRefuseToSendAgainWhatNoApplianceWouldAccept() {
        client = wire.connect();
        assertRefused("correlationId=0 ", () -> client.inferAgain(0, MODEL_ID, 1, FEATURES, 0));
        assertRefused("correlationId=-1 ", () -> client.inferAgain(-1, MODEL_ID, 1, features(1), 4, 1, 0, false));
        assertRefused("correlationId=-3 ", () -> client.resetSessionAgain(-3, MODEL_ID, 1));
        assertRefused("modelId=4 ", () -> client.inferAgain(1, 4, 1, FEATURES, 0));
        assertRefused("features.length=4 ", () -> client.inferAgain(1, MODEL_ID, 1, new float[4], 0));
    }

    @Test
    void shouldKnowTheVocabularyAndTheContextWhenAModelTakesTokens() {
        appliance.featureCount = 1;
        appliance.vocabularySize = 32_000;
        appliance.contextTokens = 512;
        client = wire.connect();
        assertEquals(32_000, client.model("flow").vocabularySize());
        assertEquals(512, client.model("flow").contextTokens());
        assertTrue(client.model("flow").hasTokens());
    }

    @Test
    void shouldSendTokensAsTheyAre() {
        appliance.featureCount = 1;
        appliance.vocabularySize = 32_000;
        client = wire.connect();
        final int[] tokens = {9, 31_999, 0, 7};
        assertEquals(1, client.inferTokens(MODEL_ID, 42, tokens, 1, 3, 0, true));
        wire.await("the request", () -> appliance.requestCount == 1);
        assertEquals(48 + 3 * 4, appliance.requestLength);
        assertEquals(3, appliance.request.getShort(34, ByteOrder.LITTLE_ENDIAN));
        assertEquals(1, appliance.request.getShort(36, ByteOrder.LITTLE_ENDIAN));
        assertEquals(1, appliance.request.getShort(38, ByteOrder.LITTLE_ENDIAN));
        for (int step = 0; step < 3; step++) {
            assertEquals(tokens[1 + step], appliance.request.getInt(48 + 4 * step, ByteOrder.LITTLE_ENDIAN));
        }
        assertEquals(2, client.inferTokens(MODEL_ID, 42, tokens, 0));
        awaitLines(4);
        assertEquals(0, client.inFlight());
    }

    @Test
    void shouldSendTheSameBytesWhenTokensAreSentAgain() {
        appliance.featureCount = 1;
        appliance.vocabularySize = 10;
        client = wire.connect();
        final int[] tokens = {1, 2, 3};
        final long id = client.inferTokens(MODEL_ID, 42, tokens, 1_000);
        assertSameBytesAgain(id, () -> client.inferTokensAgain(id, MODEL_ID, 42, tokens, 0, 3, 1_000, false));
    }

    @Test
    void shouldRefuseTokensThatTheModelDoesNotHave() {
        appliance.featureCount = 1;
        appliance.vocabularySize = 10;
        client = wire.connect();
        assertRefused("tokens[1]=10 ", () -> client.inferTokens(MODEL_ID, 1, new int[] {9, 10}, 0));
        assertRefused("tokens[0]=-1 ", () -> client.inferTokens(MODEL_ID, 1, new int[] {-1}, 0));
        assertRefused("offset=1 stepCount=2 ",
                () -> client.inferTokens(MODEL_ID, 1, new int[2], 1, 2, 0, false));
        assertRefused("offset=-1 ", () -> client.inferTokens(MODEL_ID, 1, new int[2], -1, 2, 0, false));
        assertRefused("stepCount=0 ", () -> client.inferTokens(MODEL_ID, 1, new int[0], 0));
        assertRefused("modelId=4 ", () -> client.inferTokens(4, 1, new int[1], 0));
        assertRefused("correlationId=0 ", () -> client.inferTokensAgain(0, MODEL_ID, 1, new int[1], 0, 1, 0, false));
        assertEquals(1, client.inferTokens(MODEL_ID, 1, new int[] {0, 9}, 0));
    }

    @Test
    void shouldRefuseTokensWhenTheModelTakesFeatures() {
        client = wire.connect();
        assertRefused("tokens[0]=0 ", () -> client.inferTokens(MODEL_ID, 1, new int[1], 0));
    }

    @Test
    void shouldDeliverAResultWithoutOutputsWhenTheContextIsFull() {
        appliance.answersInfersWith = ResultStatus.CONTEXT_FULL;
        client = wire.connect();
        client.infer(MODEL_ID, 42, FEATURES, 0);
        assertLines("result 1 session 42 sequence 0 CONTEXT_FULL ns 1234 batch 1 []");
        assertTrue(client.isConnected());
    }

    @Test
    void shouldSpeakTheAppliancesVersionWhenThatIsOlder() {
        appliance.version = 1;
        client = wire.connect();
        assertEquals(2, appliance.helloCount);
        assertEquals(1, appliance.newestVersion);
        assertEquals(0, client.model("flow").vocabularySize());
        assertEquals(0, client.model("flow").contextTokens());
        client.infer(MODEL_ID, 42, FEATURES, 0);
        assertLines("result 1 session 42 sequence 0 OK ns 1234 batch 1 [15.0, 16.0, 17.0]");
        wire.clock.advance(TimeUnit.SECONDS.toNanos(1));
        wire.await("a heartbeat", () -> poll() && appliance.heartbeatCount == 1);
        client.close();
        wire.await("a goodbye", () -> appliance.goodbye != null);
        assertEquals(1, appliance.newestVersion);
        assertEquals(0, appliance.brokenFrameCount);
    }

    @Test
    void shouldDeliverARejectWhenTheIdBelongsToAnotherRequest() {
        client = wire.connect();
        appliance.answersRequests = false;
        client.inferAgain(77, MODEL_ID, 1, FEATURES, 0);
        wire.await("the request", () -> appliance.requestCount == 1);
        appliance.sendReject(77, RejectCode.CORRELATION_ID_REUSED, InferDecoder.TEMPLATE_ID, "sequence=7");
        assertLines("reject 77 CORRELATION_ID_REUSED 7 5 sequence=7");
        assertEquals(0, client.inFlight());
        assertTrue(client.isConnected());
    }

    @Test
    void shouldAskForTheLastStepWhenSeveralStepsAreSent() {
        client = wire.connect();
        client.infer(MODEL_ID, 42, new float[] {1, 1, 1, 1, 1, 2, 2, 2, 2, 2}, 0);
        assertLines("result 1 session 42 sequence 0 OK ns 1234 batch 1 [10.0, 11.0, 12.0]");
    }

    @Test
    void shouldDeliverAChunkForEachStepButTheLastWhenStreaming() {
        client = wire.connect();
        client.infer(MODEL_ID, -7, features(3), 4, 3, 1000, true);
        assertLines(
                "chunk 1 session -7 sequence 0 step 0 [0.0, 1.0, 2.0]",
                "chunk 1 session -7 sequence 0 step 1 [5.0, 6.0, 7.0]",
                "result 1 session -7 sequence 0 OK ns 1234 batch 1 [10.0, 11.0, 12.0]");
    }

    @Test
    void shouldDeliverOnlyTheResultWhenNotStreaming() {
        client = wire.connect();
        client.infer(MODEL_ID, -7, features(3), 4, 3, 1000, false);
        assertLines("result 1 session -7 sequence 0 OK ns 1234 batch 1 [10.0, 11.0, 12.0]");
    }

    @Test
    void shouldSayThatASessionBeganBeforeTheFirstFrameOfTheAnswer() {
        appliance.beginsSessions = true;
        client = wire.connect();
        client.infer(MODEL_ID, 7, features(3), 4, 3, 1000, true);
        client.infer(MODEL_ID, 8, FEATURES, 0);
        assertLines(
                "began 1 session 7 sequence 0",
                "chunk 1 session 7 sequence 0 step 0 [0.0, 1.0, 2.0]",
                "chunk 1 session 7 sequence 0 step 1 [5.0, 6.0, 7.0]",
                "result 1 session 7 sequence 0 OK ns 1234 batch 1 [10.0, 11.0, 12.0]",
                "began 2 session 8 sequence 1",
                "result 2 session 8 sequence 1 OK ns 1234 batch 1 [15.0, 16.0, 17.0]");
    }

    @Test
    void shouldSayNothingOfASessionsBeginWhenTheApplianceIsOlder() {
        appliance.beginsSessions = true;
        appliance.version = 3;
        client = wire.connect();
        client.infer(MODEL_ID, 8, FEATURES, 0);
        assertLines("result 1 session 8 sequence 0 OK ns 1234 batch 1 [15.0, 16.0, 17.0]");
    }

    @Test
    void shouldDeliverAResultWithoutOutputsWhenASessionIsReset() {
        client = wire.connect();
        client.resetSession(MODEL_ID, Long.MIN_VALUE);
        assertLines("result 1 session -9223372036854775808 sequence 0 RESET ns 1234 batch 1 []");
    }

    @Test
    void shouldCarryFramesOfAnyAllowedLengthWhenTheyAreLongerThanAeronsMtu() {
        appliance.featureCount = 500;
        appliance.outputCount = 700;
        client = wire.connect();
        final float[] features = new float[1000];
        features[999] = 3;
        for (int i = 0; i < 50; i++) {
            assertEquals(i + 1, client.infer(MODEL_ID, 1, features, 0));
            awaitLines(i + 1);
            assertTrue(handler.lines.get(i).contains("[3.0, 4.0, "));
            assertTrue(handler.lines.get(i).endsWith(", 702.0]"));
        }
        assertEquals(0, appliance.brokenFrameCount);
    }

    @Test
    void shouldRefuseArgumentsThatNoApplianceWouldAccept() {
        client = wire.connect();
        assertRefused("modelId=4 ", () -> client.infer(4, 1, FEATURES, 0));
        assertRefused("modelId=-1 ", () -> client.resetSession(-1, 1));
        assertRefused("features.length=4 ", () -> client.infer(MODEL_ID, 1, new float[4], 0));
        assertRefused("stepCount=0 ", () -> client.infer(MODEL_ID, 1, new float[0], 0));
        assertRefused("stepCount=9 ", () -> client.infer(MODEL_ID, 1, new float[45], 0));
        assertRefused("stepCount=-1 ", () -> client.infer(MODEL_ID, 1, features(1), 0, -1, 0, false));
        assertRefused("budgetNs=-1 ", () -> client.infer(MODEL_ID, 1, FEATURES, -1));
        assertRefused("offset=8 length=20 ", () -> client.infer(MODEL_ID, 1, features(1), 8, 1, 0, false));
        assertRefused("offset=-1 length=20 ", () -> client.infer(MODEL_ID, 1, features(1), -1, 1, 0, false));
        wire.run();
        assertEquals(0, appliance.requestCount);
        assertEquals(0, client.inFlight());
        assertEquals(1, client.infer(MODEL_ID, 1, FEATURES, 0));
    }

    @Test
    void shouldRefuseAFrameThatIsTooLongWhenTheWelcomeSaysSo() {
        appliance.maxFrameLength = 48 + 2 * 20;
        client = wire.connect();
        assertRefused("floatCount=15 ", () -> client.infer(MODEL_ID, 1, new float[15], 0));
        assertEquals(1, client.infer(MODEL_ID, 1, new float[10], 0));
    }

    @Test
    void shouldPushBackWhenTheLimitOfRequestsInFlightIsReached() {
        appliance.maxInFlight = 2;
        client = wire.connect();
        assertEquals(1, client.infer(MODEL_ID, 1, FEATURES, 0));
        assertEquals(2, client.resetSession(MODEL_ID, 1));
        assertEquals(TiercelClient.BACK_PRESSURED, client.infer(MODEL_ID, 1, FEATURES, 0));
        assertEquals(TiercelClient.BACK_PRESSURED, client.resetSession(MODEL_ID, 1));
        awaitLines(2);
        assertEquals(3, client.infer(MODEL_ID, 1, FEATURES, 0));
    }

    @Test
    void shouldPushBackAndLoseNothingWhenTheApplianceDoesNotRead() {
        appliance.maxInFlight = 1_000_000;
        client = wire.connect();
        appliance.reads = false;
        long lastId = 0;
        long id = client.infer(MODEL_ID, 1, FEATURES, 0);
        while (id > 0) {
            lastId = id;
            id = client.infer(MODEL_ID, 1, FEATURES, 0);
        }
        assertEquals(TiercelClient.BACK_PRESSURED, id);
        assertEquals(lastId, client.inFlight());
        assertTrue(client.isConnected());
        appliance.reads = true;
        awaitLines((int) lastId);
        assertEquals(lastId + 1, client.infer(MODEL_ID, 1, FEATURES, 0));
        awaitLines((int) lastId + 1);
        assertEquals(lastId + 1, appliance.requestCount);
    }

    @Test
    void shouldPushBackOnALongFrameWhenTheApplianceDoesNotRead() {
        appliance.featureCount = 1000;
        client = wire.connect();
        appliance.reads = false;
        final float[] features = new float[1000];
        long lastId = 0;
        long id = client.infer(MODEL_ID, 1, features, 0);
        while (id > 0) {
            lastId = id;
            id = client.infer(MODEL_ID, 1, features, 0);
        }
        assertEquals(TiercelClient.BACK_PRESSURED, id);
        assertEquals(lastId, client.inFlight());
        appliance.reads = true;
        awaitLines((int) lastId);
        assertEquals(0, client.inFlight());
    }

    @Test
    void shouldSendAHeartbeatWhenNothingElseWasSentForTheInterval() {
        client = wire.connect();
        settle();
        final int before = appliance.heartbeatCount;
        wire.clock.advance(TimeUnit.SECONDS.toNanos(1));
        wire.await("a heartbeat", () -> poll() && appliance.heartbeatCount == before + 1);
        settle();
        assertEquals(before + 1, appliance.heartbeatCount);
        assertEquals(List.of(), handler.lines);
    }

    @Test
    void shouldSendNoHeartbeatWhenRequestsKeepTheConnectionAlive() {
        client = wire.connect();
        settle();
        final int before = appliance.heartbeatCount;
        for (int i = 0; i < 10; i++) {
            wire.clock.advance(TimeUnit.MILLISECONDS.toNanos(900));
            client.infer(MODEL_ID, 1, FEATURES, 0);
            settle();
        }
        assertEquals(before, appliance.heartbeatCount);
    }

    @Test
    void shouldSendHeartbeatsInTimeWhenTheApplianceIsImpatient() {
        appliance.heartbeatTimeoutMs = 30;
        client = wire.connect();
        settle();
        final int before = appliance.heartbeatCount;
        wire.clock.advance(TimeUnit.MILLISECONDS.toNanos(10));
        wire.await("a heartbeat", () -> poll() && appliance.heartbeatCount == before + 1);
    }

    @Test
    void shouldLookAtTheClockAtEachPollWhenPollsAreSlow() {
        client = wire.connect();
        settle();
        for (int i = 0; i < ClientContext.DEFAULT_SERVICE_INTERVAL; i++) {
            wire.clock.advance(TimeUnit.SECONDS.toNanos(1));
            client.poll(handler, 8);
            wire.run();
        }
        for (int i = 0; i < 10; i++) {
            final int before = appliance.heartbeatCount;
            wire.clock.advance(TimeUnit.SECONDS.toNanos(1));
            client.poll(handler, 8);
            wire.await("a heartbeat", () -> appliance.heartbeatCount == before + 1);
        }
    }

    @Test
    void shouldDeliverARejectWhenARequestIsRefused() {
        client = wire.connect();
        appliance.answersRequests = false;
        client.infer(MODEL_ID, 1, FEATURES, 0);
        wire.await("the request", () -> appliance.requestCount == 1);
        appliance.sendReject(1, RejectCode.SESSION_LIMIT, InferDecoder.TEMPLATE_ID, "sessions=7 maxSessions=5");
        assertLines("reject 1 SESSION_LIMIT 7 5 sessions=7 maxSessions=5");
        assertEquals(0, client.inFlight());
        assertTrue(client.isConnected());
    }

    @Test
    void shouldDeliverEachTextWhenRefusalsSayDifferentThings() {
        client = wire.connect();
        for (final String detail : new String[] {"unfinished=65", "unfinished=65", "unfinished=66", "unfinished=6",
            ""}) {
            appliance.sendReject(1, RejectCode.OVERLOADED, HelloDecoder.TEMPLATE_ID, detail);
        }
        assertLines(
                "reject 1 OVERLOADED 7 5 unfinished=65",
                "reject 1 OVERLOADED 7 5 unfinished=65",
                "reject 1 OVERLOADED 7 5 unfinished=66",
                "reject 1 OVERLOADED 7 5 unfinished=6",
                "reject 1 OVERLOADED 7 5 ");
    }

    @Test
    void shouldDeliverARejectWithoutACodeWhenTheCodeIsNewerThanThisClient() {
        client = wire.connect();
        final UnsafeBuffer frame = frame(7, 28, 4);
        frame.putShort(8 + 24, (short) 300, ByteOrder.LITTLE_ENDIAN);
        appliance.sendAsItIs(frame, frame.capacity());
        assertLines("reject 0 NULL_VAL 0 0 ");
    }

    @Test
    void shouldDisconnectOnceWhenTheApplianceSaysGoodbye() {
        client = wire.connect();
        client.infer(MODEL_ID, 1, FEATURES, 0);
        wire.await("the request", () -> appliance.requestCount == 1);
        appliance.sendGoodbye(GoodbyeReason.SHUTTING_DOWN);
        assertLines(
                "result 1 session 1 sequence 0 OK ns 1234 batch 1 [15.0, 16.0, 17.0]",
                "goodbye SHUTTING_DOWN",
                "disconnect");
        assertFalse(client.isConnected());
        assertEquals(TiercelClient.NOT_CONNECTED, client.infer(MODEL_ID, 1, FEATURES, 0));
        assertEquals(TiercelClient.NOT_CONNECTED, client.resetSession(MODEL_ID, 1));
        assertEquals("the appliance said goodbye: reason=SHUTTING_DOWN", client.disconnectCause());
        assertEquals(0, client.poll(handler, 8));
        assertEquals(3, handler.lines.size());
    }

    @Test
    void shouldDisconnectWhenTheApplianceVanishes() {
        client = wire.connect();
        appliance.vanish();
        assertLines("disconnect");
        assertEquals(TiercelClient.NOT_CONNECTED, client.infer(MODEL_ID, 1, FEATURES, 0));
        assertEquals("the appliance's response stream ended without a goodbye", client.disconnectCause());
    }

    @Test
    void shouldReadWhatWasSentBeforeWhenTheApplianceVanishes() {
        client = wire.connect();
        client.infer(MODEL_ID, 1, FEATURES, 0);
        wire.await("the request", () -> appliance.requestCount == 1);
        appliance.vanish();
        assertLines("result 1 session 1 sequence 0 OK ns 1234 batch 1 [15.0, 16.0, 17.0]", "disconnect");
    }

    @Test
    void shouldDisconnectAndNotEndTheProcessWhenTheMediaDriverIsGone() {
        client = wire.connect();
        wire.driver.close();
        while (handler.lines.isEmpty()) {
            client.poll(handler, 8);
            Thread.yield();
        }
        assertEquals(List.of("disconnect"), handler.lines);
        assertEquals(TiercelClient.CLOSED, client.infer(MODEL_ID, 1, FEATURES, 0));
        assertTrue(client.disconnectCause().contains("has been shutdown"), client.disconnectCause());
    }

    @Test
    void shouldSayGoodbyeWhenClosed() {
        client = wire.connect();
        client.close();
        client.close();
        assertFalse(client.isConnected());
        assertEquals(TiercelClient.CLOSED, client.infer(MODEL_ID, 1, FEATURES, 0));
        assertEquals(0, client.poll(handler, 8));
        wire.await("a goodbye", () -> appliance.goodbye == GoodbyeReason.CLIENT_CLOSED);
        assertEquals(List.of(), handler.lines);
    }

    @Test
    void shouldDeliverNothingMoreWhenClosedInACallback() {
        client = wire.connect();
        for (int i = 0; i < 5; i++) {
            client.infer(MODEL_ID, 1, FEATURES, 0);
        }
        wire.await("the requests", () -> appliance.requestCount == 5);
        final CountingHandler counting = new CountingHandler() {
            @Override
            void onAnswer() {
                client.close();
            }
        };
        wire.await("an answer", () -> client.poll(counting, 8) >= 0 && counting.resultCount > 0);
        assertEquals(0, client.poll(counting, 8));
        assertEquals(1, counting.resultCount);
        assertEquals(0, counting.disconnectCount);
        wire.await("a goodbye", () -> appliance.goodbye == GoodbyeReason.CLIENT_CLOSED);
    }

    @Test
    void shouldSendWhenCalledInACallback() {
        client = wire.connect();
        final CountingHandler counting = new CountingHandler() {
            @Override
            void onAnswer() {
                if (resultCount < 100) {
                    assertTrue(client.infer(MODEL_ID, resultCount, FEATURES, 0) > 0);
                }
            }
        };
        client.infer(MODEL_ID, 0, FEATURES, 0);
        wire.await("100 answers", () -> client.poll(counting, 8) >= 0 && counting.resultCount == 100);
    }

    @Test
    void shouldThrowOutOfPollAndGoOnWhenAHandlerThrows() {
        client = wire.connect();
        client.infer(MODEL_ID, 0, FEATURES, 0);
        client.infer(MODEL_ID, 0, FEATURES, 0);
        wire.await("the requests", () -> appliance.requestCount == 2);
        final CountingHandler throwing = new CountingHandler() {
            @Override
            void onAnswer() {
                throw new IllegalStateException("the desk is on fire");
            }
        };
        final Exception ex = assertThrows(IllegalStateException.class,
                () -> wire.await("an answer", () -> client.poll(throwing, 8) < 0));
        assertEquals("the desk is on fire", ex.getMessage());
        assertLines("result 2 session 0 sequence 1 OK ns 1234 batch 1 [15.0, 16.0, 17.0]");
    }

    @Test
    void shouldDisconnectWhenTheApplianceSendsWhatCannotBeUnderstood() {
        client = wire.connect();
        appliance.sendAsItIs(frame(5, 36, 3), 47);
        final Exception ex = assertThrows(TiercelClientException.class,
                () -> wire.await("a failure", () -> client.poll(handler, 8) < 0));
        assertTrue(ex.getMessage().contains("code=5 templateId=5 offendingValue=47"), ex.getMessage());
        assertLines("disconnect");
        assertEquals(TiercelClient.NOT_CONNECTED, client.infer(MODEL_ID, 1, FEATURES, 0));
    }

    @Test
    void shouldHearOnlyItsOwnAnswersWhenClientsShareAResponseStream() {
        client = wire.connect();
        try (FakeAppliance other = new FakeAppliance(Aeron.connect(wire.aeronContext()), 7777)) {
            wire.context.requestStreamId(7777);
            final RecordingHandler otherHandler = new RecordingHandler();
            final TiercelClient[] second = new TiercelClient[1];
            try (AsyncConnect connecting = TiercelClient.asyncConnect(wire.context)) {
                wire.await("a connection", () -> other.poll() >= 0 && (second[0] = connecting.poll()) != null);
            }
            client.infer(MODEL_ID, 1, FEATURES, 0);
            second[0].infer(MODEL_ID, 2, FEATURES, 0);
            wire.await("both answers", () -> {
                other.poll();
                second[0].poll(otherHandler, 8);
                return poll() && !handler.lines.isEmpty() && !otherHandler.lines.isEmpty();
            });
            second[0].close();
            assertTrue(handler.lines.get(0).startsWith("result 1 session 1 "));
            assertTrue(otherHandler.lines.get(0).startsWith("result 1 session 2 "));
            assertEquals(1, handler.lines.size());
            assertEquals(1, otherHandler.lines.size());
        }
    }

    @Test
    void shouldLeaveASharedAeronOpenWhenClosed() {
        try (Aeron shared = Aeron.connect(wire.aeronContext())) {
            wire.context.aeron(shared);
            client = wire.connect();
            client.infer(MODEL_ID, 1, FEATURES, 0);
            awaitLines(1);
            client.close();
            assertFalse(shared.isClosed());
        }
    }

    /** Of a request that was just sent: whether it is the same frame when it is sent again after a reconnect. */
    private void assertSameBytesAgain(final long correlationId, final LongSupplier sendAgain) {
        wire.await("the request", () -> appliance.requestCount == 1);
        final byte[] first = requestBytes();
        wire.await("the answer", () -> poll() && client.inFlight() == 0);
        reconnect();
        client.infer(MODEL_ID, 1, new float[appliance.featureCount], 0);
        assertEquals(correlationId, sendAgain.getAsLong());
        assertEquals(2, client.inFlight());
        wire.await("the request again", () -> appliance.requestCount == 3);
        assertArrayEquals(first, requestBytes());
        wire.await("the answer again", () -> poll() && client.inFlight() == 0);
    }

    private byte[] requestBytes() {
        final byte[] bytes = new byte[appliance.requestLength];
        appliance.request.getBytes(0, bytes);
        return bytes;
    }

    private void reconnect() {
        client.close();
        wire.await("a goodbye", () -> appliance.goodbye != null);
        appliance.goodbye = null;
        appliance.forgetClient();
        client = wire.connect();
    }

    private boolean poll() {
        return client.poll(handler, 8) >= 0;
    }

    /** Enough turns for everything that is on its way to arrive and for the client to look at its clock. */
    private void settle() {
        for (int i = 0; i < 200; i++) {
            wire.run();
            client.poll(handler, 8);
        }
        handler.lines.clear();
    }

    private void awaitLines(final int count) {
        wire.await(count + " callbacks", () -> poll() && handler.lines.size() >= count);
    }

    private void assertLines(final String... lines) {
        awaitLines(lines.length);
        assertEquals(List.of(lines), handler.lines);
    }

    private static void assertRefused(final String start, final Runnable act) {
        final Exception ex = assertThrows(IllegalArgumentException.class, act::run);
        assertTrue(ex.getMessage().startsWith(start), ex.getMessage());
    }

    /** Steps of the fake model's five features, all of one step the step's index, from byte 4 on. */
    private static UnsafeBuffer features(final int stepCount) {
        final UnsafeBuffer features = new UnsafeBuffer(new byte[4 + stepCount * 20]);
        for (int i = 0; i < stepCount * 5; i++) {
            features.putFloat(4 + i * 4, i / 5, ByteOrder.LITTLE_ENDIAN);
        }
        return features;
    }

    private static UnsafeBuffer frame(final int templateId, final int blockLength, final int dataLength) {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[8 + blockLength + dataLength]);
        frame.putShort(0, (short) blockLength, ByteOrder.LITTLE_ENDIAN);
        frame.putShort(2, (short) templateId, ByteOrder.LITTLE_ENDIAN);
        frame.putShort(4, (short) 7001, ByteOrder.LITTLE_ENDIAN);
        frame.putShort(6, (short) 1, ByteOrder.LITTLE_ENDIAN);
        return frame;
    }
}
