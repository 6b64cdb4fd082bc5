package io.tiercel.appliance;

import io.tiercel.appliance.config.FullSessionsPolicy;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.journal.ClaimedJournal;
import io.tiercel.appliance.journal.JournalDamage;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.journal.JournalView;
import io.tiercel.appliance.journal.RecordLog;
import io.tiercel.appliance.journal.RecordReader;
import io.tiercel.appliance.recovery.Recovery;
import io.tiercel.appliance.recovery.RecoveryException;
import io.tiercel.appliance.recovery.RecoveryReport;
import io.tiercel.appliance.recovery.VersionSource;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.SessionTable;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotAgent;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.EventTrack;
import io.tiercel.protocol.FrameValidator;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.client.TiercelClient;
import io.tiercel.protocol.wire.HeartbeatEncoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.MessageHeaderDecoder;
import io.tiercel.protocol.wire.MessageHeaderEncoder;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.DirectBuffer;
import org.agrona.IoUtil;
import org.agrona.concurrent.EpochNanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A pipeline with a real journal dies, which is to say that its files are copied while open; then recovery. */
class RecoveryTest {

    private static final long HOUR_NS = 3_600_000_000_000L;
    private static final int REQUESTS = 120;
    /** Of sessions, fewer than the traffic has. */
    private static final int PLACES = 8;

    @TempDir
    Path directory;

    private Path journalDirectory;
    private Path copy;
    private List<Path> bundles;
    private JournalDirectory journal;
    private PipelineHarness harness;
    private TiercelClient client;
    private RandomTraffic traffic;
    private final Answers answers = new Answers();
    private long nowNs = 1_700_000_060_000_000_000L;
    private final EpochNanoClock epochClock = () -> nowNs;

    @BeforeEach
    void setUp() throws IOException {
        journalDirectory = directory.resolve("journal");
        copy = directory.resolve("copy");
        bundles = List.of(
                RandomModels.lstm(1).hidden(16).features(8).outputs(3).write(directory),
                RandomModels.lstm(2).layers(2).hidden(8).features(5).outputs(4).write(directory),
                RandomTransformers.writeTokens(3, 12, directory),
                RandomTransformers.writeFeatures(4, 12, directory));
    }

    @AfterEach
    void tearDown() {
        harness.close();
        journal.close();
    }

    @Test
    void shouldStandWhereItStoodWhenTheProcessDied() throws IOException {
        live(null, null);
        exchange(REQUESTS);
        final RecoveryReport report = assertRecovers();
        assertEquals(-1, report.snapshotSequence());
        assertEquals(REQUESTS, report.replayedCount());
        assertEquals(REQUESTS, report.identicalCount());
        assertEquals(REQUESTS, report.nextSequence());
        assertEquals(0, report.recomputedCount());
    }

    @Test
    void shouldAppendTheOutcomesThatACrashHasKeptFromTheJournal() throws IOException {
        final Filter outcomes = new Filter();
        live(null, outcomes);
        exchange(REQUESTS / 2);
        outcomes.stalledFrom = REQUESTS / 2 + 3;
        exchange(REQUESTS / 2 + 20);
        final RecoveryReport report = assertRecovers();
        assertEquals(REQUESTS / 2 + 3, report.identicalCount());
        assertEquals(report.nextSequence() - report.identicalCount(), report.recomputedCount());
        assertTrue(report.recomputedCount() >= 17, report::toString);
        assertEquals(report.nextSequence(), assertRecoversAgain().identicalCount());
    }

    @Test
    void shouldReplayOnlyWhatFollowsWhenThereIsASnapshot() throws IOException {
        live(null, null);
        exchange(REQUESTS / 2);
        final long sequence = snapshot();
        exchange(REQUESTS);
        final RecoveryReport report = assertRecovers();
        assertEquals(sequence, report.snapshotSequence());
        assertEquals(report.nextSequence() - 1 - sequence, report.replayedCount());
    }

    @Test
    void shouldBeginWithTheSnapshotAloneWhenNothingFollowsIt() throws IOException {
        live(null, null);
        exchange(REQUESTS);
        final long sequence = snapshot();
        final RecoveryReport report = assertRecovers();
        assertEquals(sequence, report.snapshotSequence());
        assertEquals(0, report.replayedCount());
        assertEquals(sequence + 1, report.nextSequence());
    }

