package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.Appliance;
import io.tiercel.appliance.config.ApplianceContext;
import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.appliance.config.ModelConfig;
import io.tiercel.appliance.engine.RandomGraphs;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.recovery.RecoveryException;
import io.tiercel.nativecuda.onnxruntime.OnnxRuntimeProbe;
import io.tiercel.protocol.client.ClientContext;
import io.tiercel.protocol.client.ModelInfo;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.ReplayReport;
import io.tiercel.replay.ReplayVerifier;
import io.tiercel.replay.SnapshotReport;
import io.tiercel.replay.SnapshotVerifier;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.agrona.BufferUtil;
import org.agrona.IoUtil;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A graph and an exact model in one appliance: what the journal says of each, and what is made of it afterwards. */
@Timeout(120)
class OnnxJournalTest {

    private static final int COLUMNS = 6;
    private static final int OUTPUTS = 3;
    private static final int MAX_STEPS = 3;
    private static final int SESSIONS = 4;
    private static final int REQUESTS = 40;
    private static final double TOLERANCE = 1e-3;
    /** Of these the graph's are even, the exact model's odd. */
    private static final long LAST_OF_GRAPH = 2 * REQUESTS - 2;
    private static final long SOME_OF_GRAPH = 30;

    @RegisterExtension
    private static final Workbench BENCH = new Workbench();

    private static Path graph;
    private static Path exact;
    private static Path journal;
    private static long lastId;
    private static UnsafeBuffer lastFeatures;

    @BeforeAll
    static void writeJournal() {
        final String obstacle = OnnxRuntimeProbe.obstacle();
        Workbench.assumeThat(obstacle == null, "the onnxruntime backend: " + obstacle);
        graph = RandomGraphs.dense(1).rows(5).columns(COLUMNS).outputs(OUTPUTS).tolerance(TOLERANCE, 0)
                .write(BENCH.directory());
        exact = RandomModels.lstm(2).features(COLUMNS).outputs(OUTPUTS).write(BENCH.directory());
        journal = BENCH.directory().resolve("journal");
        lastFeatures = new UnsafeBuffer(
                BufferUtil.allocateDirectAligned(MAX_STEPS * COLUMNS * Float.BYTES, Long.BYTES));
        try (Appliance appliance = Appliance.launch(context(journal)); TiercelClient client = connect()) {
            assertEquals("onnxruntime", appliance.models().get(0).backendName());
            exchange(client);
        }
    }

    private static void exchange(final TiercelClient client) {
        final SplittableRandom random = new SplittableRandom(3);
        final CollectedAnswers answers = new CollectedAnswers();
        for (int request = 0; request < REQUESTS; request++) {
            final int steps = 1 + random.nextInt(MAX_STEPS);
            for (int i = 0; i < steps * COLUMNS; i++) {
                lastFeatures.putFloat(i * Float.BYTES, (float) random.nextDouble(-2, 2), ByteOrder.LITTLE_ENDIAN);
            }
            final int lastSteps = request == REQUESTS - 1 ? 1 : steps;
            lastId = client.infer(client.model("graph").modelId(), request % SESSIONS, lastFeatures, 0, lastSteps, 0,
                    request % 3 == 0);
            answers.await(client, lastId);
            answers.await(client, client.infer(client.model("exact").modelId(), request % SESSIONS, lastFeatures, 0, 1,
                    0, false));
        }
    }

    @Test
    void shouldSayOfEachOutcomeWhichArithmeticItWas() {
        final TiercelProcess dump = BENCH.run("journal", "dump", "--journal", journal.toString(), "--format", "json");
        assertEquals(ExitCode.OK, dump.awaitExit(), dump::toString);
        final List<String> rows = dump.out();
        assertEquals(2 * REQUESTS, rows.size());
        for (int sequence = 0; sequence < rows.size(); sequence++) {
            final String arithmetic = sequence % 2 == 0 ? "TOLERANCE" : "EXACT";
            assertTrue(rows.get(sequence).contains("\"arithmetic\":\"" + arithmetic + "\""), rows.get(sequence));
        }
    }

    @Test
    void shouldSayHowEachKindWasComparedWhenNothingWasChanged() throws IOException {
        final CapturedCommand verify = verify(journal);
        assertEquals(ExitCode.OK, verify.exitCode(), verify::out);
        assertTrue(
                verify.out().endsWith("replay: 40 of 80 outcomes bit-identical, 40 of 80 within tolerance with states "
                        + "bit-identical, largest distance 0.0\n"),
                verify.out());
        assertTrue(verify.out().contains(
                " onnx, backend onnxruntime, outputs within 0.001 and 0.0 of their magnitude\n"), verify.out());
        assertTrue(verify.out().contains(" lstm, backend "), verify.out());

        final SnapshotReport snapshots = new SnapshotVerifier(
                journal, "auto", (doneCount, totalCount) -> {}, SystemNanoClock.INSTANCE).verifyAll();
        assertTrue(snapshots.isIdentical(), snapshots::toString);
        assertEquals(2 * SESSIONS, snapshots.sessionCount());
    }

    @Test
    void shouldAcceptAnOutputThatIsWithinTheToleranceAndSayHowFarItWas() throws IOException {
        final Path near = changed("near", SOME_OF_GRAPH, 5e-4f);
        final ReplayReport report = new ReplayVerifier(new ReplayOptions().journalDirectory(near)).verify();
        assertTrue(report.isIdentical(), report::toString);
        assertEquals(REQUESTS, report.identicalCount());
        assertEquals(REQUESTS, report.toleratedCount());
        assertEquals(5e-4, report.largestDistance(), 1e-6);
    }

