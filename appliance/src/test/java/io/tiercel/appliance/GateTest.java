package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.Agent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** When an answer may leave, and what time may decide. */
class GateTest {

    private static final int FEATURES = 8;
    private static final long BUDGET_NS = 3 * PipelineHarness.ROUND_NS;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private TiercelClient client;
    private final Answers answers = new Answers();

    @BeforeEach
    void setUp() {
        harness = new PipelineHarness(directory, RandomModels.lstm(1).features(FEATURES).write(directory),
                context -> context.ringCapacity(16).maxBatch(4));
        client = harness.connect("desk");
    }

    @AfterEach
    void tearDown() {
        harness.close();
    }

    @Test
    void shouldAnswerExactlyWhatIsJournaledWhenTheJournalStallsAtAnyRecord() {
        for (int record = 0; record < 8; record++) {
            harness.requests.stallFrom(record);
            if (record == 0) {
                for (int request = 0; request < 8; request++) {
                    infer(request % 3, 0);
                }
            }
            settle();
            assertEquals(record, answers.results.size());
        }
        harness.requests.stall(false);
        settle();
        assertEquals(8, answers.results.size());
        for (int index = 0; index < 8; index++) {
            assertEquals(index, answers.results.get(index).sequence());
        }
        assertTrue(harness.counter(CounterId.JOURNAL_WAITS) > 0);
    }

    @Test
    void shouldAnswerWithoutDelayWhenTheOutcomeIsOrdinary() {
        harness.outcomes.stall(true);
        infer(1, 0);
        harness.exchange(client, answers, 1);
        harness.rounds(10);
        assertEquals(0, harness.outcomes.size());
        assertTrue(harness.counter(CounterId.OUTCOME_WAITS) > 0);

        harness.outcomes.stall(false);
        harness.drain();
        assertEquals(1, harness.outcomes.size());
    }

    @Test
    void shouldHoldAnExpiredAnswerUntilItsOutcomeIsJournaled() {
        harness.outcomes.stall(true);
        inferLate(1);
        settle();
        assertEquals(1, harness.requests.size());
        assertEquals(0, answers.count());

        harness.outcomes.stall(false);
        harness.exchange(client, answers, 1);
        assertEquals(ResultStatus.EXPIRED, answers.results.get(0).status());
        assertEquals(0, answers.results.get(0).outputs().length);
        assertEquals(1, harness.counter(CounterId.EXPIRED));
    }

    @Test
    void shouldHoldLaterAnswersWhenAnExpiredOneWaitsForItsOutcome() {
        harness.outcomes.stall(true);
        inferLate(1);
        infer(2, 0);
        settle();
        assertEquals(0, answers.count());

        harness.outcomes.stall(false);
        harness.exchange(client, answers, 2);
        assertEquals(ResultStatus.EXPIRED, answers.results.get(0).status());
        assertEquals(ResultStatus.OK, answers.results.get(1).status());
    }

    @Test
    void shouldKeepTheSlotWhenAnExpiredAnswerIsRecordedButNotSent() {
        inferLate(1);
        final Agent egress = harness.stages().get(harness.stages().size() - 2);
        assertEquals("egress", egress.roleName());
        for (int request = 0; request < 40; request++) {
            if (harness.pipeline.takenCount() < 16) {
                infer(2, 0);
            }
            harness.tick();
            for (final Agent stage : harness.stages()) {
                if (stage != egress) {
                    work(stage);
                }
            }
        }
        assertEquals(1, harness.outcomes.size());
        infer(3, 0);
        for (int round = 0; round < 20; round++) {
            harness.stages().stream().filter(stage -> stage != egress).forEach(GateTest::work);
        }
        assertEquals(16, harness.pipeline.takenCount());
        assertTrue(harness.counter(CounterId.RING_FULL) > 0);

        harness.exchange(client, answers, 17);
        assertEquals(1, answers.results.get(0).sessionKey());
        assertEquals(ResultStatus.EXPIRED, answers.results.get(0).status());
    }

    @Test
    void shouldExpireNothingWhenTheBudgetIsJustEnough() {
        infer(1, BUDGET_NS);
        arriveAndWait(BUDGET_NS);
        harness.exchange(client, answers, 1);
        assertEquals(ResultStatus.OK, answers.results.get(0).status());
    }

    @Test
    void shouldLeaveTheSessionAsItWasWhenARequestExpires() {
        infer(1, 0);
        harness.exchange(client, answers, 1);
        harness.drain();
        inferLate(1);
        harness.exchange(client, answers, 2);
        infer(1, 0);
        harness.exchange(client, answers, 3);
        harness.drain();

        final StraightRun.Outcome first = outcome(0);
        assertEquals(first.stateHash(), outcome(1).stateHash());
        assertEquals(ResultStatus.EXPIRED, answers.results.get(1).status());
        StraightRun.assertSameOutcomes(harness.models, harness.requests, harness.outcomes);
    }

    @Test
    void shouldBeginTheSessionWhenItsFirstRequestExpires() {
        inferLate(1);
        harness.exchange(client, answers, 1);
        harness.drain();
        assertEquals(genesisHash(), outcome(0).stateHash());
    }

    @Test
    void shouldBeANewSessionAgainWhenItIsReset() {
        infer(1, 0);
        infer(1, 0);
        assertTrue(client.resetSession(0, 1) > 0);
        infer(1, 0);
        infer(2, 0);
        harness.exchange(client, answers, 5);
        harness.drain();

        assertEquals(ResultStatus.RESET, answers.results.get(2).status());
        assertEquals(genesisHash(), outcome(2).stateHash());
        assertEquals(outcome(4).stateHash(), outcome(3).stateHash());
        assertArrayEquals(outcome(4).outputs(), outcome(3).outputs());
        assertArrayEquals(outcome(0).outputs(), outcome(3).outputs());
    }

    @Test
    void shouldBeginTheSessionWhenItsFirstRequestIsAReset() {
        assertTrue(client.resetSession(0, 9) > 0);
        harness.exchange(client, answers, 1);
        harness.drain();
        assertEquals(ResultStatus.RESET, answers.results.get(0).status());
        assertEquals(genesisHash(), outcome(0).stateHash());
    }

    private void infer(final long sessionKey, final long budgetNs) {
        assertTrue(client.infer(0, sessionKey, new float[FEATURES], budgetNs) > 0);
    }

    /** A request that comes to be computed too late. */
    private void inferLate(final long sessionKey) {
        infer(sessionKey, BUDGET_NS);
        arriveAndWait(BUDGET_NS + 1);
    }

    /** The request arrives, and so long passes before any other stage runs. */
    private void arriveAndWait(final long durationNs) {
        final long taken = harness.pipeline.takenCount();
        work(harness.stages().get(0));
        work(harness.stages().get(1));
        assertEquals(taken + 1, harness.pipeline.takenCount());
        harness.clock.update(harness.clock.nanoTime() + durationNs);
        harness.stages().subList(2, harness.stages().size()).forEach(GateTest::work);
    }

    private void settle() {
        for (int round = 0; round < 50; round++) {
            harness.round();
            client.poll(answers, 16);
        }
    }

    private StraightRun.Outcome outcome(final long sequence) {
        return StraightRun.Outcome.of(harness.outcomes.find(sequence));
    }

    private long genesisHash() {
        return SessionStates.genesisHash(harness.models.get(0).versionBytes());
    }

    private static void work(final Agent stage) {
        try {
            stage.doWork();
        } catch (final Exception ex) {
            throw new AssertionError(stage.roleName(), ex);
        }
    }
}
