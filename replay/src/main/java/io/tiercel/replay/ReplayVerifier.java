package io.tiercel.replay;

import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.protocol.journal.OutcomeStatus;
import java.util.ArrayList;
import java.util.List;

/**
 * Computes every outcome of a journal again, in a fresh engine that has only the journal's own bundles, and compares
 * it with what the journal says, bit for bit; outputs of a model that is not exact within the tolerance that its bundle
 * states. Stops at the first difference and at the first damage; there is no warning.
 *
 * <p>A session's state is the sum of all its requests, so the journal is always read from its first record, or, where
 * older ones have been removed, from its oldest snapshot on; a range only says what is compared. What the clock decided
 * (a request expired) is taken from the outcome: replay has no clock. The journal is opened for reading only.
 *
 * <p>Used once, on one thread:
 * <pre>{@code
 * ReplayReport report = new ReplayVerifier(new ReplayOptions().journalDirectory(directory)).verify();
 * if (!report.isIdentical()) { ... report.divergence() ... report.damage() ... }
 * }</pre>
 */
public final class ReplayVerifier {

    private static final int PROGRESS_MASK = (1 << 10) - 1;

    private final ReplayOptions options;
    private long baseSequence = -1;
    private long lastSequence = -1;
    private long comparedCount;
    private long identicalCount;
    private long toleratedCount;
    private long rebuiltCount;
    private long expiredCount;
    private long standbyCount;
    private long openTailCount;
    private Divergence divergence;
    private Damage damage;

    /** @throws IllegalArgumentException if an option is out of range; {@code name=value}. */
    public ReplayVerifier(final ReplayOptions options) {
        this.options = options.conclude();
    }

    /**
     * Verifies.
     *
     * @throws io.tiercel.appliance.journal.JournalException if there is no journal or it cannot be read.
     * @throws io.tiercel.appliance.engine.NoBackendException if no backend can compute a bundle here as asked.
     */
    public ReplayReport verify() {
        try (JoinedJournal journal = JoinedJournal.open(options.journalDirectory())) {
            return verify(journal);
        }
    }

    ReplayReport verify(final JoinedJournal journal) {
        final BundleStore bundles = new BundleStore(options.journalDirectory());
        try (ReplayEngine engine = new ReplayEngine(bundles, options.backend())) {
            final long startNs = options.nanoClock().nanoTime();
            try {
                if (begin(journal, engine)) {
                    replay(journal, engine, new OutcomeComparator(journal, engine));
                }
                checkEnd();
            } catch (final DamageException ex) {
                damage = ex.damage();
            }
            return report(engine, options.nanoClock().nanoTime() - startNs);
        }
    }

    /**
     * At the journal's first record, or behind the oldest snapshot if that record is not the first there was.
     *
     * @return false if nothing is behind that snapshot.
     */
    private boolean begin(final JoinedJournal journal, final ReplayEngine engine) {
        final long firstSequence = journal.firstSequence();
        if (firstSequence == 0) {
            return true;
        }
        final SnapshotBase bases = new SnapshotBase(new SnapshotStore(options.journalDirectory()), firstSequence);
        try (SnapshotReader snapshot = bases.oldest()) {
            if (snapshot == null) {
                throw bases.none();
            }
            engine.restore(snapshot);
            baseSequence = snapshot.sequence();
        }
        lastSequence = baseSequence;
        checkBegin(options.fromSequence() > 0 && options.fromSequence() <= baseSequence, "from=",
                options.fromSequence());
        checkBegin(options.toSequence() <= baseSequence, "to=", options.toSequence());
        return journal.seek(baseSequence + 1);
    }

    private void checkBegin(final boolean isBefore, final String name, final long sequence) {
        if (isBefore) {
            throw new DamageException(DamageKind.RANGE_OUTSIDE_JOURNAL, ReplayEngine.SNAPSHOTS, baseSequence,
                    name + sequence + " is not behind the oldest snapshot, with which computing begins");
        }
    }

