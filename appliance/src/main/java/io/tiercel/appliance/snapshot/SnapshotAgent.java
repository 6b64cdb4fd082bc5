package io.tiercel.appliance.snapshot;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.appliance.session.RetryWindow;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.EventTrack;
import io.tiercel.protocol.telemetry.EventKind;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.nio.file.Path;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Takes a snapshot now and then: asks for a cut, waits until the workers have copied, until every request before the
 * cut has its outcome in the journal, has the journal written through to the device, and writes the file. So a snapshot
 * is never ahead of the journal that it belongs to. Then old snapshots go, and what the journal keeps for none of them.
 *
 * <p>A thread of its own, which mostly sleeps. A snapshot that cannot be written is said in the log and counted; the
 * next one is tried when it is due, and the appliance goes on: all that is lost is time at the next start.
 *
 * <p>It may be in the middle of one when another thread dies and Aeron's file of counters is unmapped: so it holds no
 * counter of its own, but has {@link Counters} read and count, which know whether the file is there.
 */
public final class SnapshotAgent implements Agent {

    private static final int ALIGNMENT = 64;
    private static final int SPARE_FRACTION = 8;
    private static final int SPARE_SESSIONS = 64;
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotAgent.class);

    private final Settings settings;
    private final SnapshotCut cut;
    private final Sessions sessions;
    private final RetryWindow retries;
    private final List<LoadedModel> models;
    private final SnapshotStore store;
    private final Progress progress;
    private final Housekeeping journal;
    private final NanoClock clock;
    private final Counters counters;
    private final EventTrack events;
    private State state = State.IDLE;
    private SnapshotImage image;
    private long allocation;
    private long allocatedBytes;
    private long lastTakenNs;
    private long wantedNs;
    private long copiedNs;
    private long lastSequence;
    /** Of what was asked for, how much the snapshot that is being taken will have answered. */
    private long answeringCount;
    private volatile long answeredCount;

    private enum State { IDLE, WANTED, CUT, COPIED }

    /**
     * @param intervalNs  between two snapshots; 0 takes them only when they are asked for.
     * @param keepCount   snapshots that are kept.
     * @param workerCount infer workers of the pipeline.
     */
    public record Settings(long intervalNs, int keepCount, int workerCount) {
    }

    /**
     * How far the pipeline is. Read by the snapshot thread.
     *
     * @param takenSequence    the last request in the ring.
     * @param recordedSequence the last one with an outcome in the journal.
     */
    public record Progress(LongSupplier takenSequence, LongSupplier recordedSequence) {
    }

    /** What is done with the journal around a snapshot. Called by the snapshot thread. */
    public interface Housekeeping {

        /** Writes both queues through to the device. */
        void sync();

        /** What is before {@code keepFromSequence} is not needed by any snapshot. */
        void prune(long keepFromSequence);
    }

    /**
     * @param events       told when a snapshot was copied and when it was written.
     * @param lastSequence of the snapshot that the pipeline began with, or -1: nothing has to be saved before it is
     *                     beyond that. What a recovery has computed is.
     */
    public SnapshotAgent(
            final Settings settings,
            final SnapshotCut cut,
            final Sessions sessions,
            final RetryWindow retries,
            final List<LoadedModel> models,
            final SnapshotStore store,
            final Progress progress,
            final Housekeeping journal,
            final long lastSequence,
            final NanoClock clock,
            final Counters counters,
            final EventTrack events) {
        this.settings = settings;
        this.cut = cut;
        this.sessions = sessions;
        this.retries = retries;
        this.models = models;
        this.store = store;
        this.progress = progress;
        this.journal = journal;
        this.clock = clock;
        this.counters = counters;
        this.events = events;
        this.lastSequence = lastSequence;
        lastTakenNs = clock.nanoTime();
    }

    /** Asks for a snapshot of how things stand now or later, without waiting for the interval. Any thread. */
    public void takeSoon() {
        cut.ask();
    }

    /** Whether all that was asked for with {@link #takeSoon} has been done, or has failed. Any thread. */
    public boolean isIdle() {
        return answeredCount == cut.askedCount();
    }

    @Override
    public int doWork() {
        try {
            return switch (state) {
                case IDLE -> isDue() ? want() : 0;
                case WANTED -> awaitCut();
                case CUT -> awaitCopies();
                case COPIED -> awaitOutcomes();
            };
        } catch (final RuntimeException ex) {
            LOG.warn("no snapshot: {}", ex.getMessage(), ex);
            counters.increment(CounterId.SNAPSHOTS_FAILED);
            counters.happenings().tell(EventKind.SNAPSHOT_FAILED, 0, String.valueOf(ex.getMessage()));
            finish();
            return 1;
        }
    }

    @Override
    public String roleName() {
        return "snapshot";
    }

    /** The workers must not run any more. */
    @Override
    public void onClose() {
        cut.want(null);
        if (allocation != 0) {
            UnsafeApi.freeMemory(allocation);
            allocation = 0;
        }
    }

    private boolean isDue() {
        answeringCount = cut.askedCount();
        if (progress.takenSequence().getAsLong() == lastSequence) {
            answeredCount = answeringCount;
            return false;
        }
        return answeringCount != answeredCount
                || settings.intervalNs() > 0 && clock.nanoTime() - lastTakenNs >= settings.intervalNs();
    }

    /** Room for the sessions there are and for some that may come before ingress has seen it. */
    private int want() {
        final int sessionCount = (int) counters.value(CounterId.SESSIONS);
        final int capacity = Math.min(sessions.table().maxSessions(),
                sessionCount + sessionCount / SPARE_FRACTION + SPARE_SESSIONS);
        image = new SnapshotImage(sessions, settings.workerCount(), memory(capacity), capacity);
        wantedNs = clock.nanoTime();
        cut.want(image);
        state = State.WANTED;
        return 1;
    }

    /**
     * Ingress begins no cut that has too little room, and says so by its count of sessions, or by one more version. The
     * counts are read first: when one is too high, this image is either begun by now or never will be, and its memory
     * may be given back.
     */
    private int awaitCut() {
        final boolean isOutgrown = !image.fits((int) counters.value(CounterId.SESSIONS), sessions.modelCount());
        if (cut.begun() == image) {
            state = State.CUT;
            return 1;
        }
        if (isOutgrown) {
            cut.want(null);
            state = State.IDLE;
            return 1;
        }
        return 0;
    }

    private int awaitCopies() {
        if (!image.isComplete()) {
            return 0;
        }
        copiedNs = clock.nanoTime();
        events.add(EventTrack.SNAPSHOT_COPY, wantedNs, copiedNs, image.sequence());
        tell(EventKind.SNAPSHOT_COPIED, wantedNs, copiedNs);
        state = State.COPIED;
        return 1;
    }

    private int awaitOutcomes() {
        if (progress.recordedSequence().getAsLong() < image.sequence()) {
            return 0;
        }
        journal.sync();
        final Path file = store.write(image, models, retries);
        final long writtenNs = clock.nanoTime();
        events.add(EventTrack.SNAPSHOT_WRITE, copiedNs, writtenNs, image.sequence());
        tell(EventKind.SNAPSHOT_WRITTEN, copiedNs, writtenNs);
        lastSequence = image.sequence();
        counters.increment(CounterId.SNAPSHOTS);
        LOG.info("snapshot sequence={} sessions={} file={}", image.sequence(), image.sessionCount(), file);
        removeWhatIsNotNeeded();
        finish();
        return 1;
    }

    private void tell(final EventKind kind, final long startNs, final long endNs) {
        counters.happenings().tell(kind, startNs, endNs - startNs, image.sequence(), "");
    }

    /** The snapshot is there, whatever becomes of the old ones; they are tried again behind the next one. */
    private void removeWhatIsNotNeeded() {
        try {
            journal.prune(store.retain(settings.keepCount()));
        } catch (final RuntimeException ex) {
            LOG.warn("old snapshots and journal files are left: {}", ex.getMessage(), ex);
        }
    }

    private void finish() {
        state = State.IDLE;
        image = null;
        answeredCount = answeringCount;
        lastTakenNs = clock.nanoTime();
    }

    /** All of its pages are there when a worker writes to them. */
    private long memory(final int capacity) {
        final long bytes = SnapshotImage.bytesFor(sessions, capacity) + ALIGNMENT;
        if (bytes > allocatedBytes) {
            if (allocation != 0) {
                UnsafeApi.freeMemory(allocation);
            }
            allocation = UnsafeApi.allocateMemory(bytes);
            allocatedBytes = bytes;
            UnsafeApi.setMemory(allocation, bytes, (byte) 0);
        }
        return (allocation + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
