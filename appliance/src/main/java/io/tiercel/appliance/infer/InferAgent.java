package io.tiercel.appliance.infer;

import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import io.tiercel.appliance.cycle.CycleClock;
import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.PreparedExecutor;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.generation.TokenDraw;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.sequencer.Sequencer;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.snapshot.SnapshotCut;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.ResultStatus;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;

import java.util.List;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

/**
 * One infer worker. Takes every request that is already there, up to the batch limit; requests of other workers it
 * only passes. Order inside a session is kept, and no session stands twice in a batch.
 *
 * <p>It has two sequences. {@link #inferred()} moves when the outputs are there: egress follows it and the answer
 * leaves. {@link #settled()} moves when the session's hash is there too: the outcome journal follows that. The work
 * ahead of a session's next request comes last. Each of the two takes a duty cycle of its own while nothing else is
 * waiting, so on a shared thread the answer and the outcome go between them; when the next request is already there,
 * both are done first, because its step needs them. Behind it all comes {@link #finished()}, by which another worker
 * sees that it may have a state that was this one's. Then comes what a snapshot asks for ({@link StateCopier}), and
 * when nothing has come for a while, {@link Rehearsal} keeps the models warm.
 *
 * <p>The place of a session that is evicted may pass to another worker: that one waits at the evicting request until
 * this one has finished everything up to it and has passed it, with a copy for a snapshot taken if one was due. A fork
 * from a session of one worker to one of another waits likewise, and the one that lends waits until the copy is made.
 * Workers do not wait in a circle: of those that wait, the one at the lowest sequence waits for one that does not.
 *
 * <p>When there is nothing else, the steps are computed that are likeliest to be asked for next ({@link Foresight}); a
 * generation's step that is alone may be computed together with guesses at those that follow it.
 *
 * <p>Allocates nothing, but where a version is loaded. The states of its sessions are this thread's alone.
 */
public final class InferAgent implements Agent {

    private final Sequence inferred;
    private final Sequence settled;
    private final Sequence finished;
    /** Where each worker stands with all that it does for a request, this one included. */
    private final Sequence[] finishedOfWorkers;
    private final Sequencer sequencer;
    private final SequenceBarrier published;
    private final int workerIndex;
    private final Sessions sessions;
    private final ModelExecutor[] executors;
    private final FailoverWatch failovers;
    /** Of the models that name tokens. */
    private final TokenDraw[] draws;
    private final CycleClock clock;
    private final long batchWindowNs;
    private final int maxBatch;
    private final StepBatch batch;
    private final RequestSlot[] batched;
    /** Those of the batch's sessions whose step had been computed before. */
    private final StepBatch recalled;
    private final Foresight foresight;
    private final long[] batchedSequences;
    private final Rehearsal rehearsal;
    private final StateCopier copier;
    private int batchedCount;
    private long next;
    private Phase phase = Phase.IDLE;
    private int batchModelIndex;

    /** What is left to do for the last batch. */
    private enum Phase { IDLE, HASH_DUE, AHEAD_DUE }

    /**
     * @param finished the sequence of each worker that {@link #finished()} tells of, this one's included.
     * @param sessions shared with the other workers, each with those of its own.
     * @param cut      what to copy for a snapshot.
     * @param batchWindowNs how long to wait for a fuller batch; 0 never waits.
     * @param foreseenTokens how much is computed before it is asked for.
     * @param rehearseAfterNs how long nothing must have come before models are kept warm; 0 for never.
     */
    public InferAgent(
            final Sequencer sequencer,
            final int workerIndex,
            final Sequence[] finished,
            final List<LoadedModel> models,
            final Sessions sessions,
            final SnapshotCut cut,
            final int maxBatch,
            final long batchWindowNs,
            final long rehearseAfterNs,
            final ForeseenTokens foreseenTokens,
            final CycleClock clock,
            final Counters counters) {
        this.sequencer = sequencer;
        next = sequencer.firstSequence();
        inferred = sequencer.newSequence();
        settled = sequencer.newSequence();
        this.finished = finished[workerIndex];
        this.finishedOfWorkers = finished.clone();
        this.published = sequencer.barrier();
        this.workerIndex = workerIndex;
        this.sessions = sessions;
        copier = new StateCopier(cut, sessions.table(), workerIndex, finished.length);
        this.clock = clock;
        this.batchWindowNs = batchWindowNs;
        this.maxBatch = maxBatch;
        executors = new ModelExecutor[sessions.capacity()];
        draws = new TokenDraw[executors.length];
        rehearsal = new Rehearsal(rehearseAfterNs, clock::read);
        for (int index = 0; index < models.size(); index++) {
            serve(PreparedExecutor.of(models.get(index), maxBatch, rehearseAfterNs > 0));
        }
        batch = new StepBatch(maxBatch);
        recalled = new StepBatch(maxBatch);
        failovers = new FailoverWatch(executors, counters);
        foresight = new Foresight(foreseenTokens, executors, draws, sessions, clock::read, counters);
        batched = new RequestSlot[maxBatch];
        batchedSequences = new long[maxBatch];
    }

