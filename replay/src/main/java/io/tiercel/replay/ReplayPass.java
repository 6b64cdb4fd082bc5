package io.tiercel.replay;

import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.protocol.journal.OutcomeStatus;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One way through a journal, from its first record, or, where older ones have been removed, from its oldest snapshot
 * on: requests are read on the calling thread, run on as many threads as the options say, and counted on the calling
 * thread again, in sequence order. So nothing depends on the number of threads, the first damage and what was counted
 * before it included. The journal is opened for reading only.
 *
 * <p>Used once.
 */
public final class ReplayPass implements AutoCloseable {

    private static final int PROGRESS_MASK = (1 << 8) - 1;

    private final ReplayOptions options;
    private final JoinedJournal journal;
    private final ReplayWork work;
    private final ReplayEngine engine;
    private final ReplayComputer computer = new ReplayComputer();
    private long baseSequence = -1;
    private long readSequence = -1;
    private long lastSequence = -1;
    private long totalCount;
    private long stepCount;
    private long expiredCount;
    private long standbyCount;
    private long openTailCount;
    private long commandCount;
    /** The last that counts, if it is not the last there is. */
    private ReplayTask lastTask;
    private Damage damage;
    private long elapsedNs;
    /** Of the other threads, each of which adds its own when it ends. */
    private final AtomicLong othersProcessorNs = new AtomicLong();
    private long processorNs;

    /** @param journal closed by the caller. */
    public ReplayPass(final ReplayOptions options, final JoinedJournal journal, final ReplayWork work) {
        this.options = options.conclude();
        this.journal = journal;
        this.work = work;
        engine = new ReplayEngine(new BundleStore(options.journalDirectory()), options.backend());
    }

    /**
     * Goes.
     *
     * @throws io.tiercel.appliance.journal.JournalException       if the journal cannot be read.
     * @throws io.tiercel.appliance.engine.NoBackendException if no backend can compute a bundle here as asked.
     */
    public void run() {
        final long startNs = options.nanoClock().nanoTime();
        final long processorStartNs = options.processorClock().nanoTime();
        try {
            if (begin()) {
                replay();
            }
            checkEnd();
        } catch (final DamageException ex) {
            damage = ex.damage();
        }
        elapsedNs = options.nanoClock().nanoTime() - startNs;
        processorNs = options.processorClock().nanoTime() - processorStartNs + othersProcessorNs.get();
    }