    @Test
    void shouldFindAnOutputThatIsBeyondTheTolerance() throws IOException {
        final CapturedCommand verify = verify(changed("far", SOME_OF_GRAPH, 2e-3f));
        assertEquals(ExitCode.CHECK_FAILED, verify.exitCode(), verify::out);
        assertTrue(verify.out().contains(
                "replay: DIVERGED at sequence 30 (15 outcomes before it bit-identical, 15 within tolerance)\n"),
                verify.out());
        assertTrue(verify.out().lines().anyMatch(line -> line.matches("  field +outputs\\[\\d+]")), verify.out());
    }

    @Test
    void shouldNotForgiveAnExactModelWhatIsForgivenAGraph() throws IOException {
        final CapturedCommand verify = verify(changed("exact", SOME_OF_GRAPH + 1, 1e-6f));
        assertEquals(ExitCode.CHECK_FAILED, verify.exitCode(), verify::out);
        assertTrue(verify.out().contains("replay: DIVERGED at sequence 31 "), verify.out());
    }

    @Test
    void shouldFindAStateThatIsAnotherWhateverTheTolerance() throws IOException {
        final Path copy = BENCH.copy(journal, "state");
        final StoredRecord request = StoredRecord.find(copy, "requests", SOME_OF_GRAPH);
        request.moveLastFloat(1e-6f); // of the features: the outputs stay near
        request.makeChecksumFit();
        request.write();
        final ReplayReport report = new ReplayVerifier(new ReplayOptions().journalDirectory(copy)).verify();
        assertEquals("stateHash", report.divergence().field());
        assertEquals(SOME_OF_GRAPH, report.divergence().sequence());
    }

    @Test
    void shouldRecoverAndSayAgainWhatWasSaidWhenAnswersAreNearToWhatIsComputed() throws IOException {
        final Path near = changed("recovered", LAST_OF_GRAPH, -5e-4f);
        final float[] computed = answerAgain(withoutSnapshots(BENCH.copy(journal, "as-it-was")), 0);
        final float[] said = answerAgain(withoutSnapshots(near), 5e-4);
        computed[OUTPUTS - 1] += -5e-4f;
        assertArrayEquals(computed, said);
        assertNull(new ReplayVerifier(new ReplayOptions().journalDirectory(near)).verify().divergence());
    }

    @Test
    void shouldRefuseToRecoverWhenAnAnswerIsBeyondTheTolerance() throws IOException {
        final Path far = withoutSnapshots(changed("unrecovered", LAST_OF_GRAPH, 2e-3f));
        final RecoveryException ex =
                assertThrows(RecoveryException.class, () -> Appliance.launch(context(far)).close());
        assertTrue(ex.getMessage().contains("sequence=" + LAST_OF_GRAPH + " field=outputs[2] "), ex.getMessage());
    }

    /** Starts on a journal, and asks for the graph's last answer under the id that it had. */
    private static float[] answerAgain(final Path directory, final double largestDistance) {
        try (Appliance appliance = Appliance.launch(context(directory)); TiercelClient client = connect()) {
            assertEquals(REQUESTS, appliance.recovered().identicalCount());
            assertEquals(REQUESTS, appliance.recovered().toleratedCount());
            assertEquals(largestDistance, appliance.recovered().largestDistance(), 1e-6);
            assertTrue(appliance.recovered().toString().contains(
                    " identical=40 within-tolerance=40 largest-distance="), appliance.recovered()::toString);
            final ModelInfo model = client.model("graph");
            return new CollectedAnswers().await(client, client.inferAgain(
                    lastId, model.modelId(), (REQUESTS - 1) % SESSIONS, lastFeatures, 0, 1, 0,
                    (REQUESTS - 1) % 3 == 0));
        }
    }

    private static Path changed(final String name, final long sequence, final float distance) throws IOException {
        final Path copy = BENCH.copy(journal, name);
        final StoredRecord outcome = StoredRecord.find(copy, "outcomes", sequence);
        outcome.moveLastFloat(distance);
        outcome.makeChecksumFit();
        outcome.write();
        return copy;
    }

    private static Path withoutSnapshots(final Path directory) {
        IoUtil.delete(directory.resolve("snapshots").toFile(), false);
        return directory;
    }

    private static CapturedCommand verify(final Path directory) {
        return CapturedCommand.run(List.of("replay", "verify"), "--journal", directory.toString());
    }

    private static TiercelClient connect() {
        return TiercelClient.connect(new ClientContext()
                .aeronDirectoryName(BENCH.aeronDirectory().toString())
                .principal("desk-1"));
    }

    private static ApplianceContext context(final Path directory) {
        return new ApplianceContext()
                .layout(Layout.COMPACT)
                .idle(IdleMode.BACKOFF)
                .aeronDirectoryName(BENCH.aeronDirectory().toString())
                .journalDirectory(directory)
                .journalBlockBytes(16 << 20)
                .journalPopulateAheadBytes(1 << 20)
                .journalRefuseFreeBytes(0)
                .maxClients(8)
                .maxSessions(64)
                .maxInFlight(64)
                .ringCapacity(256)
                .addModel(new ModelConfig("graph", graph, "auto", 1))
                .addModel(new ModelConfig("exact", exact, "auto", 1))
                .warmUpRequests(0)
                .snapshotIntervalNs(0)
                .conclude();
    }
}
