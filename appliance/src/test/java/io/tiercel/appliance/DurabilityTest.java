package io.tiercel.appliance;

import io.tiercel.appliance.config.DurabilityLevel;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.journal.RecordReader;
import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.RejectCode;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.concurrent.Agent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** With {@code journal.durability=disk}: what is synced before what, and how often; and what little space does. */
class DurabilityTest {

    private static final int FEATURES = 8;
    private static final int REQUESTS = 10;
    private static final long REFUSE_FREE_BYTES = 1_000;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private TiercelClient client;
    private final Answers answers = new Answers();

    @BeforeEach
    void setUp() {
        harness = new PipelineHarness(directory, RandomModels.lstm(1).features(FEATURES).write(directory),
                context -> context.durability(DurabilityLevel.DISK).journalRefuseFreeBytes(REFUSE_FREE_BYTES));
        client = harness.connect("desk");
    }

    @AfterEach
    void tearDown() {
        harness.close();
    }

    @Test
    void shouldSyncOnceForAllThatIsThere() {
        for (int request = 0; request < REQUESTS; request++) {
            infer(0);
        }
        harness.exchange(client, answers, REQUESTS);
        assertEquals(REQUESTS, answers.results.size());
        assertEquals(REQUESTS, harness.requests.syncedCount());
        assertEquals(1, harness.requests.syncCount());
        harness.drain();
        assertEquals(0, harness.outcomes.syncCount(), "nothing was decided by the clock");
        assertEquals(REQUESTS, harness.counter(CounterId.JOURNALED));
    }

    @Test
    void shouldAnswerWhatIsSyncedAndThenNothingWhenASyncFails() {
        harness.requests.failSync(1);
        infer(0);
        harness.exchange(client, answers, 1);
        infer(0);
        infer(0);
        harness.exchange(client, answers, 3);
        assertEquals(1, answers.results.size());
        assertEquals(2, answers.rejections.size());
        answers.rejections.forEach(rejection -> assertEquals(RejectCode.JOURNAL_UNAVAILABLE, rejection.code()));
        assertEquals(PipelineState.Phase.JOURNAL_FAILED, harness.pipeline.state().phase());
        assertEquals(1, harness.requests.syncCount());
    }

    @Test
    void shouldSyncTheOutcomeBeforeAnExpiredAnswerLeaves() {
        inferLate();
        harness.exchange(client, answers, 1);
        assertEquals(ResultStatus.EXPIRED, answers.results.get(0).status());
        assertEquals(1, harness.outcomes.syncedCount());
        assertEquals(1, harness.outcomes.syncCount());
    }

    @Test
    void shouldRefuseAnExpiredRequestWhenItsOutcomeCannotBeSynced() {
        harness.outcomes.failSync(0);
        inferLate();
        harness.exchange(client, answers, 1);
        assertEquals(RejectCode.JOURNAL_UNAVAILABLE, answers.rejections.get(0).code());
    }

    @Test
    void shouldRefuseRequestsWhileSpaceIsLowAndTakeThemAgainAfterwards() {
        harness.requests.space(900, true);
        harness.round();
        assertEquals(PipelineState.Phase.SPACE_LOW, harness.pipeline.state().phase());
        assertEquals(900, harness.counter(CounterId.JOURNAL_FREE_BYTES));
        infer(0);
        harness.exchange(client, answers, 1);
        assertEquals(RejectCode.JOURNAL_SPACE_LOW, answers.rejections.get(0).code());
        assertEquals("freeBytes=900 refuseBelowBytes=1000", answers.rejections.get(0).detail());
        harness.requests.space(1_200, false);
        harness.round();
        infer(0);
        harness.exchange(client, answers, 2);
        assertEquals(1, answers.results.size());
        assertEquals(1_200, harness.counter(CounterId.JOURNAL_FREE_BYTES));
    }

    @Test
    void shouldAnswerWhatWasTakenWhenSpaceRunsLow() {
        infer(0);
        work(harness.stages().get(0));
        work(harness.stages().get(1));
        harness.requests.space(900, true);
        harness.exchange(client, answers, 1);
        assertEquals(1, answers.results.size());
    }

    @Test
    void shouldKeepDrainingAndFailureWhenSpaceRunsLow() {
        final PipelineState state = harness.pipeline.state();
        state.space(900, true);
        state.drain();
        assertEquals(PipelineState.Phase.DRAINING, state.phase());
        state.space(2_000, false);
        assertEquals(PipelineState.Phase.DRAINING, state.phase());
        state.journalFailed(new IllegalStateException("told to"));
        state.space(900, true);
        assertEquals(PipelineState.Phase.JOURNAL_FAILED, state.phase());
    }

    /** Through a real journal, which is then read as the death of the process would leave it. */
    @Test
    void shouldHoldWhatIsAnsweredWhenTheJournalIsReal() {
        final Path realDirectory = directory.resolve("real");
        final JournalSettings settings = new JournalSettings().blockBytes(1 << 20).populateAheadBytes(1 << 20)
                .minimumFreeBytes(0).isWrittenThrough(true);
        try (JournalDirectory journal = JournalDirectory.open(realDirectory, settings);
                PipelineHarness real = new PipelineHarness(directory.resolve("other"),
                        List.of(RandomModels.lstm(2).features(FEATURES).write(directory)),
                        context -> context.durability(DurabilityLevel.DISK), journal.requests(), journal.outcomes())) {
            final TiercelClient realClient = real.connect("desk");
            for (int request = 1; request <= REQUESTS; request++) {
                assertTrue(realClient.infer(0, 1, new float[FEATURES], 0) > 0);
                real.exchange(realClient, answers, request);
                try (RecordReader reader = JournalDirectory.openForRead(realDirectory).requests()) {
                    assertTrue(reader.seek(request - 1));
                }
            }
            assertEquals(REQUESTS, answers.results.size());
        }
    }

    private void infer(final long budgetNs) {
        assertTrue(client.infer(0, 1, new float[FEATURES], budgetNs) > 0);
    }

    private void inferLate() {
        infer(1);
        work(harness.stages().get(0));
        work(harness.stages().get(1));
        harness.clock.update(harness.clock.nanoTime() + 100);
    }

    private static void work(final Agent stage) {
        try {
            stage.doWork();
        } catch (final Exception ex) {
            throw new AssertionError(stage.roleName(), ex);
        }
    }
}
