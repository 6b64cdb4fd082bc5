package io.tiercel.appliance;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.GoodbyeReason;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.Agent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The end of an appliance: what is in the ring is finished, what comes is refused, everybody is told. */
class DrainTest {

    private static final int FEATURES = 8;

    @TempDir
    Path directory;
    private PipelineHarness harness;

    @BeforeEach
    void setUp() {
        harness = new PipelineHarness(directory, RandomModels.lstm(1).features(FEATURES).write(directory));
    }

    @AfterEach
    void tearDown() {
        harness.close();
    }

    @Test
    void shouldFinishWhatIsInTheRingAndRefuseWhatComesWhenItDrains() {
        final TiercelClient client = harness.connect("desk");
        final Answers answers = new Answers();
        harness.requests.stall(true);
        infer(client, 3);
        harness.rounds(10);
        harness.pipeline.state().drain();
        infer(client, 2);
        harness.rounds(10);
        harness.requests.stall(false);
        harness.exchange(client, answers, 5);

        assertEquals(3, answers.results.size());
        assertEquals(2, answers.rejections.size());
        answers.rejections.forEach(rejection -> assertEquals(RejectCode.SHUTTING_DOWN, rejection.code()));
        harness.drain();
        assertEquals(3, harness.outcomes.size());
    }

    @Test
    void shouldSayGoodbyeAfterTheAnswersWhenRequestsAreStillOnTheirWay() {
        final TiercelClient client = harness.connect("desk");
        final Answers answers = new Answers();
        harness.requests.stall(true);
        infer(client, 3);
        harness.rounds(10);
        harness.pipeline.state().drain();
        harness.pipeline.sayGoodbye();
        harness.pass(5_000_000);
        assertFalse(harness.pipeline.sayGoodbye());
        client.poll(answers, 16);
        assertEquals(List.of(), answers.goodbyes);

        harness.requests.stall(false);
        harness.roundsUntil("goodbye", () -> {
            client.poll(answers, 16);
            return answers.disconnectCount == 1;
        });
        assertEquals(3, answers.results.size());
        assertEquals(List.of(GoodbyeReason.SHUTTING_DOWN), answers.goodbyes);
        assertTrue(harness.pipeline.sayGoodbye());
    }

    @Test
    void shouldHaveToldEverybodyWhenItSaysSo() {
        final List<RawClient> clients = new ArrayList<>();
        for (int index = 0; index < 40; index++) {
            clients.add(harness.rawClient().welcome("desk-" + index));
        }
        harness.pipeline.state().drain();
        harness.roundsUntil("goodbye said", harness.pipeline::sayGoodbye);
        for (final RawClient client : clients) {
            client.poll();
            assertEquals(List.of(GoodbyeReason.SHUTTING_DOWN), client.goodbyes);
        }
    }

    @Test
    void shouldNotBeDrainedWhenAnExpiredAnswerIsRecordedButNotSent() throws Exception {
        final TiercelClient client = harness.connect("desk");
        final Answers answers = new Answers();
        assertTrue(client.infer(0, 1, new float[FEATURES], 1) > 0);
        final List<Agent> stages = harness.stages();
        stages.get(0).doWork();
        stages.get(1).doWork();
        harness.clock.update(harness.clock.nanoTime() + 100);
        for (int round = 0; round < 5; round++) {
            for (final Agent stage : stages) {
                if (!stage.roleName().equals("egress")) {
                    stage.doWork();
                }
            }
        }
        assertEquals(1, harness.outcomes.size());
        assertTrue(harness.pipeline.recordedCount() < harness.pipeline.takenCount());
        harness.exchange(client, answers, 1);
        assertEquals(ResultStatus.EXPIRED, answers.results.get(0).status());
    }

    @Test
    void shouldSayGoodbyeWithoutWaitingWhenAStageHasDied() {
        final TiercelClient client = harness.connect("desk");
        final Answers answers = new Answers();
        harness.requests.stall(true);
        infer(client, 1);
        harness.rounds(10);
        harness.pipeline.state().stageFailed(new IllegalStateException("broken"));
        harness.roundsUntil("goodbye said", harness.pipeline::sayGoodbye);
        client.poll(answers, 16);
        assertEquals(List.of(GoodbyeReason.SHUTTING_DOWN), answers.goodbyes);
    }

    @Test
    void shouldStayFailedWhenItDrainsAfterAFailure() {
        final PipelineState state = harness.pipeline.state();
        final IllegalStateException first = new IllegalStateException("first");
        state.journalFailed(first);
        state.stageFailed(new IllegalStateException("second"));
        state.drain();
        assertEquals(PipelineState.Phase.JOURNAL_FAILED, state.phase());
        assertEquals(first, state.failure());
    }

    private static void infer(final TiercelClient client, final int count) {
        for (int request = 0; request < count; request++) {
            assertTrue(client.infer(0, request, new float[FEATURES], 0) > 0);
        }
    }
}
