package io.tiercel.replay;

import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.snapshot.SnapshotException;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.protocol.journal.OutcomeStatus;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.agrona.concurrent.NanoClock;

/**
 * Checks a journal's snapshots: each file by itself, that its bundles are in the journal, and that every session in it
 * stands where the journal's requests bring it, hash and canonical state bit for bit, and that every answer kept for
 * retries is the journal's. Stops at the first damage and at the first difference.
 *
 * <p>All of them are met on one way through the journal, from its first record; one alone is reached from the snapshot
 * before it. Where the journal's beginning was removed, its oldest snapshot is taken as it is. Opened for reading only.
 * Used once, on one thread.
 */
public final class SnapshotVerifier {

    private static final int PROGRESS_MASK = (1 << 10) - 1;

    private final Path journalDirectory;
    private final String backend;
    private final ReplayProgress progress;
    private final NanoClock clock;
    private final SnapshotStore store;
    private final List<SnapshotReport.VerifiedSnapshot> verified = new ArrayList<>();
    private final ReplayTask task = new ReplayTask();
    private long baseSequence = -1;
    private boolean hasNext = true;
    private long requestCount;
    private SnapshotDifference difference;
    private Damage damage;

    /**
     * @param backend  what computes; all exact ones give the same bits.
     * @param progress told how far it is.
     */
    public SnapshotVerifier(
            final Path journalDirectory, final String backend, final ReplayProgress progress, final NanoClock clock) {
        this.journalDirectory = journalDirectory;
        this.backend = backend;
        this.progress = progress;
        this.clock = clock;
        this.store = new SnapshotStore(journalDirectory);
    }

    /**
     * Verifies every snapshot that there is.
     *
     * @throws io.tiercel.appliance.journal.JournalException if there is no journal or it cannot be read.
     * @throws io.tiercel.appliance.engine.NoBackendException if no backend can compute a bundle here as asked.
     */
    public SnapshotReport verifyAll() {
        final List<SnapshotStore.Entry> entries = new ArrayList<>(store.list());
        Collections.reverse(entries);
        return verify(entries, -1);
    }

    /**
     * Verifies one.
     *
     * @throws IllegalArgumentException if there is no snapshot of that sequence.
     */
    public SnapshotReport verify(final long sequence) {
        for (final SnapshotStore.Entry entry : store.list()) {
            if (entry.sequence() == sequence) {
                return verify(List.of(entry), sequence);
            }
        }
        throw new IllegalArgumentException("sequence=" + sequence + " is of no snapshot in " + store.directory());
    }

    /** @param onlySequence -1: all of them. */
    private SnapshotReport verify(final List<SnapshotStore.Entry> entries, final long onlySequence) {
        final long startNs = clock.nanoTime();
        try (JoinedJournal journal = JoinedJournal.open(journalDirectory);
                ReplayEngine engine = new ReplayEngine(new BundleStore(journalDirectory), backend);
                ReplayComputer computer = new ReplayComputer()) {
            if (!entries.isEmpty()) {
                checkFiles(entries);
                begin(journal, engine, computer, onlySequence);
                compareAll(journal, engine, computer, entries);
            }
        } catch (final DamageException ex) {
            damage = ex.damage();
        }
        return new SnapshotReport(journalDirectory, baseSequence, requestCount, List.copyOf(verified),
                clock.nanoTime() - startNs, difference, damage);
    }

    /** Before anything is computed: this takes no time, and is what goes wrong most often. */
    private void checkFiles(final List<SnapshotStore.Entry> entries) {
        final BundleStore bundles = new BundleStore(journalDirectory);
        for (final SnapshotStore.Entry entry : entries) {
            try (SnapshotReader snapshot = open(entry)) {
                for (final SnapshotReader.ModelEntry model : snapshot.models()) {
                    bundles.open(model.versionHex(), entry.sequence());
                }
            }
        }
    }

    private void begin(
            final JoinedJournal journal, final ReplayEngine engine, final ReplayComputer computer,
            final long onlySequence) {
        final SnapshotBase bases = new SnapshotBase(store, journal.firstSequence());
        final boolean isBeginningThere = journal.firstSequence() == 0;
        try (SnapshotReader base = onlySequence >= 0
                ? bases.newestBefore(onlySequence)
                : isBeginningThere ? null : bases.oldest()) {
            if (base != null) {
                engine.restore(base, computer);
                baseSequence = base.sequence();
                hasNext = journal.seek(baseSequence + 1);
            } else if (!isBeginningThere) {
                throw bases.none();
            }
        }
    }

    private void compareAll(
            final JoinedJournal journal, final ReplayEngine engine, final ReplayComputer computer,
            final List<SnapshotStore.Entry> entries) {
        final long lastSequence = entries.get(entries.size() - 1).sequence();
        long sequence = baseSequence;
        for (final SnapshotStore.Entry entry : entries) {
            if (entry.sequence() <= baseSequence) {
                continue;
            }
            while (sequence < entry.sequence()) {
                sequence = applyNext(journal, engine, computer, entry);
                if ((++requestCount & PROGRESS_MASK) == 0) {
                    progress.onProgress(requestCount, lastSequence - baseSequence);
                }
            }
            compare(engine, entry);
            if (difference != null) {
                return;
            }
        }
    }

    private long applyNext(
            final JoinedJournal journal, final ReplayEngine engine, final ReplayComputer computer,
            final SnapshotStore.Entry entry) {
        if (!hasNext || !journal.next() || !journal.hasOutcome()) {
            throw new DamageException(DamageKind.BAD_SNAPSHOT, ReplayEngine.SNAPSHOTS, entry.sequence(),
                    "file=" + entry.file() + " is beyond the journal's last outcome");
        }
        if (journal.requestFrame().kind() == RequestKind.ADMINISTER) {
            engine.administer(journal);
            return journal.sequence();
        }
        final boolean isExpired = journal.outcomeFrame().status() == OutcomeStatus.EXPIRED &&
                journal.requestFrame().budgetNs() != 0;
        engine.take(journal, isExpired, task);
        computer.compute(task);
        return journal.sequence();
    }

    private void compare(final ReplayEngine engine, final SnapshotStore.Entry entry) {
        try (SnapshotReader snapshot = open(entry)) {
            difference = engine.compare(snapshot);
            if (difference != null) {
                return;
            }
            final SnapshotAnswers answers = new SnapshotAnswers(snapshot);
            difference = answers.compare(journalDirectory);
            if (difference == null) {
                verified.add(new SnapshotReport.VerifiedSnapshot(
                        entry.file(), entry.sequence(), snapshot.sessionCount(), answers.comparedCount()));
            }
        }
    }

    private SnapshotReader open(final SnapshotStore.Entry entry) {
        try {
            return store.open(entry);
        } catch (final SnapshotException ex) {
            throw new DamageException(new Damage(
                    DamageKind.BAD_SNAPSHOT, ReplayEngine.SNAPSHOTS, entry.sequence(), ex.getMessage()), ex);
        }
    }
}
