package io.tiercel.replay.whatif;

import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.ReplayComputer;
import io.tiercel.replay.ReplayOptions;
import io.tiercel.replay.ReplayPass;
import io.tiercel.replay.ReplayTask;
import io.tiercel.replay.ReplayWork;
import io.tiercel.replay.TaskRunner;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.agrona.CloseHelper;

/**
 * Runs candidates over the requests of one of a journal's models, on as many threads as the options say, and beside
 * them that model itself. Sessions begin, are reset, copied and forgotten as the journal has it, and what was not
 * computed then is not computed now. Answers are held against those in the journal. Everything but times is the same on
 * each run, whatever the number of threads.
 *
 * <p>Each request is computed by all subjects one after the other, in turns who begins, so their times are of the same
 * moments. Used once.
 */
public final class WhatIf {

    private final ReplayOptions options;
    private final Candidate journaled;
    private final List<Candidate> candidates;
    private final RequestLabels labels;
    private final List<Subject> subjects = new ArrayList<>();
    private final List<Runner> runners = new ArrayList<>();
    private long requestCount;
    private long otherCount;
    private long labelledCount;

    /**
     * @param journaled one of the journal's own bundles: its requests are what is run.
     * @param labels    null if there are none.
     */
    public WhatIf(
            final ReplayOptions options, final Candidate journaled, final List<Candidate> candidates,
            final RequestLabels labels) {
        this.options = options;
        this.journaled = journaled;
        this.candidates = List.copyOf(candidates);
        this.labels = labels;
    }

    /**
     * Runs.
     *
     * @throws MisfitException if a candidate or the labels do not go with the journal.
     * @throws io.tiercel.appliance.journal.JournalException if there is no journal or it cannot be read.
     * @throws io.tiercel.appliance.engine.NoBackendException if no backend can compute a bundle here as asked.
     */
    public WhatIfReport run() {
        return run(standing -> {});
    }

    /**
     * Runs.
     *
     * @param interim at the end of what has been written, where the options say to follow that: may ask how it stands.
     * @throws MisfitException and others, as {@link #run()} does.
     */
    public WhatIfReport run(final Consumer<Supplier<WhatIfReport>> interim) {
        try (JoinedJournal journal = JoinedJournal.open(options.journalDirectory())) {
            load();
            checkLabels(journal);
            try (ReplayPass pass = new ReplayPass(options, journal, new Work())) {
                if (options.follow() != null) {
                    final BooleanSupplier follow = options.follow();
                    options.follow(() -> {
                        interim.accept(() -> report(pass));
                        return follow.getAsBoolean();
                    });
                }
                pass.run();
                return report(pass);
            }
        } finally {
            CloseHelper.closeAll(subjects);
        }
    }

    private void load() {
        final Subject first = new Subject(journaled, options.backend());
        subjects.add(first);
        for (final Candidate candidate : candidates) {
            final Subject subject = new Subject(candidate, options.backend());
            subjects.add(subject);
            subject.checkFits(first);
        }
    }

    private void checkLabels(final JoinedJournal journal) {
        if (labels == null) {
            return;
        }
        final Subject first = subjects.get(0);
        if (first.task() == Task.TOKENS) {
            throw new MisfitException("labels=" + labels.name() + " are for classes and values; of a model that " +
                    "predicts tokens the journal's next tokens are the labels");
        }
        if (first.classCount() > 0) {
            labels.checkClasses(first.classCount());
        }
        final long from = Math.max(options.fromSequence(), journal.firstSequence());
        final long to = Math.min(options.toSequence(), journal.outcomesEndSequence() - 1);
        if (!labels.hasAnyOf(from, to)) {
            throw new MisfitException("labels=" + labels.name() + " has " + labels.count() +
                    " sequences, and none from " + from + " to " + to + ", which is compared");
        }
    }

    private final class Work implements ReplayWork {

        @Override
        public TaskRunner newRunner(final ReplayComputer computer) {
            final Runner runner = new Runner();
            synchronized (runners) {
                runners.add(runner);
            }
            return runner;
        }

        @Override
        public int maxBatch() {
            return 1;
        }

        @Override
        public void onRead(final JoinedJournal journal, final ReplayTask task) {
            if (!isMeant(task)) {
                return;
            }
            for (final Subject subject : subjects) {
                subject.sessions().ensure(task.sessionIndex());
                if (task.sourceIndex() >= 0) {
                    subject.sessions().ensure(task.sourceIndex());
                }
            }
        }

        @Override
        public boolean onDone(final ReplayTask task) {
            if (isMeant(task)) {
                requestCount++;
                labelledCount += isLabelled(task) ? 1 : 0;
            } else {
                otherCount++;
            }
            return true;
        }

        private boolean isLabelled(final ReplayTask task) {
            return labels != null && task.sequence() >= options.fromSequence() && task.kind().hasSteps() &&
                    task.journaledStatus() == OutcomeStatus.OK && !Double.isNaN(labels.of(task.sequence()));
        }
    }

    private boolean isMeant(final ReplayTask task) {
        return task.modelVersion().equals(subjects.get(0).versionHex());
    }

    /** All subjects on one thread. */
    private final class Runner implements TaskRunner {

        private final List<SubjectRunner> own = new ArrayList<>();

        Runner() {
            for (final Subject subject : subjects) {
                own.add(new SubjectRunner(subject, labels, options.fromSequence(), options.nanoClock()));
            }
        }

        @Override
        public void run(final ReplayTask[] tasks, final int count) {
            for (int i = 0; i < count; i++) {
                if (isMeant(tasks[i])) {
                    run(tasks[i]);
                }
            }
        }

        private void run(final ReplayTask task) {
            final int first = (int) (task.sequence() % own.size());
            for (int turn = 0; turn < own.size(); turn++) {
                own.get((first + turn) % own.size()).run(task);
            }
        }

        @Override
        public void close() {
            CloseHelper.closeAll(own);
        }
    }

    private WhatIfReport report(final ReplayPass pass) {
        final List<WhatIfReport.Result> results = new ArrayList<>();
        for (int index = 0; index < subjects.size(); index++) {
            final Subject subject = subjects.get(index);
            final Findings findings = new Findings(subject.classCount());
            for (final Runner runner : allRunners()) {
                findings.add(runner.own.get(index).findings());
            }
            results.add(new WhatIfReport.Result(subject.name(), subject.versionHex(), subject.backendName(),
                    findings.all, findings.changes, findings.bySession, findings.byHour, measure(subject),
                    findings.quality, findings.stepNs, findings.refusedCount));
        }
        return new WhatIfReport(options.journalDirectory(), options.fromSequence(), pass.lastSequence(),
                pass.baseSequence(), requestCount, otherCount, labelledCount, subjects.get(0).shape().namesTokens(),
                List.copyOf(results), pass.damage());
    }

    /** Threads may still be beginning. */
    private List<Runner> allRunners() {
        synchronized (runners) {
            return List.copyOf(runners);
        }
    }

    private WhatIfReport.Measure measure(final Subject subject) {
        if (subject.shape().namesTokens()) {
            return WhatIfReport.Measure.TOKENS;
        }
        if (labels == null) {
            return WhatIfReport.Measure.NONE;
        }
        return subject.classCount() > 0 ? WhatIfReport.Measure.CLASSES : WhatIfReport.Measure.VALUES;
    }
}
