package io.tiercel.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.exact.Softmax;
import io.tiercel.appliance.engine.exact.TokenSampler;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.protocol.journal.Arithmetic;
import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.protocol.journal.OutcomeEncoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.ForkSessionEncoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.GenerateEncoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A journal of one model that takes tokens and whose sessions fill up. */
class TokenReplayTest {

    private static final int COUNT = 300;
    private static final int CONTEXT = 12;
    private static final int SESSIONS = 3;
    private static final int MAX_STEPS = 4;
    private static final int OUTPUTS = 6;
    private static final int BLOCK = 8;
    private static final int FEATURES_OFFSET = BLOCK + InferDecoder.BLOCK_LENGTH + 4;

    @TempDir
    Path directory;

    private final SplittableRandom random = new SplittableRandom(11);
    private final List<TestRecord> requests = new ArrayList<>();
    private final List<TestRecord> outcomes = new ArrayList<>();
    private final List<OutcomeStatus> statuses = new ArrayList<>();
    /** Sequences of the tokens that were drawn. */
    private final List<Integer> drawn = new ArrayList<>();
    private final int[] takenSteps = new int[SESSIONS];
    private final UnsafeBuffer tokens = new UnsafeBuffer(BufferUtil.allocateDirectAligned(64, 64));
    private final UnsafeBuffer outputs =
            new UnsafeBuffer(BufferUtil.allocateDirectAligned(MAX_STEPS * OUTPUTS * Float.BYTES, 64));
    private Bundle bundle;

    @BeforeEach
    void setUp() throws IOException {
        final Path bundles = Files.createDirectories(directory.resolve("bundles"));
        bundle = Bundle.open(RandomTransformers.writeTokens(5, CONTEXT, directory));
        Files.copy(bundle.path(), bundles.resolve(bundle.versionHex() + ".safetensors"));
        try (Model model = Backends.select("reference", bundle).load(bundle, 1);
                ModelExecutor executor = model.newExecutor(1);
                SessionStates states = new SessionStates(SESSIONS, model, bundle.version())) {
            for (int sequence = 0; sequence < COUNT; sequence++) {
                final int session = random.nextInt(SESSIONS);
                states.ensureInitialised(session, executor);
                switch (random.nextInt(8)) {
                    case 0 -> reset(sequence, session, states, executor);
                    case 1 -> fork(sequence, session, random.nextInt(SESSIONS), states);
                    case 2, 3 -> generate(sequence, session, states, (TokenExecutor) executor);
                    default -> infer(sequence, session, states, executor);
                }
            }
        }
    }

    @Test
    void shouldFindTheSameSessionsFull() {
        final ReplayReport report = verify();

        assertTrue(report.isIdentical(), () -> report.divergence() + " " + report.damage());
        assertEquals(COUNT, report.identicalCount());
        assertTrue(statuses.stream().filter(status -> status == OutcomeStatus.CONTEXT_FULL).count() > 20);
        assertTrue(statuses.stream().filter(status -> status == OutcomeStatus.OK).count() > 80);
        assertTrue(statuses.stream().filter(status -> status == OutcomeStatus.FORKED).count() > 20);
        assertEquals("transformer", report.models().get(0).family());
    }

    @Test
    void shouldDivergeWhenARequestThatFitsIsSaidNotTo() {
        assertDiverges(statuses.indexOf(OutcomeStatus.OK), OutcomeStatus.CONTEXT_FULL, OutcomeStatus.OK);
    }

    @Test
    void shouldDivergeWhenARequestThatDoesNotFitIsSaidTo() {
        assertDiverges(statuses.indexOf(OutcomeStatus.CONTEXT_FULL), OutcomeStatus.OK, OutcomeStatus.CONTEXT_FULL);
    }

    @Test
    void shouldNameTheTokenThatTheVocabularyDoesNotHave() {
        for (final int stray : new int[] {TransformerSetting.SMALL_VOCABULARY, Integer.MAX_VALUE, -1}) {
            final int sequence = statuses.indexOf(OutcomeStatus.OK);
            requests.get(sequence).buffer().putInt(FEATURES_OFFSET, stray, ByteOrder.LITTLE_ENDIAN);

            final ReplayReport report = verify();

            assertNull(report.divergence());
            assertEquals(DamageKind.MALFORMED_FRAME, report.damage().kind());
            assertEquals(sequence, report.damage().sequence());
            assertEquals("step=0 token=" + Integer.toUnsignedString(stray) + " but modelVersion=" +
                    bundle.versionHex() + " has vocabularySize=23", report.damage().detail());
        }
    }