    @Test
    void shouldTakeAnOlderSnapshotWhenTheNewestIsCutShort() throws IOException {
        live(null, null);
        exchange(REQUESTS / 2);
        final long older = snapshot();
        exchange(REQUESTS);
        snapshot();
        copyLive();
        final Path newest = new SnapshotStore(copy).list().get(0).file();
        try (FileChannel channel = FileChannel.open(newest, StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(newest) - 100);
        }
        final RecoveryReport report = assertRecoversAgain();
        assertEquals(older, report.snapshotSequence());
        assertEquals(1, report.skippedSnapshots());
    }

    @Test
    void shouldRefuseAndChangeNothingWhenTheJournalHasLostWhatASnapshotStandsFor() throws IOException {
        live(null, null);
        exchange(REQUESTS / 2);
        copyLive();
        exchange(REQUESTS);
        snapshot();
        final Path ahead = new SnapshotStore(journalDirectory).list().get(0).file();
        Files.createDirectories(new SnapshotStore(copy).directory());
        Files.copy(ahead, new SnapshotStore(copy).directory().resolve(ahead.getFileName()));
        assertRefused(RecoveryException.Code.JOURNAL_TOO_SHORT, bundles, 4096);
        try (Stream<Path> files = Files.walk(copy.resolve("outcomes"))) {
            files.filter(Files::isRegularFile).forEach(file -> IoUtil.delete(file.toFile(), false));
        }
        assertRefused(RecoveryException.Code.JOURNAL_TOO_SHORT, bundles, 4096);
        try (Stream<Path> files = Files.walk(copy.resolve("requests"))) {
            files.filter(Files::isRegularFile).forEach(file -> IoUtil.delete(file.toFile(), false));
        }
        assertRefused(RecoveryException.Code.JOURNAL_TOO_SHORT, bundles, 4096);
    }

    @Test
    void shouldRefuseAndChangeNothingWhenAnotherModelIsConfigured() throws IOException {
        live(null, null);
        exchange(REQUESTS);
        copyLive();
        final Path other = RandomModels.lstm(9).hidden(16).features(8).outputs(3).write(directory);
        assertRefused(RecoveryException.Code.OTHER_MODEL, List.of(other, bundles.get(1)), 4096);
        snapshot();
        copyLive();
        assertRefused(RecoveryException.Code.OTHER_MODEL, List.of(other, bundles.get(1)), 4096);
        assertRefused(RecoveryException.Code.OTHER_MODEL, List.of(bundles.get(0)), 4096);
    }

    @Test
    void shouldRefuseAndChangeNothingWhenTheClockHasGoneBack() throws IOException {
        live(null, null);
        exchange(REQUESTS);
        copyLive();
        nowNs -= HOUR_NS;
        final RecoveryException ex = assertRefused(RecoveryException.Code.CLOCK_WENT_BACK, bundles, 4096);
        assertTrue(ex.getMessage().contains("nowNs=" + nowNs), ex.getMessage());
    }

    @Test
    void shouldRefuseAndChangeNothingWhenTheSessionsAreTooMany() throws IOException {
        live(null, null);
        exchange(REQUESTS);
        copyLive();
        assertRefused(RecoveryException.Code.SESSION_LIMIT, bundles, 2);
        snapshot();
        copyLive();
        assertRefused(RecoveryException.Code.SESSION_LIMIT, bundles, 2);
    }

    @Test
    void shouldNameTheSequenceWhenAnOutcomeIsNotWhatTheRequestComesTo() throws IOException {
        final Filter outcomes = new Filter();
        outcomes.falsifiedSequence = 77;
        live(null, outcomes);
        exchange(REQUESTS);
        copyLive();
        final RecoveryException ex = assertRefused(RecoveryException.Code.DIVERGENCE, bundles, 4096);
        assertTrue(ex.getMessage().contains("sequence=77 field=stateHash"), ex.getMessage());
        assertTrue(ex.getMessage().contains("replay verify --journal " + copy), ex.getMessage());
    }

    @Test
    void shouldRefuseAndChangeNothingWhenAnOutcomeHasNoRequest() throws IOException {
        final Filter requests = new Filter();
        requests.lostFrom = 90;
        live(requests, null);
        exchange(REQUESTS);
        copyLive();
        final RecoveryException ex = assertRefused(RecoveryException.Code.OUTCOME_WITHOUT_REQUEST, bundles, 4096);
        assertTrue(ex.getMessage().contains("sequence=90"), ex.getMessage());
        assertTrue(ex.getMessage().contains("journal dump"), ex.getMessage());
    }

