package io.tiercel.replay;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/**
 * The threads of a replay. The calling one fills tasks in sequence order and gets them back in sequence order, whoever
 * ran them meanwhile, so what it concludes does not depend on how many threads there are; when there is no place for
 * more it works at sessions as the others do, and with one thread it is the only one that does.
 *
 * <pre>
 *              ring of blocks:   retired ..... | run by all, each shard in order ... | filled
 *                                 &lt;- taken back in order                            &lt;- handed over in order
 * </pre>
 *
 * <p>Ordering: {@code handedOver} is written when a block has been filled, and read before a share of it is looked at;
 * the end of a block's last share is written when all of it has been run, and read before it is taken back. From one
 * thread to the next that works at the same sessions it is {@link ReplayShard#letGo} and {@link ReplayShard#hold}.
 *
 * <p>The calling thread alone calls; {@link #close} waits for the others to let go of the sessions.
 */
final class ReplayCrew implements AutoCloseable {

    private static final int SPINS = 200;
    private static final int YIELDS = 50;
    private static final long MIN_PARK_NS = 1_000;
    private static final long MAX_PARK_NS = 100_000;

    private final ReplayBlock[] blocks;
    private final ReplayShard[] shards;
    private final List<Thread> threads = new ArrayList<>();
    private final TaskRunner runner;
    private final Predicate<ReplayTask> retirement;
    private final IdleStrategy idle = newIdle();
    private volatile long handedOver;
    private volatile boolean isClosed;
    private volatile Throwable threadFailure;
    private long retired;
    private ReplayBlock filling;
    private boolean isOver;

    /**
     * @param runners    one for each thread, called on it; the calling thread's is given.
     * @param maxBatch   requests that a runner is given at once.
     * @param retirement given each task once it has been run, in sequence order, on the calling thread; false if what
     *                   follows does not count any more.
     */
    ReplayCrew(
            final int threadCount, final TaskRunner runner, final Supplier<TaskRunner> runners, final int maxBatch,
            final Predicate<ReplayTask> retirement) {
        this.runner = runner;
        this.retirement = retirement;
        blocks = new ReplayBlock[threadCount == 1 ? 1 : 2 * threadCount + 2];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = new ReplayBlock(threadCount);
        }
        shards = new ReplayShard[threadCount];
        for (int i = 0; i < threadCount; i++) {
            shards[i] = new ReplayShard(i, maxBatch);
        }
        for (int i = 1; i < threadCount; i++) {
            final int home = i;
            final Thread thread = new Thread(() -> run(home, runners), "tiercel-replay-" + i);
            thread.setDaemon(true);
            threads.add(thread);
        }
    }

    /** Before anything else. */
    void start() {
        threads.forEach(Thread::start);
    }

    /** A task to fill, and then to {@link #submit}; null if a task that was given back is the last that counts. */
    ReplayTask claim() {
        while (!isOver && filling == null) {
            if (handedOver - retired < blocks.length) {
                filling = block(handedOver);
                filling.clear();
            } else {
                makeRoom();
            }
        }
        return isOver ? null : filling.next();
    }

    /** What was claimed has been filled. */
    void submit() {
        filling.add();
        if (filling.isFull()) {
            handOver();
        }
    }

    /** Returns once every task that was submitted has been given back, or one that is the last that counts. */
    void drain() {
        if (filling != null) {
            handOver();
        }
        while (!isOver && retired < handedOver) {
            makeRoom();
        }
    }

    private void handOver() {
        filling = null;
        handedOver++;
        retire();
    }

    private void makeRoom() {
        if (threadFailure != null) {
            throw new IllegalStateException("a thread of the replay ended: " + threadFailure, threadFailure);
        }
        if (retire() || work(0, runner)) {
            idle.reset();
        } else {
            idle.idle();
        }
    }

    /** Gives back the tasks of the blocks that are done. @return whether there were any. */
    private boolean retire() {
        boolean hasRetired = false;
        while (!isOver && retired < handedOver && block(retired).isDone()) {
            final ReplayBlock block = block(retired);
            for (int i = 0; i < block.count() && !isOver; i++) {
                isOver = !retirement.test(block.task(i));
            }
            retired++;
            hasRetired = true;
        }
        return hasRetired;
    }

    private void run(final int home, final Supplier<TaskRunner> runners) {
        final IdleStrategy idling = newIdle();
        try (TaskRunner own = runners.get()) {
            while (!isClosed) {
                if (work(home, own)) {
                    idling.reset();
                } else {
                    idling.idle();
                }
            }
        } catch (final RuntimeException | Error ex) {
            threadFailure = ex;
        }
    }

    /** One share of the thread's own shard, else of the next one that has work. @return whether there was any. */
    private boolean work(final int home, final TaskRunner by) {
        for (int i = 0; i < shards.length; i++) {
            final ReplayShard shard = shards[(home + i) % shards.length];
            if (shard.hold()) {
                try {
                    if (shard.blockNumber() < handedOver && shard.work(block(shard.blockNumber()), by)) {
                        return true;
                    }
                } finally {
                    shard.letGo();
                }
            }
        }
        return false;
    }

    private ReplayBlock block(final long number) {
        return blocks[(int) (number % blocks.length)];
    }

    private static IdleStrategy newIdle() {
        return new BackoffIdleStrategy(SPINS, YIELDS, MIN_PARK_NS, MAX_PARK_NS);
    }

    @Override
    public void close() {
        isClosed = true;
        for (final Thread thread : threads) {
            join(thread);
        }
    }

    private static void join(final Thread thread) {
        boolean isInterrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (final InterruptedException ex) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