    /** The last sequence whose outputs are there; egress follows it. */
    public Sequence inferred() {
        return inferred;
    }

    /** The last sequence whose state hash is there; the outcome journal follows it. */
    public Sequence settled() {
        return settled;
    }

    /**
     * The last sequence behind which nothing of this worker's is left to do, the work ahead included. It moves on with
     * requests of other workers too. Whoever has read it (acquire) sees the states as they were left (release).
     */
    public Sequence finished() {
        return finished;
    }

    @Override
    public int doWork() {
        final long available = copier.limit(published.getCursor());
        final boolean hasToWait = available >= next && hasToWait(sequencer.get(next), next);
        if (available < next || hasToWait || isWindowOpen(available)) {
            if (phase != Phase.IDLE) {
                return settleOnePhase();
            }
            if (hasToWait) {
                lend(sequencer.get(next));
            }
            return beIdle(available);
        }
        if (phase != Phase.IDLE) {
            settleAll();
        }
        copier.doWork(next);
        runBatch(available);
        rehearsal.onWork(batch, sessions.states(batchModelIndex).shape().stateBytes());
        return 1;
    }

    @Override
    public String roleName() {
        return "infer-" + workerIndex;
    }

    @Override
    public void onClose() {
        CloseHelper.closeAll(executors);
    }

    /** A rehearsal counts as no work: a thread that only rehearses is idle. An open window is not the time for it. */
    private int beIdle(final long available) {
        if (copier.doWork(next)) {
            return 1;
        }
        if (available < next && foresight.onIdle(sessions)) {
            return 1;
        }
        if (available < next) {
            rehearsal.onIdle(clock.nanoTime());
            failovers.look();
        }
        return 0;
    }

    /** What was left of the last batch takes time, which counts against the budgets of the next one. */
    private void settleAll() {
        while (phase != Phase.IDLE) {
            settleOnePhase();
        }
        clock.read();
    }

    private boolean isWindowOpen(final long available) {
        return batchWindowNs > 0 && available - next + 1 < maxBatch &&
                clock.nanoTime() - sequencer.get(next).ingressTickNs < batchWindowNs;
    }

    /**
     * Whether it is another worker's turn first. A request whose session gets the place of one of another worker waits
     * for that one to be through with it. A fork from a session of another worker waits for that one too, which does
     * not go on before the copy is made: {@link #lend}.
     */
    private boolean hasToWait(final RequestSlot slot, final long sequence) {
        if (slot.workerIndex == workerIndex) {
            return !hasFinished(slot.formerWorkerIndex, sequence) ||
                    slot.kind == RequestKind.FORK && !hasFinished(slot.sourceWorkerIndex, sequence);
        }
        return isLender(slot) && !hasFinished(slot.workerIndex, sequence);
    }

    private boolean hasFinished(final int otherIndex, final long sequence) {
        return otherIndex == workerIndex || finishedOfWorkers[otherIndex].get() >= sequence;
    }

    /** Whether one of this worker's sessions is copied for a session of another worker. */
    private boolean isLender(final RequestSlot slot) {
        return slot.kind == RequestKind.FORK && slot.sourceWorkerIndex == workerIndex &&
                slot.workerIndex != workerIndex;
    }

    /** The next request copies one of this worker's sessions: it is ready for that, and left alone until it is done. */
    private void lend(final RequestSlot slot) {
        if (isLender(slot) && finished.get() < next) {
            copier.beforeChange(slot.sourceIndex);
            sessions.states(slot.modelIndex).lend(slot.sourceIndex, next);
            if (isHandedOver(slot)) {
                handOver(slot);
            }
            finished.set(next);
        }
    }

    /** Whether a session of another worker gets the place of one of this worker's. */
    private boolean isHandedOver(final RequestSlot slot) {
        return slot.formerWorkerIndex == workerIndex && slot.workerIndex != workerIndex;
    }

    private void handOver(final RequestSlot slot) {
        copier.onHandedOver(slot.sessionIndex);
        foresight.forget(slot.sessionIndex);
    }

