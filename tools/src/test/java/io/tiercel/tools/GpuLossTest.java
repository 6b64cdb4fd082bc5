package io.tiercel.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.Appliance;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.TransformerSetting;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.nativecuda.cuda.TestDriver;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.ReplayReport;
import io.tiercel.replay.ReplayVerifier;
import io.tiercel.tools.load.AnswerHandler;
import io.tiercel.tools.load.AnswerKind;
import io.tiercel.tools.load.ApplianceTarget;
import io.tiercel.tools.load.OutputSink;
import io.tiercel.tools.load.RandomRequests;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A whole appliance on a GPU, which a driver for tests has, and which is lost in mid-run: every request is answered,
 * the journal says who computed, replay holds, and the next life goes on with a new GPU.
 */
@Timeout(120)
class GpuLossTest {

    private static final int FEATURES = 8;
    private static final int SESSIONS = 12;
    private static final int REQUESTS = 100;
    private static final int LOST_AFTER = 40;
    private static final int MULTIPROCESSORS = 4;

    @TempDir
    Path directory;

    @BeforeEach
    void needGpu() throws IOException, InterruptedException {
        newGpu("an appliance on a GPU that is lost");
    }

    @AfterAll
    static void removeGpu() {
        TestDriver.removeGpu();
    }

    @Test
    void shouldAnswerAllWhenTheGpuIsLost() throws IOException, InterruptedException {
        assertAnswersAll(RandomModels.lstm(3).layers(2).hidden(33).features(FEATURES).outputs(3).write(directory), 50);
    }

    /** Steps that are foreseen meanwhile too. */
    @Test
    void shouldAnswerAllTokensWhenTheGpuIsLost() throws IOException, InterruptedException {
        assertAnswersAll(RandomTransformers.write(TransformerSetting.tokens(3, 14), WhenFull.SLIDE, directory), 5);
    }

    /** @param stores of a kernel that stays, or launches of others, after which the GPU is lost. */
    private void assertAnswersAll(final Path bundle, final int stores) throws IOException, InterruptedException {
        final long firstCount = live(bundle, () -> TestDriver.standStillAfter(stores, TestDriver.NO_CODE));
        assertReplays("cpu", firstCount);

        newGpu("its next life");
        final long count = firstCount + live(bundle, () -> {});
        assertReplays("reference", count);
        assertReplays("cuda", count);
    }

    /** So small that no teams of many blocks are tried out, which takes long by the emulation. */
    private static void newGpu(final String what) throws IOException, InterruptedException {
        TestDriver.needGpu(what);
        TestDriver.reset(MULTIPROCESSORS, TestDriver.SHARED_BYTES, TestDriver.MEMORY_BYTES);
    }

    private void assertReplays(final String backend, final long count) {
        final ReplayReport replay = new ReplayVerifier(
                new ReplayOptions().journalDirectory(directory.resolve("journal")).backend(backend)).verify();
        assertTrue(replay.isIdentical(), replay::toString);
        assertEquals(count, replay.identicalCount());
        assertTrue(replay.standbyCount() > 0 && replay.standbyCount() < REQUESTS, replay::toString);
    }

    /** One life of an appliance, with something that happens in the middle. Returns how many requests it took. */
    private long live(final Path bundle, final Runnable inTheMiddle) {
        final ApplianceContext context = new ApplianceContext()
                .layout(Layout.COMPACT)
                .idle(IdleMode.BACKOFF)
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .journalDirectory(directory.resolve("journal"))
                .addModel(new ModelConfig("model", bundle, "cuda", 1))
                .foreseenTokens(2)
                .warmUpRequests(0)
                .snapshotIntervalNs(0)
                .conclude();
        try (Appliance appliance = Appliance.launch(context);
                TiercelClient client = TiercelClient.connect(new ClientContext()
                        .aeronDirectoryName(context.aeronDirectoryName())
                        .principal("desk-1"))) {
            assertEquals("cuda", appliance.models().get(0).backendName());
            exchange(client, inTheMiddle);
            final boolean isLost = TestDriver.isStill();
            assertEquals(isLost ? 1 : 0, appliance.counter(CounterId.FAILOVERS));
            assertEquals(isLost, appliance.counter(CounterId.STANDBY_RESULTS) > 0);
            return appliance.counter(CounterId.REQUESTS);
        }
    }

    private static void exchange(final TiercelClient client, final Runnable inTheMiddle) {
        final ModelInfo model = client.model("model");
        final ApplianceTarget target = new ApplianceTarget(client, model.modelId(), new RandomRequests(
                model.featureCount(), model.vocabularySize(), SESSIONS, client.clientId()), 0, OutputSink.NONE);
        final Answers answers = new Answers();
        int sentCount = 0;
        boolean isMiddle = true;
        while (answers.count < REQUESTS) {
            if (sentCount < REQUESTS && target.send(sentCount) > 0) {
                sentCount++;
            }
            if (isMiddle && answers.count >= LOST_AFTER) {
                isMiddle = false;
                inTheMiddle.run();
            }
            target.poll(answers);
            Thread.yield();
            assertTrue(client.isConnected(), client::disconnectCause);
        }
    }

    /** Counts them. */
    private static final class Answers implements AnswerHandler {

        private int count;

        @Override
        public long onAnswer(final long correlationId, final AnswerKind kind) {
            assertEquals(AnswerKind.OK, kind);
            return count++;
        }

        @Override
        public void onDisconnect() {
            throw new AssertionError("the connection was lost");
        }
    }
}
