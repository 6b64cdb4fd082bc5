package io.tiercel.replay;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.generation.TokenDraw;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.session.SessionStates;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.journal.OutcomeStatus;
import java.util.ArrayList;
import java.util.List;

/**
 * Does for requests what is to be done, each after those of its session that came before it: the arithmetic of a
 * replay. What came of it stands in the task. One thread, with an executor of its own for each bundle that it meets;
 * allocates when it meets one.
 */
public final class ReplayComputer implements AutoCloseable {

    /** Steps of different sessions in one call of an executor: enough that weights are read once for all of them. */
    static final int MAX_BATCH = 16;

    private final List<Worker> workers = new ArrayList<>();
    private final StepBatch batch = new StepBatch(MAX_BATCH);

    /** What a thread needs for one bundle. */
    private static final class Worker {
        private final ModelExecutor executor;
        /** Null unless the model names next tokens. */
        private final TokenDraw draw;

        Worker(final ReplayModel model) {
            executor = model.model().newExecutor(MAX_BATCH);
            draw = model.shape().namesTokens() ? new TokenDraw((TokenExecutor) executor) : null;
        }
    }

    /** This thread's. */
    ModelExecutor executor(final ReplayModel model) {
        return worker(model).executor;
    }

    ReplayComputer() {
    }

    /** @param tasks the first {@code count} are computed, as a {@link TaskRunner} is given them. */
    public void compute(final ReplayTask[] tasks, final int count) {
        if (count == 1) {
            compute(tasks[0]);
            return;
        }
        final ModelExecutor executor = executor(tasks[0].model);
        batch.clear();
        for (int i = 0; i < count; i++) {
            final ReplayTask task = tasks[i];
            if (begin(task, executor)) {
                batch.add(task.featuresAddress(), task.states.stateAddress(task.slot()), task.outputsAddress());
            }
        }
        if (batch.size() > 0) {
            executor.step(batch);
            tasks[0].states.settle(batch, executor);
        }
        for (int i = 0; i < count; i++) {
            tasks[i].stateHash = tasks[i].states.hash(tasks[i].slot());
        }
    }

    void compute(final ReplayTask task) {
        final Worker worker = worker(task.model);
        if (begin(task, worker.executor)) {
            task.states.steps(task.slot(), worker.executor, task.featuresAddress(), task.stepCount,
                    task.outputsAddress(), task.strideBytes);
            if (task.kind == RequestKind.GENERATE) {
                worker.draw.draw(task.frame(), 0, task.outputsAddress());
                task.outputCount = Frames.MADE_OUTPUT_COUNT;
                task.outputsLength = TokenDraw.OUTPUTS_LENGTH;
            }
        }
        task.stateHash = task.states.hash(task.slot());
    }

    /** What comes before the steps. @return whether they are to be made. */
    private static boolean begin(final ReplayTask task, final ModelExecutor executor) {
        final SessionStates states = task.states;
        final int slot = task.slot();
        if (task.kind == RequestKind.FORK) {
            task.sourceStates.lend(SessionBlocks.slot(task.sourceIndex), task.sequence);
        }
        if (task.begins) {
            states.reset(slot, executor);
        } else {
            states.ensureInitialised(slot, executor);
        }
        states.use(slot, task.sequence);
        task.status = status(task, executor);
        if (task.status == OutcomeStatus.OK) {
            task.computedSteps = task.stepCount;
            task.outputCount = task.shape().outputCount();
            task.outputsLength = task.outputsRoom;
            return true;
        }
        return false;
    }

    private static OutcomeStatus status(final ReplayTask task, final ModelExecutor executor) {
        final int slot = task.slot();
        if (task.kind == RequestKind.RESET) {
            task.states.reset(slot, executor);
            return OutcomeStatus.RESET;
        }
        if (task.kind == RequestKind.FORK) {
            task.states.fork(task.sourceStates, SessionBlocks.slot(task.sourceIndex), slot);
            return OutcomeStatus.FORKED;
        }
        if (task.isExpired) {
            return OutcomeStatus.EXPIRED;
        }
        return task.states.hasRoom(slot, task.stepCount, executor) ? OutcomeStatus.OK : OutcomeStatus.CONTEXT_FULL;
    }

    private Worker worker(final ReplayModel model) {
        while (workers.size() <= model.index()) {
            workers.add(null);
        }
        Worker worker = workers.get(model.index());
        if (worker == null) {
            worker = new Worker(model);
            workers.set(model.index(), worker);
        }
        return worker;
    }

    @Override
    public void close() {
        for (final Worker worker : workers) {
            if (worker != null) {
                worker.executor.close();
            }
        }
        workers.clear();
    }
}
