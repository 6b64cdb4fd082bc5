package io.tiercel.replay.whatif;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.ModelShape;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.generation.TokenDraw;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.ReplayTask;
import io.tiercel.replay.SessionBlocks;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Runs one subject over requests, step by step, so that every step is timed and every token foretold. A request that
 * the journal says was not computed moves no session here either. One thread.
 */
final class SubjectRunner implements AutoCloseable {

    private static final int ALIGNMENT = 64;
    private static final long HOUR_NS = 3_600_000_000_000L;
    private static final long FLOATS = UnsafeApi.arrayBaseOffset(float[].class);
    /** Steps of this thread that are not timed: the code is not compiled yet. */
    private static final int WARM_STEPS = 2_000;

    private final Subject subject;
    private final RequestLabels labels;
    private final long fromSequence;
    private final NanoClock clock;
    private final ModelExecutor executor;
    /** Null unless the model names next tokens. */
    private final TokenDraw draw;
    private final StepBatch batch = new StepBatch(1);
    private final UnsafeBuffer outputs;
    private final int stepBytes;
    private final Difference difference;
    private final Findings findings;
    private int warmSteps;

    /** @param labels null if there are none. */
    SubjectRunner(
            final Subject subject, final RequestLabels labels, final long fromSequence, final NanoClock clock) {
        this.subject = subject;
        this.labels = labels;
        this.fromSequence = fromSequence;
        this.clock = clock;
        executor = subject.model().newExecutor(1);
        final ModelShape shape = subject.shape();
        draw = shape.namesTokens() ? new TokenDraw((TokenExecutor) executor) : null;
        outputs = new UnsafeBuffer(
                BufferUtil.allocateDirectAligned(shape.outputCount() * Float.BYTES, ALIGNMENT));
        stepBytes = shape.featureCount() * Float.BYTES;
        difference = new Difference(subject.task(), shape.outputCount());
        findings = new Findings(subject.classCount());
    }

    Findings findings() {
        return findings;
    }

    void run(final ReplayTask task) {
        final int sessionIndex = task.sessionIndex();
        final SessionStates states = subject.sessions().of(sessionIndex);
        final int slot = SessionBlocks.slot(sessionIndex);
        if (task.begins() || task.kind() == RequestKind.RESET) {
            states.reset(slot, executor);
            subject.expectations().remove(sessionIndex);
        } else {
            states.ensureInitialised(slot, executor);
        }
        if (task.kind() == RequestKind.FORK) {
            fork(task, states, slot);
        } else if (task.kind().hasSteps() && task.journaledStatus() == OutcomeStatus.OK) {
            if (states.hasRoom(slot, task.stepCount(), executor)) {
                steps(task, states, slot);
            } else {
                findings.refusedCount += isCompared(task) ? 1 : 0;
            }
        }
    }

    private void fork(final ReplayTask task, final SessionStates states, final int slot) {
        final int sourceIndex = task.sourceIndex();
        final SessionStates sources = subject.sessions().of(sourceIndex);
        final int sourceSlot = SessionBlocks.slot(sourceIndex);
        sources.ensureInitialised(sourceSlot, executor);
        states.fork(sources, sourceSlot, slot);
        final float[] expectation = subject.expectations().get(sourceIndex);
        if (expectation == null) {
            subject.expectations().remove(task.sessionIndex());
        } else {
            subject.expectations().put(task.sessionIndex(), expectation.clone());
        }
    }

    private void steps(final ReplayTask task, final SessionStates states, final int slot) {
        for (int step = 0; step < task.stepCount(); step++) {
            final long featuresAddress = task.featuresAddress() + (long) step * stepBytes;
            if (draw != null) {
                judge(task, UnsafeApi.getInt(featuresAddress));
            }
            batch.clear();
            batch.add(featuresAddress, states.stateAddress(slot), outputs.addressOffset());
            final long startNs = clock.nanoTime();
            executor.step(batch);
            final long endNs = clock.nanoTime();
            if (draw != null) {
                expect(task.sessionIndex());
            }
            final boolean isLast = step == task.stepCount() - 1;
            if (isLast && task.kind() == RequestKind.GENERATE) {
                draw.draw(task.frame(), 0, outputs.addressOffset());
            }
            states.settle(batch, executor);
            if (warmSteps < WARM_STEPS) {
                warmSteps++;
            } else {
                findings.stepNs.recordValue(endNs - startNs);
            }
            if (isCompared(task) && (isLast || task.isStream())) {
                compare(task, task.isStream() ? step : 0);
            }
            if (isCompared(task) && isLast && labels != null) {
                label(labels.of(task.sequence()));
            }
        }
    }

    private boolean isCompared(final ReplayTask task) {
        return task.sequence() >= fromSequence;
    }

    /** The token that has come, by what was expected of the session's next one. */
    private void judge(final ReplayTask task, final int token) {
        final float[] logits = subject.expectations().get(task.sessionIndex());
        if (logits == null || !isCompared(task)) {
            return;
        }
        int likeliest = 0;
        for (int i = 1; i < logits.length; i++) {
            likeliest = logits[i] > logits[likeliest] ? i : likeliest;
        }
        double total = 0;
        for (final float logit : logits) {
            total += StrictMath.exp(logit - (double) logits[likeliest]);
        }
        findings.quality.addToken(
                likeliest == token, StrictMath.log(total) + logits[likeliest] - (double) logits[token]);
    }

    private void expect(final int sessionIndex) {
        final float[] logits = subject.expectations().computeIfAbsent(
                sessionIndex, any -> new float[subject.shape().vocabularySize()]);
        UnsafeApi.copyMemory(null, ((TokenExecutor) executor).logitsAddress(0), logits, FLOATS,
                (long) logits.length * Float.BYTES);
    }

    private void compare(final ReplayTask task, final int step) {
        final DirectBuffer given = task.journaledOutputs();
        final int count = task.kind() == RequestKind.GENERATE
                ? Frames.MADE_OUTPUT_COUNT
                : subject.shape().outputCount();
        final int offset = step * count * Float.BYTES;
        if (offset + count * Float.BYTES > given.capacity()) {
            return; // An outcome that lacks outputs is for a verification to find.
        }
        difference.find(given, offset, outputs, count);
        findings.add(difference, new SessionName(task.principalId(), task.sessionKey()), task.ingressNs() / HOUR_NS);
    }

    private void label(final double label) {
        if (Double.isNaN(label)) {
            return;
        }
        if (subject.task() == Task.CLASSIFICATION) {
            findings.quality.addClass(
                    (int) label, Difference.largest(outputs, 0, subject.shape().outputCount()),
                    Difference.value(outputs, 0, (int) label));
        } else {
            findings.quality.addValue(label, Difference.value(outputs, 0, 0));
        }
    }

    @Override
    public void close() {
        executor.close();
    }
}