    private void runBatch(final long available) {
        final long startTickNs = clock.nanoTime();
        batch.clear();
        recalled.clear();
        batchedCount = 0;
        long sequence = next;
        while (sequence <= available && batchedCount < maxBatch) {
            final RequestSlot slot = sequencer.get(sequence);
            if (hasToWait(slot, sequence)) {
                break;
            }
            if (slot.workerIndex == workerIndex) {
                if (!fits(slot)) {
                    break;
                }
                batchedSequences[batchedCount] = sequence;
                take(slot, startTickNs);
            } else if (isHandedOver(slot)) {
                if (batchedCount > 0) {
                    break; // The session may be one of the batch, which has to be through with it.
                }
                handOver(slot);
            } else if (slot.kind == RequestKind.ADMINISTER && slot.prepared != null) {
                serve(slot.prepared[workerIndex]);
                foresight.serve(slot.prepared[workerIndex]);
            }
            sequence++;
        }
        if (batch.size() > 0 && !stepWithGuesses(sequence > available)) {
            executors[batchModelIndex].step(batch);
            drawTokens();
        }
        stampBatch();
        next = sequence;
        inferred.set(sequence - 1);
        if (batchedCount == 0) {
            settled.set(sequence - 1);
            finish();
        } else {
            phase = Phase.HASH_DUE;
        }
    }

    /** A version that was made ready elsewhere: requests for it are behind this. */
    private void serve(final PreparedExecutor prepared) {
        executors[prepared.index()] = prepared.executor();
        if (prepared.shape().namesTokens()) {
            draws[prepared.index()] = new TokenDraw((TokenExecutor) prepared.executor());
        }
        if (prepared.unseen() != null) {
            rehearsal.add(prepared.unseen());
        }
    }

    /** One model a batch, each session once; a fork, which has to do with two, is alone. */
    private boolean fits(final RequestSlot slot) {
        if (batchedCount == 0) {
            batchModelIndex = slot.modelIndex;
            return true;
        }
        if (slot.modelIndex != batchModelIndex || slot.kind == RequestKind.FORK ||
                batched[0].kind == RequestKind.FORK) {
            return false;
        }
        for (int index = 0; index < batchedCount; index++) {
            if (batched[index].sessionIndex == slot.sessionIndex) {
                return false;
            }
        }
        return true;
    }

    private void take(final RequestSlot slot, final long startTickNs) {
        final SessionStates states = sessions.states(batchModelIndex);
        final ModelExecutor executor = executors[batchModelIndex];
        if (slot.begins) {
            foresight.forget(slot.sessionIndex);
            copier.onBegin(slot.sessionIndex, batchModelIndex);
            states.begin(slot.sessionIndex, executor, slot.principalId, slot.sessionKey);
        } else {
            copier.beforeChange(slot.sessionIndex);
        }
        batched[batchedCount++] = slot;
        slot.inferStartTickNs = startTickNs;
        slot.outputsLength = 0;
        slot.outputCount = 0;
        slot.isRecalled = false;
        if (slot.kind == RequestKind.RESET) {
            foresight.forget(slot.sessionIndex);
            states.reset(slot.sessionIndex, executor);
            slot.status = ResultStatus.RESET;
        } else if (slot.kind == RequestKind.FORK) {
            foresight.forget(slot.sessionIndex);
            lendToOwn(slot);
            slot.status = ResultStatus.FORKED;
        } else if (slot.budgetNs > 0 && startTickNs - slot.ingressTickNs > slot.budgetNs) {
            slot.status = ResultStatus.EXPIRED;
        } else if (!states.hasRoom(slot.sessionIndex, slot.stepCount, executor)) {
            slot.status = ResultStatus.CONTEXT_FULL;
        } else {
            slot.status = ResultStatus.OK;
            if (!recall(slot, states)) {
                addSteps(slot, states, executor);
            }
        }
    }

    private void lendToOwn(final RequestSlot slot) {
        if (slot.sourceWorkerIndex == workerIndex) {
            copier.beforeChange(slot.sourceIndex);
            sessions.states(batchModelIndex).lend(slot.sourceIndex, batchedSequences[batchedCount - 1]);
        }
    }

    /** Whether the step of a request of one token has been computed before; then the answer is there. */
    private boolean recall(final RequestSlot slot, final SessionStates states) {
        if (slot.stepCount != 1) {
            foresight.forget(slot.sessionIndex);
            return false;
        }
        final int token = slot.frame.getInt(slot.featuresOffset);
        slot.isRecalled = slot.kind == RequestKind.GENERATE
                ? foresight.recallMade(states, batchModelIndex, slot.sessionIndex, slot.frame, token,
                        slot.outputs.addressOffset())
                : foresight.recall(states, batchModelIndex, slot.sessionIndex, token, slot.outputs.addressOffset());
        if (slot.isRecalled) {
            setOutputCount(slot, states, 0);
            recalled.add(slot.frame.addressOffset() + slot.featuresOffset, states.stateAddress(slot.sessionIndex),
                    slot.outputs.addressOffset());
        }
        return slot.isRecalled;
    }

