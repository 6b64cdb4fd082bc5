package io.tiercel.replay;

import io.tiercel.appliance.engine.Backend;
import io.tiercel.appliance.engine.Backends;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;

/**
 * What to verify and how. Set, then given to {@link ReplayVerifier}, which concludes it.
 */
public final class ReplayOptions {

    public static final int MAX_THREADS = 1024;

    private Path journalDirectory;
    private long fromSequence;
    private long toSequence = Long.MAX_VALUE;
    private String backend = Backends.AUTO;
    private int threads;
    private boolean allowOpenTail;
    private BooleanSupplier follow;
    private ReplayProgress progress;
    private NanoClock nanoClock = SystemNanoClock.INSTANCE;
    private NanoClock processorClock = ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime;

    public Path journalDirectory() {
        return journalDirectory;
    }

    public ReplayOptions journalDirectory(final Path newJournalDirectory) {
        journalDirectory = newJournalDirectory;
        return this;
    }

    public long fromSequence() {
        return fromSequence;
    }

    /** First sequence that is compared. All before it is read, checked for damage and recomputed just the same. */
    public ReplayOptions fromSequence(final long newFromSequence) {
        fromSequence = newFromSequence;
        return this;
    }

    public long toSequence() {
        return toSequence;
    }

    /** Last sequence that is compared; the journal must reach it. Without it, the whole journal. */
    public ReplayOptions toSequence(final long newToSequence) {
        toSequence = newToSequence;
        return this;
    }

    public boolean isToTheEnd() {
        return toSequence == Long.MAX_VALUE;
    }

    public String backend() {
        return backend;
    }

    public ReplayOptions backend(final String newBackend) {
        backend = newBackend;
        return this;
    }

    public int threads() {
        return threads;
    }

    /**
     * Threads that compute, the one that reads included. Without it, as many as there are cores; one where a device
     * computes, as each thread's kernel would take a part of it. What is found does not depend on it.
     */
    public ReplayOptions threads(final int newThreads) {
        threads = newThreads;
        return this;
    }

    public boolean allowOpenTail() {
        return allowOpenTail;
    }

    /**
     * Whether requests without an outcome may stand at the very end, as after a crash or in a journal that is being
     * written. They are counted either way.
     */
    public ReplayOptions allowOpenTail(final boolean newAllowOpenTail) {
        allowOpenTail = newAllowOpenTail;
        return this;
    }

    /** Null: the end is the end. */
    public BooleanSupplier follow() {
        return follow;
    }

    /**
     * Goes on at the end of what has been written, as the journal grows: asked there, on the reading thread, when all
     * that was read has been computed, it waits for a while and says whether to look again. A request is read when its
     * outcome is there.
     */
    public ReplayOptions follow(final BooleanSupplier newFollow) {
        follow = newFollow;
        return this;
    }

    /** Null: nobody is told. */
    public ReplayProgress progress() {
        return progress;
    }

    /** Whom to tell how far the replay is. */
    public ReplayOptions progress(final ReplayProgress newProgress) {
        progress = newProgress;
        return this;
    }

    public NanoClock nanoClock() {
        return nanoClock;
    }

    public ReplayOptions nanoClock(final NanoClock newNanoClock) {
        nanoClock = newNanoClock;
        return this;
    }

    /** What the thread that asks has taken of the processors, since it began. */
    public NanoClock processorClock() {
        return processorClock;
    }

    public ReplayOptions processorClock(final NanoClock newProcessorClock) {
        processorClock = newProcessorClock;
        return this;
    }

    /** @throws IllegalArgumentException with the offending {@code name=value}. */
    ReplayOptions conclude() {
        if (journalDirectory == null) {
            throw new IllegalArgumentException("journal is not given");
        }
        if (fromSequence < 0) {
            throw new IllegalArgumentException("from=" + fromSequence + " is below 0");
        }
        if (toSequence < fromSequence) {
            throw new IllegalArgumentException("to=" + toSequence + " is below from=" + fromSequence);
        }
        threads = threads == 0 ? suitableThreads(backend) : threads;
        if (threads < 1 || threads > MAX_THREADS) {
            throw new IllegalArgumentException("threads=" + threads + " is not from 1 to " + MAX_THREADS);
        }
        return this;
    }

    private static int suitableThreads(final String backendName) {
        for (final Backend candidate : Backends.all()) {
            final boolean isAsked = Backends.AUTO.equals(backendName) || candidate.name().equals(backendName);
            if (isAsked && candidate.probe().available()) {
                return candidate.canBeLost() ? 1 : coreCount();
            }
        }
        return coreCount();
    }

    private static int coreCount() {
        return Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors());
    }
}
