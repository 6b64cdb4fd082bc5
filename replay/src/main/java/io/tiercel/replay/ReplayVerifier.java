package io.tiercel.replay;

import java.util.ArrayList;
import java.util.List;

/**
 * Computes every outcome of a journal again, in a fresh engine that has only the journal's own bundles, and compares
 * it with what the journal says, bit for bit; outputs of a model that is not exact within the tolerance that its bundle
 * states. Stops at the first difference and at the first damage; there is no warning. Which one that is, and what was
 * counted before it, does not depend on the number of threads.
 *
 * <p>A session's state is the sum of all its requests, so the journal is always read from its first record, or, where
 * older ones have been removed, from its oldest snapshot on; a range only says what is compared. What the clock decided
 * (a request expired) is taken from the outcome: replay has no clock. The journal is opened for reading only.
 *
 * <p>Used once, from one thread:
 * <pre>{@code
 * ReplayReport report = new ReplayVerifier(new ReplayOptions().journalDirectory(directory)).verify();
 * if (!report.isIdentical()) { ... report.divergence() ... report.damage() ... }
 * }</pre>
 */
public final class ReplayVerifier {

    private final ReplayOptions options;
    private long comparedCount;
    private long identicalCount;
    private long toleratedCount;
    private long rebuiltCount;
    private double largestDistance;
    private Divergence divergence;

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
        try (ReplayPass pass = new ReplayPass(options, journal, new Comparison())) {
            pass.run();
            return report(pass);
        }
    }

    /** Records are compared with each other where they are read, results where they are computed, and counted here. */
    private final class Comparison implements ReplayWork {

        @Override
        public TaskRunner newRunner(final ReplayComputer computer) {
            return (tasks, count) -> {
                computer.compute(tasks, count);
                for (int i = 0; i < count; i++) {
                    if (tasks[i].isCompared && tasks[i].divergence == null) {
                        tasks[i].divergence = OutcomeComparator.compare(tasks[i]);
                    }
                }
            };
        }

        @Override
        public int maxBatch() {
            return ReplayComputer.MAX_BATCH;
        }

        @Override
        public void onRead(final JoinedJournal journal, final ReplayTask task) {
            task.isCompared = task.sequence >= options.fromSequence();
            if (task.isCompared) {
                task.divergence = OutcomeComparator.compareRecords(journal, task);
            }
        }

        @Override
        public boolean onDone(final ReplayTask task) {
            if (!task.isCompared) {
                rebuiltCount++;
                return true;
            }
            comparedCount++;
            divergence = task.divergence;
            if (divergence != null) {
                return false;
            }
            if (task.model.isExact()) {
                identicalCount++;
            } else {
                toleratedCount++;
                largestDistance = Math.max(largestDistance, task.largestDistance);
            }
            return true;
        }
    }

    private ReplayReport report(final ReplayPass pass) {
        final List<ReplayReport.ReplayedModel> models = new ArrayList<>();
        for (final ReplayModel model : pass.models()) {
            models.add(new ReplayReport.ReplayedModel(
                    model.versionHex(), model.shape().family(), model.backendName(),
                    model.isExact() ? null : model.model().tolerance()));
        }
        return new ReplayReport(
                options.journalDirectory(),
                pass.baseSequence(),
                options.fromSequence(),
                pass.lastSequence(),
                comparedCount,
                identicalCount,
                toleratedCount,
                largestDistance,
                rebuiltCount,
                pass.expiredCount(),
                pass.standbyCount(),
                pass.stepCount(),
                pass.sessionCount(),
                pass.openTailCount(),
                List.copyOf(models),
                pass.elapsedNs(),
                pass.processorNs(),
                divergence,
                pass.damage());
    }
}