    @Test
    void shouldRefuseAndChangeNothingWhenAJournaledTokenIsNotInTheVocabulary() throws IOException {
        final Filter requests = new Filter();
        requests.strayToken = 1_000_000;
        live(requests, null);
        exchange(REQUESTS);
        copyLive();
        final RecoveryException ex = assertRefused(RecoveryException.Code.DAMAGED_JOURNAL, bundles, 4096);
        assertTrue(ex.getMessage().contains("step=0 token=1000000 vocabularySize=23"), ex.getMessage());
        assertTrue(ex.getMessage().contains("journal dump"), ex.getMessage());
    }

    /** A client may send it, but it has no place in a journal: the reader says so, and nothing computes it. */
    @Test
    void shouldRefuseAndChangeNothingWhenAJournaledFrameIsSoundButNoRequest() throws IOException {
        final Filter requests = new Filter();
        requests.heartbeatSequence = 77;
        live(requests, null);
        exchange(REQUESTS);
        copyLive();
        final RecoveryException ex = assertRefused(RecoveryException.Code.DAMAGED_JOURNAL, bundles, 4096);
        assertTrue(ex.getMessage().contains("sequence=77"), ex.getMessage());
        assertTrue(ex.getMessage().contains(JournalDamage.UNKNOWN_TEMPLATE.name()), ex.getMessage());
        assertTrue(ex.getMessage().contains("journal dump"), ex.getMessage());
    }

    /** What a session's state alone decides is decided again, and needs no record before its answer. */
    @Test
    void shouldFindSessionsFullAgainWhenTheirOutcomesWereKeptFromTheJournal() throws IOException {
        final Filter outcomes = new Filter();
        live(null, outcomes);
        exchange(REQUESTS);
        final int before = fullCount();
        outcomes.stalledFrom = answers.count();
        for (int step = 0; step < 14; step++) {
            assertTrue(client.inferTokens(2, 99, new int[] {step}, 0) > 0);
        }
        harness.exchange(client, answers, REQUESTS + 14);
        assertEquals(before + 2, fullCount());
        final RecoveryReport report = assertRecovers();
        assertEquals(14, report.recomputedCount());
        assertEquals(REQUESTS, report.identicalCount());
        assertEquals(report.nextSequence(), assertRecoversAgain().identicalCount());
    }

    @Test
    void shouldHaveForgottenTheSameSessionsWhenTheProcessDied() throws IOException {
        liveEvicting(null);
        exchange(REQUESTS);
        assertTrue(harness.counter(CounterId.SESSIONS_EVICTED) > REQUESTS / 4);
        copyLive();
        assertEquals(REQUESTS, assertRecoversAgain(PLACES).identicalCount());
        assertRecoversAgain(2 * PLACES);
    }

    @Test
    void shouldHaveForgottenTheSameSessionsWhenItBeginsWithASnapshot() throws IOException {
        liveEvicting(null);
        exchange(REQUESTS / 2);
        final long sequence = snapshot();
        exchange(REQUESTS);
        copyLive();
        assertEquals(sequence, assertRecoversAgain(PLACES).snapshotSequence());
        assertRecoversAgain(2 * PLACES);
    }

    /** Nobody has been told that a session begins whose outcome is not there, nor anything since. */
    @Test
    void shouldDecideAnewWhichSessionsMakeRoomWhenACrashHasKeptTheOutcomesFromTheJournal() throws IOException {
        final Filter outcomes = new Filter();
        liveEvicting(outcomes);
        exchange(REQUESTS / 2);
        outcomes.stalledFrom = REQUESTS / 2 + 3;
        for (int request = 0; request < 30;) {
            request += traffic.sendNext() ? 1 : 0;
            harness.round();
        }
        harness.rounds(100);
        client.poll(answers, 100);
        assertTrue(answers.count() < REQUESTS / 2 + 30);
        copyLive();
        final RecoveryReport report = assertRecoversAgain(PLACES);
        assertEquals(REQUESTS / 2 + 3, report.identicalCount());
        assertEquals(27, report.recomputedCount());
        assertEquals(report.nextSequence(), assertRecoversAgain(PLACES).identicalCount());
    }