    /** All steps but the last run here and now; the last one joins the batch. */
    private void addSteps(final RequestSlot slot, final SessionStates states, final ModelExecutor executor) {
        final int outputsLength = states.shape().outputCount() * Float.BYTES;
        final int outputsStride = slot.stream ? outputsLength : 0;
        final int lastStep = slot.stepCount - 1;
        final long featuresAddress = slot.frame.addressOffset() + slot.featuresOffset;
        final long outputsAddress = slot.outputs.addressOffset();
        if (lastStep > 0) {
            states.steps(slot.sessionIndex, executor, featuresAddress, lastStep, outputsAddress, outputsStride);
        }
        setOutputCount(slot, states, lastStep * outputsStride);
        batch.add(
                featuresAddress + (long) lastStep * states.shape().featureCount() * Float.BYTES,
                states.stateAddress(slot.sessionIndex),
                outputsAddress + (long) lastStep * outputsStride);
    }

    /** @param streamedLength bytes of outputs of the steps before the last one, as far as they are kept. */
    private static void setOutputCount(
            final RequestSlot slot, final SessionStates states, final int streamedLength) {
        if (slot.kind == RequestKind.GENERATE) {
            slot.outputCount = Frames.MADE_OUTPUT_COUNT;
            slot.outputsLength = TokenDraw.OUTPUTS_LENGTH;
        } else {
            slot.outputCount = states.shape().outputCount();
            slot.outputsLength = streamedLength + slot.outputCount * Float.BYTES;
        }
    }

    /** Whether the batch is a generation's step that guesses were computed with. */
    private boolean stepWithGuesses(final boolean nothingWaits) {
        final RequestSlot slot = batched[0];
        return nothingWaits && batchedCount == 1 && slot.kind == RequestKind.GENERATE && slot.stepCount == 1 &&
                foresight.stepWithGuesses(sessions.states(batchModelIndex), batchModelIndex, slot.sessionIndex,
                        slot.outputs.addressOffset());
    }

    /** What a generation's step came to becomes a token. */
    private void drawTokens() {
        final TokenDraw draw = draws[batchModelIndex];
        if (draw == null) {
            return;
        }
        int position = 0;
        for (int index = 0; index < batchedCount; index++) {
            final RequestSlot slot = batched[index];
            if (slot.status == ResultStatus.OK && !slot.isRecalled) {
                if (slot.kind == RequestKind.GENERATE) {
                    draw.draw(slot.frame, position, slot.outputs.addressOffset());
                }
                position++;
            }
        }
    }

    private void stampBatch() {
        final long endTickNs = clock.read();
        for (int index = 0; index < batchedCount; index++) {
            final RequestSlot slot = batched[index];
            slot.inferEndTickNs = endTickNs;
            slot.batchSize = batch.size();
        }
    }

    private int settleOnePhase() {
        switch (phase) {
            case HASH_DUE -> {
                hashBatch();
                if (batch.size() + recalled.size() == 0) {
                    finish();
                } else {
                    phase = Phase.AHEAD_DUE;
                }
                return 1;
            }
            case AHEAD_DUE -> {
                aheadOfNext();
                finish();
                return 1;
            }
            default -> {
                return 0;
            }
        }
    }

    private void aheadOfNext() {
        if (batch.size() > 0) {
            executors[batchModelIndex].ahead(batch);
        }
        if (recalled.size() > 0) {
            executors[batchModelIndex].ahead(recalled);
        }
    }

    private void finish() {
        phase = Phase.IDLE;
        finished.set(next - 1);
    }

    private void hashBatch() {
        final SessionStates states = sessions.states(batchModelIndex);
        final ModelExecutor executor = executors[batchModelIndex];
        for (int index = 0; index < batchedCount; index++) {
            final RequestSlot slot = batched[index];
            slot.isOnStandby = false;
            if (slot.status == ResultStatus.OK) {
                if (!slot.isRecalled) {
                    states.applyHash(slot.sessionIndex, executor);
                }
                if (executor.isOnStandby()) {
                    slot.isOnStandby = true;
                    failovers.onComputedByStandby();
                }
                if (slot.kind == RequestKind.INFER) {
                    foresight.expect(batchModelIndex, slot.sessionIndex,
                            slot.outputs.addressOffset() + slot.outputsLength - slot.outputCount * Float.BYTES,
                            slot.outputCount);
                } else {
                    foresight.expectNext(
                            batchModelIndex, slot.sessionIndex, slot.frame, slot.outputs.getInt(0, LITTLE_ENDIAN));
                }
            } else if (slot.status == ResultStatus.FORKED) {
                states.fork(slot.sourceIndex, slot.sessionIndex);
            }
            states.use(slot.sessionIndex, batchedSequences[index]);
            slot.stateHash = states.hash(slot.sessionIndex);
        }
        failovers.look();
        settled.set(next - 1);
    }
}
