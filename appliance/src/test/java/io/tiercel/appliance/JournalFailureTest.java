package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResetSessionDecoder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.Agent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a journal that cannot be written does to those who wait, and to those who come later. */
class JournalFailureTest {

    private static final int FEATURES = 8;
    private static final int REQUESTS = 10;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private TiercelClient client;
    private final Answers answers = new Answers();

    @BeforeEach
    void setUp() {
        harness = new PipelineHarness(directory, RandomModels.lstm(1).features(FEATURES).write(directory));
        client = harness.connect("desk");
    }

    @AfterEach
    void tearDown() {
        harness.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 9})
    void shouldAnswerOnlyWhatIsJournaledWhenARequestCannotBe(final int failing) {
        harness.requests.failFrom(failing);
        inferAll();
        harness.exchange(client, answers, REQUESTS);

        assertEquals(failing, answers.results.size());
        assertEquals(REQUESTS - failing, answers.rejections.size());
        for (int index = 0; index < failing; index++) {
            assertEquals(index, answers.results.get(index).sequence());
        }
        answers.rejections.forEach(rejection -> assertEquals(RejectCode.JOURNAL_UNAVAILABLE, rejection.code()));
        assertFailedAt(failing);
        assertRefusesEverything();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 9})
    void shouldAnswerWhatIsJournaledAndThenNothingWhenAnOutcomeCannotBe(final int failing) {
        harness.outcomes.failFrom(failing);
        inferAll();
        harness.exchange(client, answers, REQUESTS);

        assertTrue(answers.results.size() > failing, "an ordinary answer does not wait for its outcome");
        answers.results.forEach(result -> assertTrue(result.sequence() < harness.requests.size()));
        answers.rejections.forEach(rejection -> assertEquals(RejectCode.JOURNAL_UNAVAILABLE, rejection.code()));
        harness.rounds(10);
        assertFailedAt(failing);
        assertRefusesEverything();
    }

    @Test
    void shouldRefuseAnExpiredRequestWhenItsOutcomeCannotBeJournaled() {
        harness.outcomes.failFrom(0);
        inferLate();
        harness.exchange(client, answers, 1);
        assertEquals(RejectCode.JOURNAL_UNAVAILABLE, answers.rejections.get(0).code());
        assertFailedAt(0);
    }

    @Test
    void shouldAnswerAnExpiredRequestWhenOnlyTheNextOutcomeCannotBeJournaled() {
        harness.outcomes.failFrom(1);
        final Agent egress = harness.stages().get(harness.stages().size() - 2);
        assertTrue(client.infer(0, 1, new float[FEATURES], 1) > 0);
        assertTrue(client.infer(0, 2, new float[FEATURES], 1) > 0);
        work(harness.stages().get(0));
        work(harness.stages().get(1));
        harness.clock.update(harness.clock.nanoTime() + 100);
        for (int round = 0; round < 10; round++) {
            harness.stages().stream().filter(stage -> stage != egress).forEach(JournalFailureTest::work);
        }
        assertEquals(1, harness.outcomes.size());
        assertFailedAt(1);
        harness.exchange(client, answers, 2);
        assertEquals(ResultStatus.EXPIRED, answers.results.get(0).status());
        assertEquals(RejectCode.JOURNAL_UNAVAILABLE, answers.rejections.get(0).code());
    }

    @Test
    void shouldRefuseAllBehindAnExpiredRequestWhenItsOutcomeCannotBeJournaled() {
        harness.outcomes.failFrom(0);
        inferLate();
        infer(1);
        harness.exchange(client, answers, 2);
        assertEquals(2, harness.requests.size());
        assertEquals(2, answers.rejections.size(), "a recovery computes the first, so the second comes out otherwise");
        answers.rejections.forEach(rejection -> assertEquals(RejectCode.JOURNAL_UNAVAILABLE, rejection.code()));
    }

    @Test
    void shouldRefuseNothingThatIsJournaledWhenTheOutcomeFailsFirst() {
        harness.outcomes.failFrom(0);
        infer(1);
        harness.exchange(client, answers, 1);
        final Agent journal = harness.stages().get(2);
        assertEquals("journal", journal.roleName());
        infer(2);
        work(harness.stages().get(0));
        work(harness.stages().get(1));
        final Agent outcome = harness.stages().get(harness.stages().size() - 1);
        for (int round = 0; round < 3; round++) {
            work(harness.stages().get(3));
            work(outcome);
        }
        final Agent egress = harness.stages().get(harness.stages().size() - 2);
        work(egress);
        client.poll(answers, 16);
        assertEquals(PipelineState.Phase.JOURNAL_FAILED, harness.pipeline.state().phase());
        assertEquals(1, answers.count(), "whether it is journaled is not known yet");
        work(journal);
        work(egress);
        client.poll(answers, 16);
        assertEquals(RejectCode.JOURNAL_UNAVAILABLE, answers.rejections.get(0).code());
        assertEquals("sequence=1", answers.rejections.get(0).detail());
        assertEquals(1, harness.requests.size());
    }

    @Test
    void shouldNameTheRefusedTemplateWhenTheJournalFails() {
        final RawClient raw = harness.rawClient().welcome("raw");
        harness.requests.failFrom(0);
        raw.infer(1, 1, new float[FEATURES]).reset(2, 0, 1);
        raw.until("refused", () -> raw.rejections.size() == 2);
        assertEquals(InferDecoder.TEMPLATE_ID, raw.rejections.get(0).templateId());
        assertEquals(1, raw.rejections.get(0).correlationId());
        assertEquals(ResetSessionDecoder.TEMPLATE_ID, raw.rejections.get(1).templateId());
        assertEquals(2, raw.rejections.get(1).correlationId());
    }

    @Test
    void shouldStillGreetAndReturnHeartbeatsWhenTheJournalHasFailed() {
        harness.requests.failFrom(0);
        infer(1);
        harness.exchange(client, answers, 1);
        final RawClient late = harness.rawClient().welcome("late");
        late.heartbeat(42);
        late.until("heartbeat", () -> late.heartbeats.contains(42L));
        late.infer(1, 1, new float[FEATURES]);
        late.until("refused", () -> late.rejections.size() == 1);
        assertEquals(RejectCode.JOURNAL_UNAVAILABLE, late.rejections.get(0).code());
    }

    private void inferAll() {
        for (int request = 0; request < REQUESTS; request++) {
            infer(request % 3);
        }
    }

    private void infer(final long sessionKey) {
        assertTrue(client.infer(0, sessionKey, new float[FEATURES], 0) > 0);
    }

    private void inferLate() {
        assertTrue(client.infer(0, 1, new float[FEATURES], 1) > 0);
        work(harness.stages().get(0));
        work(harness.stages().get(1));
        harness.clock.update(harness.clock.nanoTime() + 100);
    }

    private void assertFailedAt(final long sequence) {
        final PipelineState state = harness.pipeline.state();
        assertEquals(PipelineState.Phase.JOURNAL_FAILED, state.phase());
        assertEquals("memory log told to fail at sequence=" + sequence, state.failure().getMessage());
    }

    private void assertRefusesEverything() {
        final int resultCount = answers.results.size();
        final int rejectionCount = answers.rejections.size();
        final long taken = harness.pipeline.takenCount();
        infer(1);
        assertTrue(client.resetSession(0, 1) > 0);
        harness.exchange(client, answers, resultCount + rejectionCount + 2);
        assertEquals(resultCount, answers.results.size());
        assertEquals(RejectCode.JOURNAL_UNAVAILABLE, answers.rejections.get(rejectionCount + 1).code());
        assertEquals(taken, harness.pipeline.takenCount());
    }

    private static void work(final Agent stage) {
        try {
            stage.doWork();
        } catch (final Exception ex) {
            throw new AssertionError(stage.roleName(), ex);
        }
    }
}