    /** Even where it was never computed: no appliance would have taken it. */
    @Test
    void shouldNameAStrayTokenOfARequestThatDidNotFit() {
        final int sequence = statuses.indexOf(OutcomeStatus.CONTEXT_FULL);
        requests.get(sequence).buffer().putInt(FEATURES_OFFSET, 99, ByteOrder.LITTLE_ENDIAN);

        assertEquals(sequence, verify().damage().sequence());
    }

    @Test
    void shouldDivergeWhenATokenIsNotTheOneThatIsDrawn() {
        final int sequence = drawn.get(drawn.size() / 2);
        final UnsafeBuffer outcome = outcomes.get(sequence).buffer();
        final int outputsOffset = outcome.capacity() - 2 * Float.BYTES;
        outcome.putInt(outputsOffset, outcome.getInt(outputsOffset) ^ 1);

        final Divergence divergence = verify().divergence();

        assertEquals(sequence, divergence.sequence());
        assertEquals("outputs[0]", divergence.field());
    }

    @Test
    void shouldNameTheSourceOfAForkThatIsNotThere() {
        final int sequence = statuses.indexOf(OutcomeStatus.FORKED);
        requests.get(sequence).buffer().putLong(
                BLOCK + ForkSessionDecoder.sourceKeyEncodingOffset(), 99, ByteOrder.LITTLE_ENDIAN);

        final ReplayReport report = verify();

        assertEquals(DamageKind.MALFORMED_FRAME, report.damage().kind());
        assertEquals(sequence, report.damage().sequence());
        assertEquals("sourceKey=99 is no session's", report.damage().detail());
    }

    @Test
    void shouldNameAGenerateThatNoApplianceWouldHaveTaken() {
        final int sequence = drawn.get(0);
        requests.get(sequence).buffer().putShort(
                BLOCK + GenerateDecoder.maxTokensEncodingOffset(), (short) 0, ByteOrder.LITTLE_ENDIAN);

        final ReplayReport report = verify();

        assertEquals(DamageKind.MALFORMED_FRAME, report.damage().kind());
        assertEquals("the frame would be refused: rejectCode=26 value=0 allowed=65534", report.damage().detail());
    }

    /** Forks between sessions of different shards among them. */
    @Test
    void shouldFindTheSameWhateverTheNumberOfThreads() {
        final int sequence = statuses.lastIndexOf(OutcomeStatus.FORKED);
        assertSameOnManyThreads();
        final UnsafeBuffer outcome = outcomes.get(sequence).buffer();
        final int hashOffset = BLOCK + OutcomeDecoder.stateHashEncodingOffset();
        outcome.putLong(hashOffset, ~outcome.getLong(hashOffset));
        assertSameOnManyThreads();
        assertEquals(sequence, verify().divergence().sequence());
    }

    private void assertSameOnManyThreads() {
        final ReplayReport expected = verify(1);
        for (int threads = 2; threads <= 4; threads++) {
            assertEquals(expected, verify(threads));
        }
    }

    private void assertDiverges(final int sequence, final OutcomeStatus said, final OutcomeStatus computed) {
        outcomes.get(sequence).buffer().putByte(
                BLOCK + OutcomeDecoder.statusEncodingOffset(), (byte) said.value());

        final Divergence divergence = verify().divergence();

        assertEquals(sequence, divergence.sequence());
        assertEquals("status", divergence.field());
        assertEquals(said.name(), divergence.expected());
        assertEquals(computed.name(), divergence.actual());
    }

    private ReplayReport verify() {
        return verify(2);
    }

    private ReplayReport verify(final int threads) {
        try (JoinedJournal journal =
                new JoinedJournal(new MemoryRecords(requests), new MemoryRecords(outcomes))) {
            return new ReplayVerifier(new ReplayOptions()
                    .journalDirectory(directory)
                    .backend("reference")
                    .threads(threads)
                    .nanoClock(() -> 0)
                    .processorClock(() -> 0)).verify(journal);
        }
    }

