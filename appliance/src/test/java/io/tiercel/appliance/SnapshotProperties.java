package io.tiercel.appliance;

import io.tiercel.appliance.config.FullSessionsPolicy;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.snapshot.SnapshotAgent;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.EventTrack;
import io.tiercel.protocol.client.TiercelClient;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;
import org.agrona.IoUtil;
import org.agrona.concurrent.Agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Snapshots of a pipeline under traffic, its stages and the snapshot agent in random orders: whatever is in a snapshot
 * is what the requests up to its sequence come to, one by one.
 */
class SnapshotProperties {

    private Path directory;
    private List<Path> bundles;

    @BeforeProperty
    void setUp() throws IOException {
        directory = Files.createTempDirectory("tiercel-snapshot-");
        bundles = List.of(
                RandomModels.lstm(1).hidden(16).features(8).outputs(3).write(directory),
                RandomModels.lstm(2).layers(2).hidden(8).features(5).outputs(4).write(directory),
                RandomTransformers.writeTokens(3, 12, directory),
                RandomTransformers.writeFeatures(4, 12, directory));
    }

    @AfterProperty
    void tearDown() {
        IoUtil.delete(directory.toFile(), true);
    }

    @Property(tries = 20, shrinking = ShrinkingMode.OFF)
    void shouldHoldTheStatesOfOneSequenceWhenTakenUnderTraffic(
            @ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 8) final int maxBatch,
            @ForAll @IntRange(min = 1, max = 3) final int inferWorkers,
            @ForAll @IntRange(min = 1, max = 25) final int maxSessions) throws Exception {
        final SnapshotStore store = new SnapshotStore(Files.createTempDirectory(directory, "journal-"));
        try (PipelineHarness harness = new PipelineHarness(directory, bundles, context -> context
                .layout(Layout.DEDICATED)
                .maxBatch(maxBatch)
                .inferWorkers(inferWorkers)
                .maxSessions(maxSessions)
                .fullSessionsPolicy(FullSessionsPolicy.EVICT)
                .ringCapacity(32))) {
            final Run run = new Run(harness, store, seed);
            run.exchange(400);
            run.await(() -> run.agent.isIdle());
            run.assertEverySnapshotIsOfItsSequence();
        }
    }

    /** One client and one snapshot agent. */
    private static final class Run {
        private final PipelineHarness harness;
        private final SnapshotStore store;
        private final SnapshotAgent agent;
        private final Random random;
        private final List<Agent> order = new ArrayList<>();
        private final RandomTraffic traffic;
        private final Answers answers = new Answers();
        private final TiercelClient client;
        private final UnwrittenJournal journal = new UnwrittenJournal();

        private Run(final PipelineHarness harness, final SnapshotStore store, final long seed) {
            this.harness = harness;
            this.store = store;
            random = new Random(seed);
            agent = new SnapshotAgent(
                    new SnapshotAgent.Settings(40 * PipelineHarness.ROUND_NS, 1_000, harness.context.inferWorkers()),
                    harness.cut, harness.sessions, harness.retries, harness.models, store,
                    new SnapshotAgent.Progress(
                            harness.pipeline::takenSequence, harness.pipeline::recordedSequence),
                    journal, -1, harness.clock, harness.counters, EventTrack.none());
            client = harness.connect("desk-7");
            traffic = new RandomTraffic(seed, client, true);
            order.addAll(harness.stages());
            order.add(agent);
        }

        private void exchange(final int requestCount) throws Exception {
            int sentCount = 0;
            while (answers.count() < requestCount) {
                if (sentCount < requestCount && random.nextInt(3) > 0 && traffic.sendNext()) {
                    sentCount++;
                }
                round();
            }
            agent.takeSoon();
        }

        private void await(final BooleanSupplier condition) throws Exception {
            for (int round = 0; round < PipelineHarness.MAX_ROUNDS; round++) {
                if (condition.getAsBoolean()) {
                    return;
                }
                round();
            }
            throw new AssertionError("not in " + PipelineHarness.MAX_ROUNDS + " rounds");
        }

        private void round() throws Exception {
            harness.tick();
            Collections.shuffle(order, random);
            for (final Agent stage : order) {
                if (random.nextInt(4) > 0) {
                    stage.doWork();
                    client.poll(answers, 16);
                }
            }
        }

        private void assertEverySnapshotIsOfItsSequence() {
            final List<SnapshotStore.Entry> entries = SnapshotCheck.assertEachIsOfItsSequence(
                    store, harness.models, harness.context.maxSessions(), harness.requests, harness.outcomes);
            assertTrue(entries.size() > 1, () -> "snapshots=" + entries.size());
            assertEquals(entries.size(), harness.counter(CounterId.SNAPSHOTS));
            assertEquals(entries.size(), journal.syncCount());
            assertEquals(entries.size(), journal.pruneCount());
            assertEquals(0, harness.counter(CounterId.SNAPSHOTS_FAILED));
            assertEquals(harness.pipeline.takenSequence(), entries.get(entries.size() - 1).sequence());
        }
    }
}
