package io.tiercel.replay;

import io.tiercel.appliance.engine.ModelExecutor;
import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.protocol.journal.OutcomeStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * How fast the executors alone are: a verification can be no faster. The first requests of a journal that were
 * computed lie ready in memory, sorted as a verification sorts them; each thread makes the steps of its sessions again
 * and again, state hash and work ahead included, and does nothing else.
 *
 * @param threads           all at once.
 * @param requestsPerSecond of all of them together.
 * @param processorNs       of a request: processor time, which other work on the machine disturbs less than the clock.
 */
public record KernelSpeed(int threads, double requestsPerSecond, double processorNs) {

    private static final int MAX_BLOCKS = 16;
    private static final long WARM_NS = 500_000_000L;
    private static final long MEASURED_NS = 1_500_000_000L;

    /** Steps that are made at once. */
    private record Group(ReplayTask[] tasks, StepBatch batch) {
    }

    /** A thread's requests in time. */
    private record Count(long requestCount, long elapsedNs, long processorNs) {
    }

    /** @return null if none of the journal's first requests was computed. */
    public static KernelSpeed measure(final ReplayOptions options) {
        options.conclude();
        try (JoinedJournal journal = JoinedJournal.open(options.journalDirectory());
                ReplayEngine engine = new ReplayEngine(
                        new BundleStore(options.journalDirectory()), options.backend())) {
            final List<ReplayBlock> blocks = read(journal, engine, options.threads());
            final List<List<Group>> shards = new ArrayList<>();
            for (int index = 0; index < options.threads(); index++) {
                final List<Group> groups = groups(blocks, index);
                if (!groups.isEmpty()) {
                    shards.add(groups);
                }
            }
            return shards.isEmpty() ? null : measure(shards, options);
        }
    }

    private static List<ReplayBlock> read(
            final JoinedJournal journal, final ReplayEngine engine, final int shardCount) {
        final List<ReplayBlock> blocks = new ArrayList<>();
        ReplayBlock block = null;
        while (blocks.size() <= MAX_BLOCKS && journal.next() && journal.hasOutcome()) {
            if (block == null || block.isFull()) {
                block = new ReplayBlock(shardCount);
                block.clear();
                blocks.add(block);
            }
            if (journal.requestFrame().kind() == RequestKind.INFER &&
                    journal.outcomeFrame().status() == OutcomeStatus.OK) {
                engine.take(journal, false, block.next());
                block.add();
            }
        }
        return blocks;
    }

    private static List<Group> groups(final List<ReplayBlock> blocks, final int shardIndex) {
        final List<Group> groups = new ArrayList<>();
        final ReplayShard shard = new ReplayShard(shardIndex, ReplayComputer.MAX_BATCH);
        for (final ReplayBlock block : blocks) {
            shard.work(block, (tasks, count) -> groups.add(group(Arrays.copyOf(tasks, count))));
        }
        return groups;
    }

    private static Group group(final ReplayTask[] tasks) {
        final StepBatch batch = new StepBatch(tasks.length);
        for (final ReplayTask task : tasks) {
            batch.add(task.featuresAddress(), task.states.stateAddress(task.slot()), task.outputsAddress());
        }
        return new Group(tasks, batch);
    }

    private static KernelSpeed measure(final List<List<Group>> shards, final ReplayOptions options) {
        final ExecutorService pool = Executors.newFixedThreadPool(shards.size());
        try {
            final List<Future<Count>> counts = new ArrayList<>();
            for (final List<Group> groups : shards) {
                counts.add(pool.submit(() -> count(groups, options)));
            }
            double perSecond = 0;
            long requestCount = 0;
            double processorNs = 0;
            for (final Future<Count> future : counts) {
                final Count count = future.get();
                perSecond += count.requestCount * 1e9 / count.elapsedNs;
                requestCount += count.requestCount;
                processorNs += count.processorNs;
            }
            return new KernelSpeed(shards.size(), perSecond, processorNs / requestCount);
        } catch (final InterruptedException | ExecutionException ex) {
            throw new IllegalStateException("the kernels alone could not be measured: " + ex, ex);
        } finally {
            pool.shutdown();
        }
    }

    private static Count count(final List<Group> groups, final ReplayOptions options) {
        try (ReplayComputer computer = new ReplayComputer()) {
            run(groups, computer, options, WARM_NS);
            return run(groups, computer, options, MEASURED_NS);
        }
    }

    private static Count run(
            final List<Group> groups, final ReplayComputer computer, final ReplayOptions options,
            final long durationNs) {
        final long startNs = options.nanoClock().nanoTime();
        final long processorStartNs = options.processorClock().nanoTime();
        long requestCount = 0;
        int index = 0;
        while (index > 0 || options.nanoClock().nanoTime() - startNs < durationNs) {
            final Group group = groups.get(index);
            step(group, computer.executor(group.tasks[0].model));
            requestCount += group.tasks.length;
            index = (index + 1) % groups.size();
        }
        return new Count(requestCount, options.nanoClock().nanoTime() - startNs,
                options.processorClock().nanoTime() - processorStartNs);
    }

    /** Sessions whose context is full begin anew. */
    private static void step(final Group group, final ModelExecutor executor) {
        for (final ReplayTask task : group.tasks) {
            task.states.ensureInitialised(task.slot(), executor);
            if (!task.states.hasRoom(task.slot(), task.stepCount, executor)) {
                task.states.reset(task.slot(), executor);
            }
        }
        final ReplayTask first = group.tasks[0];
        if (group.tasks.length == 1) {
            first.states.steps(first.slot(), executor, first.featuresAddress(), first.stepCount,
                    first.outputsAddress(), first.strideBytes);
        } else {
            executor.step(group.batch);
            first.states.settle(group.batch, executor);
        }
    }
}