    /**
     * At the journal's first record, or behind the oldest snapshot if that record is not the first there was.
     *
     * @return false if nothing is behind that snapshot.
     */
    private boolean begin() {
        final long firstSequence = journal.firstSequence();
        if (firstSequence == 0) {
            return true;
        }
        final SnapshotBase bases = new SnapshotBase(new SnapshotStore(options.journalDirectory()), firstSequence);
        try (SnapshotReader snapshot = bases.oldest()) {
            if (snapshot == null) {
                throw bases.none();
            }
            engine.restore(snapshot, computer);
            baseSequence = snapshot.sequence();
        }
        readSequence = baseSequence;
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

    /** What ends the reading counts only if everything read before it came to a good end. */
    private void replay() {
        totalCount = totalCount();
        try (TaskRunner runner = work.newRunner(computer);
                ReplayCrew crew = new ReplayCrew(
                        options.threads(), runner, this::newRunner, work.maxBatch(), this::onDone)) {
            RuntimeException failure = null;
            crew.start();
            try {
                read(crew);
            } catch (final RuntimeException ex) {
                failure = ex;
            }
            crew.drain();
            if (failure == null && lastTask == null) {
                lastSequence = readSequence; // Which may be a command's.
            }
            reportProgress();
            if (failure != null && lastTask == null) {
                throw failure;
            }
        }
    }

    private void read(final ReplayCrew crew) {
        while (readSequence < options.toSequence() && advance(crew)) {
            if (!journal.hasOutcome()) {
                openTailCount++;
                continue;
            }
            if (journal.requestFrame().kind() == RequestKind.ADMINISTER) {
                engine.administer(journal);
                readSequence = journal.sequence();
                commandCount++;
                continue;
            }
            final ReplayTask task = crew.claim();
            if (task == null) {
                return;
            }
            engine.take(journal, isExpired(), task);
            readSequence = task.sequence();
            work.onRead(journal, task);
            crew.submit();
        }
    }

    private boolean advance(final ReplayCrew crew) {
        if (options.follow() == null) {
            return journal.next();
        }
        while (!journal.nextWhole()) {
            crew.drain();
            reportProgress();
            if (!options.follow().getAsBoolean()) {
                return false;
            }
        }
        return true;
    }

    /** Only a request with a budget can expire: another that says so is compared as if computed, and differs. */
    private boolean isExpired() {
        return journal.outcomeFrame().status() == OutcomeStatus.EXPIRED && journal.requestFrame().budgetNs() != 0;
    }

    private TaskRunner newRunner() {
        final ReplayComputer own = new ReplayComputer();
        final TaskRunner runner = work.newRunner(own);
        return new TaskRunner() {
            @Override
            public void run(final ReplayTask[] tasks, final int count) {
                runner.run(tasks, count);
            }

            @Override
            public void close() {
                runner.close();
                own.close();
                othersProcessorNs.addAndGet(options.processorClock().nanoTime());
            }
        };
    }

    private boolean onDone(final ReplayTask task) {
        if (task.failure instanceof final Error error) {
            throw error;
        }
        if (task.failure != null) {
            throw (RuntimeException) task.failure;
        }
        lastSequence = task.sequence();
        stepCount += task.computedSteps;
        expiredCount += task.isExpired ? 1 : 0;
        standbyCount += task.isStandby ? 1 : 0;
        if ((lastSequence & PROGRESS_MASK) == 0) {
            reportProgress();
        }
        final boolean goesOn = work.onDone(task);
        if (!goesOn) {
            lastTask = task;
        }
        return goesOn;
    }

    private void reportProgress() {
        if (options.progress() != null) {
            options.progress().onProgress(lastSequence - baseSequence, totalCount);
        }
    }

    private long totalCount() {
        if (options.progress() == null) {
            return 0;
        }
        final long endSequence = journal.outcomesEndSequence();
        return (options.isToTheEnd() ? endSequence : Math.min(endSequence, options.toSequence() + 1)) -
                (baseSequence + 1);
    }

    private void checkEnd() {
        if (lastTask != null) {
            openTailCount = 0; // as it was not read up to there
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

    /** Of the snapshot that computing began with; -1: with the journal's first record. */
    public long baseSequence() {
        return baseSequence;
    }

    /** Of the last request that counts; -1 if there is none. */
    public long lastSequence() {
        return lastSequence;
    }

    /** Steps made, by the bundles that answered. */
    public long stepCount() {
        return stepCount;
    }

    /** Requests whose expiry was taken from the journal. */
    public long expiredCount() {
        return expiredCount;
    }

    /** Requests that a standby had computed. */
    public long standbyCount() {
        return standbyCount;
    }

    /** Commands of administrators, which are no session's requests. */
    public long commandCount() {
        return commandCount;
    }

    /** Requests at the end that have no outcome. */
    public long openTailCount() {
        return openTailCount;
    }

    /** Sessions met. */
    public int sessionCount() {
        return lastTask == null ? engine.sessionCount() : lastTask.sessionCount;
    }

    /** Bundles met. */
    List<ReplayModel> models() {
        return lastTask == null ? engine.models() : engine.models().subList(0, lastTask.modelCount);
    }

    /** The first; null if there is none. */
    public Damage damage() {
        return damage;
    }

    public long elapsedNs() {
        return elapsedNs;
    }

    /** What all its threads took of the processors. */
    public long processorNs() {
        return processorNs;
    }

    @Override
    public void close() {
        computer.close();
        engine.close();
    }
}