    /** Had there been as few places before, the fork would not have been taken: the journal is not damaged. */
    @Test
    void shouldRefuseAndChangeNothingWhenASessionIsCopiedThatHasMadeRoomInTheRecovery() throws IOException {
        final Filter outcomes = new Filter();
        liveEvicting(outcomes);
        for (int key = 1; key <= 4; key++) {
            assertTrue(client.infer(0, key, new float[8], 0) > 0);
        }
        harness.exchange(client, answers, 4);
        harness.drain();
        outcomes.stalledFrom = 4;
        assertTrue(client.infer(0, 5, new float[8], 0) > 0);
        assertTrue(client.forkSession(0, 6, 1) > 0);
        harness.rounds(100);
        copyLive();
        final RecoveryException ex = assertRefused(RecoveryException.Code.SESSION_LIMIT, bundles, 4);
        assertTrue(ex.getMessage().contains("sequence=5 limits.sessions=4"), ex.getMessage());
    }

    @Test
    void shouldKeepTheSessionsUsedLastWhenFewerAreAllowedThanTheSnapshotHas() throws IOException {
        liveEvicting(null);
        exchange(REQUESTS);
        snapshot();
        copyLive();
        try (ClaimedJournal claimed = JournalDirectory.claim(copy, settings());
                Sessions sessions = new Sessions(harness.models, 3);
                RetryWindow retries = Pipeline.newRetryWindow(harness.context, harness.models);
                Recovery recovery = recovery(claimed, harness.models, sessions, retries);
                StraightRun straight = straightRun()) {
            recovery.read();
            assertEquals(3, sessions.table().size());
            for (int index = 0; index < 3; index++) {
                assertSameSession(straight, sessions, index);
            }
            assertOrderOfLastUse(straight.sessionNames().subList(PLACES - 3, PLACES), sessions.table());
        }
    }

    @Test
    void shouldRefuseAndChangeNothingWhenASessionGoesOnForWhichThereIsNoPlaceAnyMore() throws IOException {
        liveEvicting(null);
        exchange(REQUESTS);
        copyLive();
        final RecoveryException ex = assertRefused(RecoveryException.Code.SESSION_LIMIT, bundles, 3);
        assertTrue(ex.getMessage().contains("start once with as many as there were"), ex.getMessage());
    }

    private int fullCount() {
        return (int) answers.results.stream().filter(result -> result.status() == ResultStatus.CONTEXT_FULL).count();
    }

    private void live(final Filter requests, final Filter outcomes) {
        live(requests, outcomes, context -> context.ringCapacity(32));
    }

    private void liveEvicting(final Filter outcomes) {
        live(null, outcomes, context -> context
                .ringCapacity(32).maxSessions(PLACES).fullSessionsPolicy(FullSessionsPolicy.EVICT));
    }

    private void live(final Filter requests, final Filter outcomes, final PipelineHarness.Change change) {
        journal = JournalDirectory.open(journalDirectory, settings());
        harness = new PipelineHarness(directory, bundles, change,
                over(requests, journal.requests()), over(outcomes, journal.outcomes()));
        client = harness.connect("desk-7");
        traffic = new RandomTraffic(5, client, true);
    }

    private static RecordLog over(final Filter filter, final RecordLog log) {
        if (filter == null) {
            return log;
        }
        filter.log = log;
        return filter;
    }

    private JournalSettings settings() {
        return new JournalSettings()
                .blockBytes(1 << 20)
                .populateAheadBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .minimumFreeBytes(0)
                .clock(epochClock)
                .isDurable(false)
                .keeperThread(false);
    }

    private void exchange(final int answerCount) {
        final int[] sentCount = {answers.count()};
        harness.roundsUntil("answers=" + answerCount, () -> {
            if (sentCount[0] < answerCount && traffic.sendNext()) {
                sentCount[0]++;
            }
            client.poll(answers, 16);
            journal.keeper().doWork();
            return answers.count() == answerCount;
        });
        harness.rounds(3);
    }

    /** @return its sequence. */
    private long snapshot() {
        final SnapshotStore store = new SnapshotStore(journalDirectory);
        final SnapshotAgent agent = new SnapshotAgent(new SnapshotAgent.Settings(0, 10, 1), harness.cut,
                harness.sessions, harness.retries, harness.models, store,
                new SnapshotAgent.Progress(harness.pipeline::takenSequence, harness.pipeline::recordedSequence),
                new UnwrittenJournal(), -1, harness.clock, harness.counters, EventTrack.none());
        agent.takeSoon();
        harness.roundsUntil("snapshot", () -> {
            agent.doWork();
            return agent.isIdle();
        });
        agent.onClose();
        return store.list().get(0).sequence();
    }

