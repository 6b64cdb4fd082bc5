package io.tiercel.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tiercel.appliance.Appliance;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.BackendProbe;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.ReplayReport;
import io.tiercel.replay.ReplayVerifier;
import io.tiercel.replay.SnapshotReport;
import io.tiercel.replay.SnapshotVerifier;
import io.tiercel.tools.load.AnswerHandler;
import io.tiercel.tools.load.AnswerKind;
import io.tiercel.tools.load.ApplianceTarget;
import io.tiercel.tools.load.OutputSink;
import io.tiercel.tools.load.RandomRequests;
import java.nio.file.Path;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A state written by one backend loads in another, and the sessions go on as if nothing had changed. */
@Timeout(120)
class BackendChangeTest {

    private static final int FEATURES = 8;
    private static final int CONTEXT = 7;
    private static final int SESSIONS = 12;
    private static final int REQUESTS = 200;

    @TempDir
    Path directory;

    @Test
    void shouldGoOnWithTheReferenceWhenTheSnapshotIsOfTheCpuBackend() {
        shouldGoOn("cpu", "reference");
    }

    @Test
    void shouldGoOnWithTheCpuBackendWhenTheSnapshotIsOfTheReference() {
        shouldGoOn("reference", "cpu");
    }

    /** Sessions of it fill up again and again, and those of the second life are where the first has left them. */
    @Test
    void shouldGoOnWithTheReferenceWhenTheModelTakesTokens() {
        shouldGoOn("cpu", "reference", RandomTransformers.writeTokens(3, CONTEXT, directory));
    }

    @Test
    void shouldGoOnWithTheCpuBackendWhenTheModelTakesTokens() {
        shouldGoOn("reference", "cpu", RandomTransformers.writeTokens(3, CONTEXT, directory));
    }

    private void shouldGoOn(final String firstBackend, final String secondBackend) {
        shouldGoOn(firstBackend, secondBackend,
                RandomModels.lstm(3).layers(2).hidden(48).features(FEATURES).outputs(3).write(directory));
    }

    private void shouldGoOn(final String firstBackend, final String secondBackend, final Path bundle) {
        assumeIsAvailable("cpu");
        final long firstCount = live(firstBackend, bundle, -1);
        final long count = firstCount + live(secondBackend, bundle, firstCount - 1);

        for (final String backend : new String[] {firstBackend, secondBackend}) {
            final ReplayReport replay = new ReplayVerifier(
                    new ReplayOptions().journalDirectory(journal()).backend(backend)).verify();
            assertTrue(replay.isIdentical(), replay::toString);
            assertEquals(count, replay.identicalCount());
            final SnapshotReport snapshots = new SnapshotVerifier(
                    journal(), backend, (doneCount, totalCount) -> {}, SystemNanoClock.INSTANCE).verifyAll();
            assertTrue(snapshots.isIdentical(), snapshots::toString);
            assertEquals(2 * SESSIONS, snapshots.sessionCount());
        }
    }

    /** One life of an appliance, which leaves a snapshot at its end. Returns how many requests it took. */
    private long live(final String backend, final Path bundle, final long snapshotSequence) {
        final ApplianceContext context = new ApplianceContext()
                .layout(Layout.COMPACT)
                .idle(IdleMode.BACKOFF)
                .aeronDirectoryName(directory.resolve("aeron-" + backend).toString())
                .journalDirectory(journal())
                .addModel(new ModelConfig("model", bundle, backend, 1))
                .warmUpRequests(100)
                .snapshotIntervalNs(0)
                .conclude();
        try (Appliance appliance = Appliance.launch(context);
                TiercelClient client = TiercelClient.connect(new ClientContext()
                        .aeronDirectoryName(context.aeronDirectoryName())
                        .principal("desk-1"))) {
            assertEquals(snapshotSequence, appliance.recovered().snapshotSequence());
            assertEquals(backend, appliance.models().get(0).backendName());
            exchange(client);
            return appliance.counter(CounterId.REQUESTS);
        }
    }

    private static void exchange(final TiercelClient client) {
        final ModelInfo model = client.model("model");
        final ApplianceTarget target = new ApplianceTarget(client, model.modelId(), new RandomRequests(
                model.featureCount(), model.vocabularySize(), SESSIONS, client.clientId()), 0, OutputSink.NONE);
        final Answers answers = new Answers();
        int sentCount = 0;
        while (answers.count < REQUESTS) {
            if (sentCount < REQUESTS && target.send(sentCount) > 0) {
                sentCount++;
            }
            target.poll(answers);
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

    private Path journal() {
        return directory.resolve("journal");
    }

    private static void assumeIsAvailable(final String name) {
        for (final Backend backend : Backends.all()) {
            if (backend.name().equals(name)) {
                final BackendProbe probe = backend.probe();
                if (!probe.available()) {
                    System.out.println("not run: backend " + name + ": " + probe.detail());
                }
                assumeTrue(probe.available(), "not run: backend " + name + ": " + probe.detail());
            }
        }
    }
}