    private void reset(
            final int sequence, final int session, final SessionStates states, final ModelExecutor executor) {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[256]);
        final ResetSessionEncoder reset = new ResetSessionEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(1 + sequence)
                .sessionKey(session)
                .modelId(0);
        requests.add(record(sequence, frame, reset.encodedLength()));
        states.reset(session, executor);
        takenSteps[session] = 0;
        addOutcome(sequence, session, 0, OutcomeStatus.RESET, states.hash(session), 0);
    }

    private void fork(final int sequence, final int session, final int source, final SessionStates states) {
        if (!states.isInitialised(source)) {
            fork(sequence, session, session, states);
            return;
        }
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[256]);
        final ForkSessionEncoder fork = new ForkSessionEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(1 + sequence)
                .sessionKey(session)
                .sourceKey(source)
                .modelId(0);
        requests.add(record(sequence, frame, fork.encodedLength()));
        states.fork(source, session);
        takenSteps[session] = takenSteps[source];
        addOutcome(sequence, session, 0, OutcomeStatus.FORKED, states.hash(session), 0);
    }

    /** The third token of five, as the appliance would ask for it. */
    private void generate(
            final int sequence, final int session, final SessionStates states, final TokenExecutor executor) {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[256]);
        tokens.putInt(0, random.nextInt(TransformerSetting.SMALL_VOCABULARY));
        final float temperature = random.nextInt(2) * 1.5f;
        final GenerateEncoder generate = new GenerateEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(1 + sequence)
                .sessionKey(session)
                .budgetNs(0)
                .seed(sequence)
                .temperature(temperature)
                .modelId(0)
                .tokenCount(1)
                .maxTokens(5)
                .madeTokens(2)
                .topTokens(7)
                .stopCount(0)
                .putTokens(tokens, 0, Integer.BYTES);
        generate.putStopTokens(tokens, 0, 0);
        requests.add(record(sequence, frame, generate.encodedLength()));
        if (takenSteps[session] == CONTEXT) {
            addOutcome(sequence, session, 1, OutcomeStatus.CONTEXT_FULL, states.hash(session), 0);
            return;
        }
        takenSteps[session]++;
        states.steps(session, executor, tokens.addressOffset(), 1, outputs.addressOffset(), 0);
        if (temperature != 0) {
            draw(executor, temperature, sequence);
            drawn.add(sequence);
        }
        addOutcome(sequence, session, 1, OutcomeStatus.OK, states.hash(session), 2 * Float.BYTES);
    }

    private void draw(final TokenExecutor executor, final float temperature, final long seed) {
        final float[] logits = new float[executor.vocabularySize()];
        for (int token = 0; token < logits.length; token++) {
            logits[token] = UnsafeApi.getFloat(executor.logitsAddress(0) + (long) token * Float.BYTES);
        }
        final int token = new TokenSampler(logits.length).draw(logits, temperature, 7, seed, 2);
        Softmax.apply(logits, new int[logits.length], logits.length);
        outputs.putInt(0, token);
        outputs.putFloat(Integer.BYTES, logits[token]);
    }

    private void infer(
            final int sequence, final int session, final SessionStates states, final ModelExecutor executor) {
        final int stepCount = 1 + random.nextInt(MAX_STEPS);
        final boolean isStream = random.nextBoolean();
        for (int step = 0; step < stepCount; step++) {
            tokens.putInt(step * Integer.BYTES, random.nextInt(TransformerSetting.SMALL_VOCABULARY));
        }
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[256]);
        final InferEncoder infer = new InferEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder())
                .correlationId(1 + sequence)
                .sessionKey(session)
                .budgetNs(0)
                .modelId(0)
                .stepCount(stepCount)
                .featureCount(1);
        infer.flags().clear().stream(isStream);
        infer.putFeatures(tokens, 0, stepCount * Integer.BYTES);
        requests.add(record(sequence, frame, infer.encodedLength()));
        final int stride = isStream ? OUTPUTS * Float.BYTES : 0;
        if (takenSteps[session] + stepCount > CONTEXT) {
            addOutcome(sequence, session, stepCount, OutcomeStatus.CONTEXT_FULL, states.hash(session), 0);
        } else {
            takenSteps[session] += stepCount;
            states.steps(session, executor, tokens.addressOffset(), stepCount, outputs.addressOffset(), stride);
            addOutcome(sequence, session, stepCount, OutcomeStatus.OK, states.hash(session),
                    (stepCount - 1) * stride + OUTPUTS * Float.BYTES);
        }
    }

    private void addOutcome(
            final int sequence, final int session, final int stepCount, final OutcomeStatus status,
            final long stateHash, final int outputsLength) {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[512]);
        final OutcomeEncoder outcome = new OutcomeEncoder()
                .wrapAndApplyHeader(frame, 0, new io.tiercel.protocol.journal.MessageHeaderEncoder())
                .correlationId(1 + sequence)
                .sessionKey(session)
                .stateHash(stateHash)
                .modelId(0)
                .batchSize(1)
                .stepCount(stepCount)
                .outputCount(Math.min(OUTPUTS, outputsLength / Float.BYTES))
                .status(status)
                .arithmetic(Arithmetic.EXACT)
                .putOutputs(outputs, 0, outputsLength);
        outcomes.add(record(sequence, frame, outcome.encodedLength()));
        statuses.add(status);
    }

    private TestRecord record(final int sequence, final UnsafeBuffer frame, final int encodedLength) {
        return new TestRecord(sequence, 1_000L * sequence, 77, bundle.version(),
                Arrays.copyOf(frame.byteArray(), BLOCK + encodedLength));
    }
}