    private void replay(final JoinedJournal journal, final ReplayEngine engine, final OutcomeComparator comparator) {
        final long totalCount = totalCount(journal);
        while (lastSequence < options.toSequence() && journal.next()) {
            if (!journal.hasOutcome()) {
                openTailCount++;
                continue;
            }
            engine.apply(journal, isExpired(journal));
            standbyCount += journal.outcomeFrame().isComputedByStandby() ? 1 : 0;
            lastSequence = journal.sequence();
            compare(comparator, engine.comparison().isExact());
            if (divergence != null) {
                return;
            }
            if ((lastSequence & PROGRESS_MASK) == 0) {
                reportProgress(totalCount);
            }
        }
        reportProgress(totalCount);
    }

    private void reportProgress(final long totalCount) {
        if (options.progress() != null) {
            options.progress().onProgress(lastSequence - baseSequence, totalCount);
        }
    }

    private void compare(final OutcomeComparator comparator, final boolean isExact) {
        if (lastSequence < options.fromSequence()) {
            rebuiltCount++;
            return;
        }
        comparedCount++;
        divergence = comparator.compare();
        if (divergence == null && isExact) {
            identicalCount++;
        } else if (divergence == null) {
            toleratedCount++;
        }
    }

    /** Only a request with a budget can expire: another that says so is compared as if computed, and differs. */
    private boolean isExpired(final JoinedJournal journal) {
        final boolean isExpired = journal.outcomeFrame().status() == OutcomeStatus.EXPIRED &&
                journal.requestFrame().budgetNs() != 0;
        if (isExpired) {
            expiredCount++;
        }
        return isExpired;
    }

    private long totalCount(final JoinedJournal journal) {
        if (options.progress() == null) {
            return 0;
        }
        final long endSequence = journal.outcomesEndSequence();
        return (options.isToTheEnd() ? endSequence : Math.min(endSequence, options.toSequence() + 1)) -
                (baseSequence + 1);
    }

    private void checkEnd() {
        if (divergence != null) {
            return;
        }
        if (openTailCount > 0 && !options.allowOpenTail()) {
            throw new DamageException(DamageKind.OPEN_TAIL, JoinedJournal.REQUESTS, lastSequence + 1,
                    ReplayReport.openTail(openTailCount));
        }
        if (!options.isToTheEnd() && lastSequence < options.toSequence()) {
            throw outsideJournal("to=" + options.toSequence());
        }
        if (options.fromSequence() > 0 && lastSequence < options.fromSequence()) {
            throw outsideJournal("from=" + options.fromSequence());
        }
    }

    private DamageException outsideJournal(final String bound) {
        return new DamageException(DamageKind.RANGE_OUTSIDE_JOURNAL, JoinedJournal.OUTCOMES, lastSequence,
                bound + " is beyond the last outcome, sequence=" + lastSequence);
    }

    private ReplayReport report(final ReplayEngine engine, final long elapsedNs) {
        final List<ReplayReport.ReplayedModel> models = new ArrayList<>();
        double largestDistance = 0;
        for (final ReplayModel model : engine.models()) {
            models.add(new ReplayReport.ReplayedModel(
                    model.versionHex(), model.shape().family(), model.backendName(),
                    model.comparison().isExact() ? null : model.model().tolerance()));
            largestDistance = Math.max(largestDistance, model.comparison().largestDistance());
        }
        return new ReplayReport(
                options.journalDirectory(),
                baseSequence,
                options.fromSequence(),
                lastSequence,
                comparedCount,
                identicalCount,
                toleratedCount,
                largestDistance,
                rebuiltCount,
                expiredCount,
                standbyCount,
                engine.totalStepCount(),
                engine.sessionCount(),
                openTailCount,
                List.copyOf(models),
                elapsedNs,
                divergence,
                damage);
    }
}