    private void copyLive() throws IOException {
        IoUtil.delete(copy.toFile(), true);
        try (Stream<Path> files = Files.walk(journalDirectory)) {
            for (final Path file : files.filter(Files::isRegularFile).toList()) {
                final Path target = copy.resolve(journalDirectory.relativize(file));
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
    }

    private RecoveryReport assertRecovers() throws IOException {
        copyLive();
        return assertRecoversAgain();
    }

    /** Recovers the copy, and holds every session and every outcome against a straight run of the journal. */
    private RecoveryReport assertRecoversAgain() {
        return assertRecoversAgain(4096);
    }

    private RecoveryReport assertRecoversAgain(final int maxSessions) {
        try (ClaimedJournal claimed = JournalDirectory.claim(copy, settings());
                Sessions sessions = new Sessions(harness.models, maxSessions);
                RetryWindow retries = Pipeline.newRetryWindow(harness.context, harness.models);
                Recovery recovery = recovery(claimed, harness.models, sessions, retries)) {
            final RecoveryReport report = recovery.read();
            recovery.continueJournal().close();
            assertSame(sessions, report);
            return report;
        }
    }

    private Recovery recovery(
            final ClaimedJournal claimed,
            final List<LoadedModel> models,
            final Sessions sessions,
            final RetryWindow retries) {
        final ModelVersions versions = new ModelVersions(models.size() + 1);
        versions.addAll(models);
        return new Recovery(claimed, versions, new Routes(models.size(), models.size() + 1), VersionSource.NONE,
                sessions, harness.context.evictsSessions(), retries, epochClock,
                harness.clock, (done, total) -> {});
    }

    private void assertSame(final Sessions sessions, final RecoveryReport report) {
        try (StraightRun straight = straightRun()) {
            assertEquals(report.nextSequence(), straight.count());
            assertEquals(straight.sessionCount(), sessions.table().size());
            assertOrderOfLastUse(straight.sessionNames(), sessions.table());
            for (int index = 0; index < sessions.table().size(); index++) {
                assertSameSession(straight, sessions, index);
            }
        }
    }

    /** Of the whole copy, each of whose outcomes has to be what it comes to. */
    private StraightRun straightRun() {
        final StraightRun straight = new StraightRun(harness.models, harness.context.maxSessions());
        final JournalView view = JournalDirectory.openForRead(copy);
        try (RecordReader requests = view.requests(); RecordReader outcomes = view.outcomes()) {
            while (requests.next()) {
                assertTrue(outcomes.next(), "outcome of sequence=" + requests.sequence());
                straight.assertSameOutcome(requests.sequence(), entry(requests), entry(outcomes));
            }
        }
        return straight;
    }

    /** By taking out one after the other, for sessions that there cannot be. */
    private static void assertOrderOfLastUse(final List<StraightRun.Name> names, final SessionTable recovered) {
        final SessionTable table = recovered.withLimit(recovered.maxSessions());
        for (final StraightRun.Name name : names) {
            final int oldest = table.oldest();
            assertEquals(name, new StraightRun.Name(
                    table.principalId(oldest), table.modelId(oldest), table.sessionKey(oldest)));
            table.replaceOldest(0, Short.MAX_VALUE, oldest);
        }
    }

    private static void assertSameSession(
            final StraightRun straight, final Sessions sessions, final int index) {
        final SessionTable table = sessions.table();
        final int modelIndex = table.modelIndex(index);
        assertEquals(straight.hash(table.principalId(index), modelIndex, table.sessionKey(index)),
                sessions.states(modelIndex).hash(index));
        assertArrayEquals(
                straight.canonicalState(table.principalId(index), modelIndex, table.sessionKey(index)),
                sessions.states(modelIndex).canonicalState(index));
    }

    private RecoveryException assertRefused(
            final RecoveryException.Code code, final List<Path> configured, final int maxSessions) throws IOException {
        final Map<String, String> before = contents();
        final List<LoadedModel> models = PipelineHarness.loadReferences(configured);
        try (ClaimedJournal claimed = JournalDirectory.claim(copy, settings());
                Sessions sessions = new Sessions(models, maxSessions);
                RetryWindow retries = Pipeline.newRetryWindow(harness.context, models);
                Recovery recovery = recovery(claimed, models, sessions, retries)) {
            final RecoveryException ex = assertThrows(RecoveryException.class, recovery::read);
            assertEquals(code, ex.code(), ex.getMessage());
            return ex;
        } finally {
            models.forEach(LoadedModel::close);
            assertEquals(before, contents());
        }
    }

    private Map<String, String> contents() throws IOException {
        final Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(copy)) {
            for (final Path file : files.filter(Files::isRegularFile).toList()) {
                if (!file.endsWith("lock")) {
                    contents.put(file.toString(), Arrays.hashCode(Files.readAllBytes(file)) + " " +
                            Files.getLastModifiedTime(file));
                }
            }
        }
        return contents;
    }

    private static MemoryRecordLog.Entry entry(final RecordReader reader) {
        final byte[] version = new byte[32];
        reader.modelVersion().getBytes(0, version);
        final byte[] frame = new byte[reader.frameLength()];
        reader.frame().getBytes(0, frame);
        return new MemoryRecordLog.Entry(
                reader.sequence(), reader.ingressNs(), reader.principalId(), version, frame);
    }

    /** Comes between a stage and its log. */
    private static final class Filter implements RecordLog {
        private static final int STATE_HASH_OFFSET = 24;
        private RecordLog log;
        private long stalledFrom = Long.MAX_VALUE;
        private long lostFrom = Long.MAX_VALUE;
        private long falsifiedSequence = -1;
        private long heartbeatSequence = -1;
        /** Put into every request of the model with tokens; below 0 into none. */
        private int strayToken = -1;

        @Override
        public boolean append(
                final long sequence,
                final long ingressNs,
                final long principalId,
                final DirectBuffer modelVersion,
                final DirectBuffer frame,
                final int frameOffset,
                final int frameLength) {
            if (sequence >= stalledFrom) {
                return false;
            }
            if (sequence >= lostFrom) {
                return true;
            }
            if (sequence == falsifiedSequence) {
                final UnsafeBuffer falsified = new UnsafeBuffer(new byte[frameLength]);
                falsified.putBytes(0, frame, frameOffset, frameLength);
                falsified.putByte(STATE_HASH_OFFSET, (byte) ~falsified.getByte(STATE_HASH_OFFSET));
                return log.append(sequence, ingressNs, principalId, modelVersion, falsified, 0, frameLength);
            }
            if (sequence == heartbeatSequence) {
                final UnsafeBuffer heartbeat = heartbeat();
                return log.append(sequence, ingressNs, principalId, modelVersion, heartbeat, 0, heartbeat.capacity());
            }
            if (strayToken >= 0 && isOfTokens(frame, frameOffset)) {
                final UnsafeBuffer falsified = new UnsafeBuffer(new byte[frameLength]);
                falsified.putBytes(0, frame, frameOffset, frameLength);
                falsified.putInt(Frames.FEATURES_OFFSET, strayToken);
                return log.append(sequence, ingressNs, principalId, modelVersion, falsified, 0, frameLength);
            }
            return log.append(sequence, ingressNs, principalId, modelVersion, frame, frameOffset, frameLength);
        }

        private static UnsafeBuffer heartbeat() {
            final UnsafeBuffer frame = new UnsafeBuffer(
                    new byte[MessageHeaderEncoder.ENCODED_LENGTH + HeartbeatEncoder.BLOCK_LENGTH]);
            new HeartbeatEncoder().wrapAndApplyHeader(frame, 0, new MessageHeaderEncoder());
            assertEquals(FrameValidator.OK,
                    new FrameValidator(frame.capacity(), 1).checkFromClient(frame, 0, frame.capacity()));
            return frame;
        }

        private static boolean isOfTokens(final DirectBuffer frame, final int offset) {
            final MessageHeaderDecoder header = new MessageHeaderDecoder().wrap(frame, offset);
            return header.templateId() == InferDecoder.TEMPLATE_ID &&
                    new InferDecoder().wrapAndApplyHeader(frame, offset, header).modelId() == 2;
        }

        @Override
        public int onIdle() {
            return log.onIdle();
        }

        @Override
        public void sync() {
            log.sync();
        }

        @Override
        public boolean isSpaceLow() {
            return log.isSpaceLow();
        }

        @Override
        public long freeBytes() {
            return log.freeBytes();
        }

        @Override
        public void close() {
            log.close();
        }
    }
}
