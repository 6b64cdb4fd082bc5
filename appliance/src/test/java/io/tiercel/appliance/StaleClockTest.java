package io.tiercel.appliance;

import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.ResultStatus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A thread reads its clock at the beginning of a round; what it finds in the round may have come later. Stages that
 * are run without their duty cycle here have such a reading.
 */
class StaleClockTest {

    private static final int FEATURES = 8;
    private static final int INGRESS = 1;
    private static final int JOURNAL = 2;
    private static final int INFER = 3;
    private static final long LATE_NS = 1_000_000;

    @TempDir
    Path directory;
    private PipelineHarness harness;
    private TiercelClient client;
    private final Answers answers = new Answers();

    @BeforeEach
    void setUp() {
        harness = new PipelineHarness(directory, RandomModels.lstm(1).features(FEATURES).write(directory),
                context -> context.layout(Layout.DEDICATED));
        client = harness.connect("desk");
    }

    @AfterEach
    void tearDown() {
        harness.close();
    }

    @Test
    void shouldStateTheTimeToTheOutputsWhenEgressReadItsClockBeforeTheRequestCame() throws Exception {
        harness.clock.update(harness.clock.nanoTime() + LATE_NS);
        arrive(0);
        harness.clock.update(harness.clock.nanoTime() + 700);
        harness.stages().get(JOURNAL).doWork();
        harness.stages().get(INFER).doWork();
        harness.pipeline.egress().doWork();
        client.poll(answers, 16);
        assertEquals(700, answers.results.get(0).applianceNs());
    }

    @Test
    void shouldExpireWhenTheBudgetRanOutWhileTheWorkerFinishedTheLastBatch() throws Exception {
        arrive(0);
        harness.stages().get(JOURNAL).doWork();
        harness.stages().get(INFER).doWork();
        arrive(100);
        harness.clock.update(harness.clock.nanoTime() + LATE_NS);
        harness.pipeline.inferWorkers().get(0).doWork();
        harness.exchange(client, answers, 2);
        assertEquals(ResultStatus.OK, answers.results.get(0).status());
        assertEquals(ResultStatus.EXPIRED, answers.results.get(1).status());
    }

    private void arrive(final long budgetNs) throws Exception {
        final long taken = harness.pipeline.takenCount();
        assertTrue(client.infer(0, 1, new float[FEATURES], budgetNs) > 0);
        harness.stages().get(INGRESS).doWork();
        assertEquals(taken + 1, harness.pipeline.takenCount());
    }
}
