package io.tiercel.replay;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelVersions;
import io.tiercel.appliance.engine.Model;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.journal.ClaimedJournal;
import io.tiercel.appliance.journal.JournalDirectory;
import io.tiercel.appliance.journal.JournalEnd;
import io.tiercel.appliance.journal.JournalSettings;
import io.tiercel.appliance.journal.RecordLog;
import io.tiercel.appliance.journal.RecordReader;
import io.tiercel.appliance.recovery.Recovery;
import io.tiercel.appliance.recovery.VersionSource;
import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotFiles;
import io.tiercel.protocol.journal.Arithmetic;
import io.tiercel.protocol.journal.OutcomeEncoder;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.protocol.wire.InferEncoder;
import io.tiercel.protocol.wire.ResetSessionEncoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.agrona.BufferUtil;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A journal as an appliance would have written it: two bundles under three aliases, several principals and sessions,
 * requests of one or more steps, streams, resets, expiries. The answers are computed in batches, as live ones are,
 * where replay computes one request at a time. Everything follows from the seed.
 */
public final class JournalFixture {

    public static final int FEATURES = 6;
    public static final int OUTPUTS = 3;

    private static final int MODELS = 3;
    private static final int MAX_BATCH = 4;
    private static final int MAX_SESSIONS = 64;
    private static final int NO_LIMIT = 0;
    private static final int MAX_PRINCIPALS = 16;
    private static final int MAX_STEPS = 3;
    private static final int HEADER_LENGTH = 8;
    private static final long FIRST_INGRESS_NS = 1_700_000_000_000_000_000L;
    private static final long DAY_NS = 86_400_000_000_000L;

    public final List<TestRecord> requests = new ArrayList<>();
    public final List<TestRecord> outcomes = new ArrayList<>();
    public final List<Bundle> bundles = new ArrayList<>();

    private final SplittableRandom random;
    private final List<byte[]> bundleBytes = new ArrayList<>();
    private final List<Draft> drafts = new ArrayList<>();

    private JournalFixture(final long seed) {
        random = new SplittableRandom(seed);
        addBundle(RandomModels.lstm(seed).hidden(16).features(FEATURES).outputs(OUTPUTS));
        addBundle(RandomModels.lstm(seed + 1).hidden(8).features(FEATURES).outputs(OUTPUTS).layers(2)
                .weights(WeightFormat.INT4));
    }

    /** A journal of so many requests, all of them answered; of the time before outcomes said which session began. */
    public static JournalFixture of(final long seed, final int requestCount) {
        return of(seed, requestCount, NO_LIMIT);
    }

    /** The same, of an appliance in which the session unused for longest makes room where there is no other. */
    public static JournalFixture of(final long seed, final int requestCount, final int sessionLimit) {
        final JournalFixture fixture = new JournalFixture(seed);
        for (int i = 0; i < requestCount; i++) {
            fixture.drafts.add(new Draft(i, fixture.random));
        }
        for (final Draft draft : fixture.drafts) {
            fixture.requests.add(fixture.record(draft, draft.requestFrame()));
        }
        fixture.compute(sessionLimit);
        for (final Draft draft : fixture.drafts) {
            fixture.outcomes.add(fixture.record(draft, draft.outcomeFrame()));
        }
        return fixture;
    }

    private void addBundle(final RandomModels settings) {
        bundles.add(settings.bundle());
        bundleBytes.add(settings.toBytes());
    }

    /** The first sequence, from the given one on, whose request is an Infer that was computed. */
    public int computedFrom(final int sequence) {
        int found = sequence;
        while (drafts.get(found).status != OutcomeStatus.OK) {
            found++;
        }
        return found;
    }

    /** The first sequence whose outcome has this status. */
    public int firstWith(final OutcomeStatus status) {
        int found = 0;
        while (drafts.get(found).status != status) {
            found++;
        }
        return found;
    }

    public JoinedJournal inMemory() {
        return inMemory(JoinedJournal.Queues.BOTH);
    }

    public JoinedJournal inMemory(final JoinedJournal.Queues queues) {
        return new JoinedJournal(
                queues == JoinedJournal.Queues.OUTCOMES ? null : new MemoryRecords(requests),
                queues == JoinedJournal.Queues.REQUESTS ? null : new MemoryRecords(outcomes));
    }

    /** Where the bundle would lie in a journal. */
    public Path bundlePath(final Path journalDirectory, final int modelIndex) {
        return journalDirectory.resolve("bundles").resolve(bundles.get(modelIndex).versionHex() + ".safetensors");
    }

    public void writeBundles(final Path journalDirectory) {
        try {
            Files.createDirectories(journalDirectory.resolve("bundles"));
            for (int i = 0; i < bundles.size(); i++) {
                Files.write(bundlePath(journalDirectory, i), bundleBytes.get(i));
            }
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    /** Writes the journal as it stands now, changes and all, with right checksums. */
    public void write(final Path journalDirectory) {
        write(journalDirectory, requests.size(), outcomes.size());
    }

    private void write(final Path journalDirectory, final int requestCount, final int outcomeCount) {
        try (JournalDirectory journal = JournalDirectory.open(journalDirectory, settings(FIRST_INGRESS_NS))) {
            write(journal, journal.requests(), requests.subList(0, requestCount));
            write(journal, journal.outcomes(), outcomes.subList(0, outcomeCount));
        }
        writeBundles(journalDirectory);
    }

    /**
     * Writes the journal as retention leaves it: requests before {@code requestsFirst} and outcomes before
     * {@code outcomesFirst} lay in files of the day before, which are gone.
     */
    public void writeWithoutBeginning(
            final Path journalDirectory, final int requestsFirst, final int outcomesFirst) {
        try (JournalDirectory journal = JournalDirectory.open(journalDirectory, settings(FIRST_INGRESS_NS))) {
            write(journal, journal.requests(), requests.subList(0, requestsFirst));
            write(journal, journal.outcomes(), outcomes.subList(0, outcomesFirst));
        }
        try (ClaimedJournal claimed = JournalDirectory.claim(
                journalDirectory, settings(FIRST_INGRESS_NS + DAY_NS).keepForNs(1));
                JournalDirectory journal = claimed.append(
                        endOf(claimed.view().recoverRequests()), endOf(claimed.view().recoverOutcomes()))) {
            write(journal, journal.requests(), requests.subList(requestsFirst, requests.size()));
            write(journal, journal.outcomes(), outcomes.subList(outcomesFirst, outcomes.size()));
            journal.prune(requests.size(), FIRST_INGRESS_NS + 2 * DAY_NS);
        }
        writeBundles(journalDirectory);
    }

    /**
     * Writes a snapshot into the journal, as an appliance would have taken it after that request. The requests of this
     * fixture must be as they were made. It keeps no answers.
     *
     * @return the file.
     */
    public Path writeSnapshot(final Path journalDirectory, final int sequence) {
        return writeSnapshot(journalDirectory, sequence, 0);
    }

    /** The same, with the answers to each principal's newest requests, {@code answerSlots} of them. */
    public Path writeSnapshot(final Path journalDirectory, final int sequence, final int answerSlots) {
        Path scratch = null;
        final List<LoadedModel> models = loadModels();
        try (Sessions sessions = new Sessions(models, MAX_SESSIONS);
                RetryWindow retries = new RetryWindow(MAX_PRINCIPALS, answerSlots, OUTPUTS)) {
            scratch = Files.createTempDirectory("tiercel-fixture-");
            write(scratch, sequence + 1, sequence + 1);
            try (ClaimedJournal claimed = JournalDirectory.claim(scratch, settings(FIRST_INGRESS_NS));
                    Recovery recovery = new Recovery(
                            claimed, ModelVersions.of(models), new Routes(models.size(), models.size()),
                            VersionSource.NONE, sessions, false, retries,
                            () -> Long.MAX_VALUE, () -> 0, (doneCount, totalCount) -> {})) {
                recovery.read();
            }
            return SnapshotFiles.write(journalDirectory, sequence, sessions, models, retries);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        } finally {
            models.forEach(LoadedModel::close);
            if (scratch != null) {
                IoUtil.delete(scratch.toFile(), true);
            }
        }
    }

    private List<LoadedModel> loadModels() {
        final List<LoadedModel> models = new ArrayList<>();
        for (int modelId = 0; modelId < MODELS; modelId++) {
            final Bundle bundle = bundleOf(modelId);
            models.add(LoadedModel.of(modelId, "alias-" + modelId, bundle.version(), Backends.AUTO,
                    Backends.select(Backends.AUTO, bundle).load(bundle, 1)));
        }
        return models;
    }

    private static JournalSettings settings(final long nowNs) {
        return new JournalSettings()
                .blockBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .populateAheadBytes(JournalSettings.MIN_POPULATE_AHEAD_BYTES)
                .minimumFreeBytes(0)
                .clock(() -> nowNs)
                .keeperThread(false);
    }

    private static JournalEnd endOf(final RecordReader reader) {
        try (reader) {
            while (reader.next()) {
                continue;
            }
            return reader.end();
        }
    }

    private static void write(final JournalDirectory journal, final RecordLog log, final List<TestRecord> records) {
        for (final TestRecord record : records) {
            final UnsafeBuffer modelVersion = new UnsafeBuffer(record.modelVersion);
            while (!log.append(record.sequence, record.ingressNs, record.principalId, modelVersion,
                    record.buffer(), 0, record.frame.length)) {
                journal.keeper().doWork();
            }
        }
    }

    /** Changes one byte of a record in the file: behind the back of its checksum. */
    public static void corruptOnDisk(final Path queueDirectory, final TestRecord record) {
        try (Stream<Path> files = Files.list(queueDirectory)) {
            final Path file = files.filter(path -> path.toString().endsWith(".cq4")).findFirst().orElseThrow();
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                final MappedByteBuffer bytes = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
                int offset = 0;
                while (!bytes.slice(offset, record.frame.length).equals(ByteBuffer.wrap(record.frame))) {
                    offset++;
                }
                final int last = offset + record.frame.length - 1;
                bytes.put(last, (byte) (bytes.get(last) ^ 1));
            }
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    private TestRecord record(final Draft draft, final byte[] frame) {
        return new TestRecord(
                draft.sequence, draft.ingressNs, draft.principalId, bundleOf(draft.modelId).version(), frame);
    }

    /** Models 0 and 2 are of one bundle. */
    private Bundle bundleOf(final int modelId) {
        return bundles.get(modelId % bundles.size());
    }

    private void compute(final int sessionLimit) {
        final List<LiveModel> models = new ArrayList<>();
        for (int modelId = 0; modelId < MODELS; modelId++) {
            models.add(new LiveModel(bundleOf(modelId)));
        }
        final LinkedHashMap<List<Long>, Integer> sessions = new LinkedHashMap<>();
        for (final Draft draft : drafts) {
            draft.enter(sessions, sessionLimit);
        }
        int index = 0;
        while (index < drafts.size()) {
            final List<Draft> batch = batchFrom(index);
            models.get(batch.get(0).modelId).answer(batch);
            index += batch.size();
        }
        models.forEach(LiveModel::close);
    }

    /** Consecutive computed requests of one model and of different sessions; or one request by itself. */
    private List<Draft> batchFrom(final int first) {
        final List<Draft> batch = new ArrayList<>(List.of(drafts.get(first)));
        final Set<Integer> sessions = new HashSet<>(Set.of(drafts.get(first).sessionIndex));
        for (int i = first + 1; i < drafts.size() && batch.size() < MAX_BATCH; i++) {
            final Draft next = drafts.get(i);
            final boolean fits = batch.get(0).status == OutcomeStatus.OK && next.status == OutcomeStatus.OK &&
                    next.modelId == batch.get(0).modelId && sessions.add(next.sessionIndex);
            if (!fits) {
                break;
            }
            batch.add(next);
        }
        return batch;
    }

    /** A request, and what became of it. */
    private static final class Draft {
        private final long sequence;
        private final long ingressNs;
        private final long principalId;
        private final long sessionKey;
        private final int modelId;
        private final OutcomeStatus status;
        private final long budgetNs;
        private final int stepCount;
        private final boolean isStream;
        private final UnsafeBuffer features =
                new UnsafeBuffer(BufferUtil.allocateDirectAligned(MAX_STEPS * FEATURES * Float.BYTES, 64));
        private final UnsafeBuffer outputs =
                new UnsafeBuffer(BufferUtil.allocateDirectAligned(MAX_STEPS * OUTPUTS * Float.BYTES, 64));
        private int sessionIndex;
        private boolean hasBegun;
        private boolean hasEvicted;
        private int batchSize;
        private long stateHash;

        Draft(final long sequence, final SplittableRandom random) {
            this.sequence = sequence;
            ingressNs = FIRST_INGRESS_NS + sequence * 1_000 + random.nextInt(1_000);
            principalId = 0xABCDEF0000000000L + random.nextInt(2);
            sessionKey = random.nextInt(5) - 1;
            modelId = random.nextInt(MODELS);
            final int kind = random.nextInt(20);
            status = kind == 0 ? OutcomeStatus.RESET : kind == 1 ? OutcomeStatus.EXPIRED : OutcomeStatus.OK;
            budgetNs = status == OutcomeStatus.EXPIRED || random.nextInt(3) == 0 ? 50_000 : 0;
            stepCount = 1 + random.nextInt(MAX_STEPS);
            isStream = random.nextBoolean();
            for (int i = 0; i < stepCount * FEATURES; i++) {
                features.putFloat(i * Float.BYTES, (float) random.nextDouble(-3, 3), ByteOrder.LITTLE_ENDIAN);
            }
        }

        /** @param sessions the index of each, the one unused for longest first. */
        void enter(final LinkedHashMap<List<Long>, Integer> sessions, final int sessionLimit) {
            final List<Long> name = List.of(principalId, sessionKey, (long) modelId);
            final Integer known = sessions.remove(name);
            hasBegun = known == null && sessionLimit != NO_LIMIT;
            hasEvicted = hasBegun && sessions.size() == sessionLimit;
            sessionIndex = known != null ? known
                    : hasEvicted ? sessions.remove(sessions.keySet().iterator().next()) : sessions.size();
            sessions.put(name, sessionIndex);
        }

        byte[] requestFrame() {
            final UnsafeBuffer buffer = new UnsafeBuffer(new byte[4096]);
            if (status == OutcomeStatus.RESET) {
                final ResetSessionEncoder reset = new ResetSessionEncoder().wrapAndApplyHeader(
                        buffer, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder());
                reset.correlationId(1_000 + sequence).sessionKey(sessionKey).modelId(modelId);
                return Arrays.copyOf(buffer.byteArray(), HEADER_LENGTH + reset.encodedLength());
            }
            final InferEncoder infer = new InferEncoder().wrapAndApplyHeader(
                    buffer, 0, new io.tiercel.protocol.wire.MessageHeaderEncoder());
            infer.correlationId(1_000 + sequence).sessionKey(sessionKey).budgetNs(budgetNs).modelId(modelId)
                    .stepCount(stepCount).featureCount(FEATURES);
            infer.flags().clear().stream(isStream);
            infer.putFeatures(features, 0, stepCount * FEATURES * Float.BYTES);
            return Arrays.copyOf(buffer.byteArray(), HEADER_LENGTH + infer.encodedLength());
        }

        byte[] outcomeFrame() {
            final UnsafeBuffer buffer = new UnsafeBuffer(new byte[4096]);
            final boolean isOk = status == OutcomeStatus.OK;
            final OutcomeEncoder outcome = new OutcomeEncoder().wrapAndApplyHeader(
                    buffer, 0, new io.tiercel.protocol.journal.MessageHeaderEncoder());
            outcome.flags().clear().sessionBegan(hasBegun).sessionEvicted(hasEvicted);
            outcome.correlationId(1_000 + sequence).sessionKey(sessionKey).stateHash(stateHash)
                    .journaledNs(150).inferStartNs(200).inferEndNs(2_300).egressNs(2_600)
                    .modelId(modelId).batchSize(batchSize).stepCount(status == OutcomeStatus.RESET ? 0 : stepCount)
                    .outputCount(isOk ? OUTPUTS : 0).status(status).arithmetic(Arithmetic.EXACT)
                    .putOutputs(outputs, 0, isOk ? (isStream ? stepCount : 1) * OUTPUTS * Float.BYTES : 0);
            return Arrays.copyOf(buffer.byteArray(), HEADER_LENGTH + outcome.encodedLength());
        }
    }

    /** The live side: batches across sessions. */
    private static final class LiveModel {
        private final Model model;
        private final ModelExecutor executor;
        private final SessionStates states;
        private final StepBatch batch = new StepBatch(MAX_BATCH);

        LiveModel(final Bundle bundle) {
            model = Backends.select(Backends.AUTO, bundle).load(bundle, 1);
            executor = model.newExecutor(MAX_BATCH);
            states = new SessionStates(MAX_SESSIONS, model, bundle.version());
        }

        void answer(final List<Draft> drafts) {
            for (final Draft draft : drafts) {
                draft.batchSize = drafts.size();
                if (draft.hasBegun) {
                    states.reset(draft.sessionIndex, executor);
                } else {
                    states.ensureInitialised(draft.sessionIndex, executor);
                }
            }
            if (drafts.get(0).status == OutcomeStatus.RESET) {
                states.reset(drafts.get(0).sessionIndex, executor);
            } else if (drafts.get(0).status == OutcomeStatus.OK) {
                for (int step = 0; step < MAX_STEPS; step++) {
                    step(drafts, step);
                }
            }
            for (final Draft draft : drafts) {
                draft.stateHash = states.hash(draft.sessionIndex);
            }
        }

        private void step(final List<Draft> drafts, final int step) {
            batch.clear();
            for (final Draft draft : drafts) {
                if (step < draft.stepCount) {
                    batch.add(
                            draft.features.addressOffset() + (long) step * FEATURES * Float.BYTES,
                            states.stateAddress(draft.sessionIndex),
                            draft.outputs.addressOffset() + (draft.isStream ? (long) step * OUTPUTS * Float.BYTES : 0));
                }
            }
            if (batch.size() > 0) {
                executor.step(batch);
                states.settle(batch, executor);
            }
        }

        void close() {
            states.close();
            executor.close();
            model.close();
        }
    }
}
