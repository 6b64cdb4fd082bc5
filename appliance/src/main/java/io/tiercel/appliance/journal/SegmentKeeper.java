package io.tiercel.appliance.journal;

import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * What the keeper's thread does for one log, and what that log reads of it.
 *
 * <p>Each field has one writer. The log's thread writes {@code current}; the keeper's thread writes the rest, and
 * learns of a roll by seeing that {@code current} is the segment it had prepared.
 */
final class SegmentKeeper {

    static final int ROLL_NOT_DUE = 0;
    static final int ROLL_DUE = 1;
    static final int ROLL_OVERDUE = 2;

    /** Of populating: the file system could not back a page. */
    private static final int EFAULT = 14;
    private static final long STEP_BYTES = 1 << 20;
    private static final int FOLLOW_LIMIT = 16 << 10;
    private static final long SPACE_CHECK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long WIDE_REFRESH_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long NARROW_REFRESH_BYTES = 64 << 10;
    private static final Logger LOG = LoggerFactory.getLogger(SegmentKeeper.class);

    private final SingleChronicleQueue queue;
    private final JournalSettings settings;
    private final PagePopulator populator;
    private final long overlapBytes;
    private final long stepBytes;
    private final Queue<File> unsyncedFiles = new ConcurrentLinkedQueue<>();
    private JournalSegment preparing;
    private long lastSpaceCheckNs;
    private long lastWideRefreshNs;

    private volatile JournalSegment kept;
    private volatile JournalSegment current;
    private volatile JournalSegment next;
    private volatile int rollState = ROLL_NOT_DUE;
    private volatile String failure;

    SegmentKeeper(
            final SingleChronicleQueue queue,
            final JournalSettings settings,
            final long overlapBytes,
            final QueueTail tail) {
        this.queue = queue;
        this.settings = settings;
        this.populator = new PagePopulator(settings.hasPopulateWrite());
        this.overlapBytes = overlapBytes;
        this.stepBytes = Math.min(STEP_BYTES, settings.populateAheadBytes() / 4);
        if (tail.isBeforeCycle()) {
            settle(tail);
        }
        this.kept = newSegment(tail.cycle(), tail.isInCycle() ? tail.end() : JournalEnd.EMPTY);
        this.current = kept;
        while (failure == null && prepareAhead(kept) > 0) {
            // All of it, before the first record.
            continue;
        }
        if (failure == null) {
            checkSpace();
        }
        if (failure != null) {
            close(true);
            throw new JournalException(failure);
        }
    }

    /** The log's side: the file it writes. */
    JournalSegment current() {
        return current;
    }

    /** The log's side: the file to roll to, or null. */
    JournalSegment next() {
        return next;
    }

    /**
     * The log's side: it now writes {@code segment}, which was {@link #next()}. Noted here and not by the keeper later,
     * so that the next sync includes the file that was left.
     */
    void onRolled(final JournalSegment segment) {
        unsyncedFiles.add(current.file());
        current = segment;
    }

    /** The log's side: whether, and how urgently, to roll to {@link #next()}. */
    int rollState() {
        return rollState;
    }

    /** For who prunes: the oldest file that is open here. Any thread. */
    Pruner.OpenFile oldestOpen() {
        final JournalSegment oldest = kept;
        return new Pruner.OpenFile(oldest.cycle(), oldest.tailPosition());
    }

    /** Why nothing may be appended any more, or null. */
    String failure() {
        return failure;
    }

    /** @return the amount of work done; 0 when there is nothing to do for now. */
    int doWork(final long nowNs) {
        if (failure != null) {
            return 0;
        }
        int workCount = 0;
        if (current != kept) {
            workCount += onWriterRolled();
        }
        workCount += prepareAhead(kept);
        workCount += follow();
        workCount += prepareRollOrFail(nowNs);
        if (workCount == 0) {
            refresh(nowNs);
            if (isDue(nowNs, lastSpaceCheckNs, SPACE_CHECK_INTERVAL_NS)) {
                lastSpaceCheckNs = nowNs;
                checkSpace();
            }
        }
        return workCount;
    }

    /** A defect, ours or Chronicle's. */
    void onError(final Throwable error) {
        LOG.error("journal keeper", error);
        fail("keeper failed", kept.file(), error.toString());
    }

    /** After the writer has stopped. @param isSyncable whether the device has taken all that it was given so far. */
    void close(final boolean isSyncable) {
        try {
            if (current != kept) {
                onWriterRolled();
            }
            if (preparing != null) {
                preparing.retire();
                preparing = null;
            }
            if (settings.isDurable() && isSyncable) {
                current.sync();
                syncLeft();
                kept.followablePosition(Long.MAX_VALUE);
            }
            kept.retire();
        } catch (final IOException ex) {
            fail("close failed", kept.file(), ex.toString());
            LOG.error(failure); // nobody appends any more
        }
    }

    /** The log's side: writes the files through to the device that it has left since the last time. */
    void syncLeft() throws IOException {
        File file = unsyncedFiles.poll();
        while (file != null) {
            syncLeft(file.toPath());
            file = unsyncedFiles.poll();
        }
    }

    /**
     * Writes through what is written by now. A file that was left stays on the list until it is on the device: the
     * writer's own sync must find it there, or find it done. The current file is looked at first, because a roll puts
     * it on the list.
     */
    void syncBesideWriter() throws IOException {
        final JournalSegment written = current;
        for (final File file : unsyncedFiles) {
            syncLeft(file.toPath());
            unsyncedFiles.remove(file);
        }
        if (settings.isDurable()) {
            syncLeft(written.file().toPath());
        }
    }

    private static void syncLeft(final Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(false);
        } catch (final NoSuchFileException ex) {
            LOG.debug("removed before it was synced: file={}", file);
        }
    }

    private int onWriterRolled() {
        final JournalSegment left = kept;
        final JournalSegment entered = current;
        preparing = null;
        next = null;
        rollState = ROLL_NOT_DUE;
        try {
            // Not synced here: that can take seconds, and meanwhile nothing would be prepared for the writer.
            left.retire();
        } catch (final IOException ex) {
            fail("truncate failed", left.file(), ex.toString());
        }
        // Not before it is let go of: who prunes leaves alone what is kept.
        kept = entered;
        LOG.info("rolled from={} to={}", left.file(), entered.file());
        return 1;
    }

    private int prepareAhead(final JournalSegment segment) {
        final long wantedPosition = segment.tailPosition() + settings.populateAheadBytes();
        if (wantedPosition - segment.preparedPosition() < stepBytes) {
            return 0;
        }
        try {
            final int errno = segment.prepare(populator, stepBytes);
            if (errno != 0) {
                fail("populate failed", segment.file(), errnoText(errno));
                return 0;
            }
            segment.releaseBlocksBehind();
            return 1;
        } catch (final IOException | RuntimeException ex) {
            fail("map failed", segment.file(), ex.toString());
            return 0;
        }
    }

    private int follow() {
        try {
            return kept.follow(FOLLOW_LIMIT) ? 1 : 0;
        } catch (final IOException | RuntimeException ex) {
            fail("index failed", kept.file(), ex.toString());
            return 0;
        }
    }

    private int prepareRollOrFail(final long nowNs) {
        try {
            return prepareRoll(nowNs);
        } catch (final JournalException ex) {
            fail("roll failed", kept.file(), ex.getMessage());
            return 0;
        }
    }

    private int prepareRoll(final long nowNs) {
        final RollPeriod roll = settings.roll();
        final long nowMs = TimeUnit.NANOSECONDS.toMillis(nowNs);
        if (next != null) {
            final long overdueNs = nowNs - TimeUnit.MILLISECONDS.toNanos(roll.startMs(next.cycle()));
            rollState = overdueNs < 0 ? ROLL_NOT_DUE : overdueNs < settings.rollGraceNs() ? ROLL_DUE : ROLL_OVERDUE;
            return 0;
        }
        if (preparing == null) {
            final int leadCycle = roll.cycleAt(nowMs + TimeUnit.NANOSECONDS.toMillis(settings.rollLeadNs()));
            if (leadCycle <= kept.cycle()) {
                return 0;
            }
            preparing = newSegment(Math.max(kept.cycle() + 1, roll.cycleAt(nowMs)), JournalEnd.EMPTY);
            return 1;
        }
        final int workCount = prepareAhead(preparing);
        if (workCount == 0 && failure == null) {
            next = preparing;
        }
        return workCount + 1;
    }

    /** Has Chronicle's header of the older file say what is in it, and cuts it to length. */
    private void settle(final QueueTail tail) {
        final JournalSegment left = newSegment(tail.endCycle(), tail.end());
        try {
            left.tailPosition(tail.end().position() + Integer.BYTES + QueueTail.END_OF_FILE_NOTE.length);
            left.retire();
        } catch (final IOException ex) {
            throw new JournalException("journal file cannot be ended: file=" + left.file() + " " + ex, ex);
        }
    }

    private JournalSegment newSegment(final int cycle, final JournalEnd end) {
        try {
            final JournalSegment segment = new JournalSegment(queue, cycle, overlapBytes, end);
            if (settings.isWrittenThrough()) {
                JournalLayout.syncEntries(queue.file().toPath());
            }
            return segment;
        } catch (final IOException | RuntimeException ex) {
            throw new JournalException("journal file cannot be made: directory=" + queue.file() +
                    " cycle=" + cycle + " freeBytes=" + queue.file().getUsableSpace() + " " + ex, ex);
        }
    }

    private void refresh(final long nowNs) {
        final boolean isWide = isDue(nowNs, lastWideRefreshNs, WIDE_REFRESH_INTERVAL_NS);
        if (isWide) {
            lastWideRefreshNs = nowNs;
        }
        try {
            final int errno = kept.refresh(
                    populator, isWide ? settings.refreshAheadBytes() : NARROW_REFRESH_BYTES);
            if (errno != 0) {
                fail("populate failed", kept.file(), errnoText(errno));
            }
        } catch (final RuntimeException ex) {
            fail("map failed", kept.file(), ex.toString());
        }
    }

    private void checkSpace() {
        final long usableBytes = queue.file().getUsableSpace();
        if (usableBytes < settings.minimumFreeBytes()) {
            fail("the file system is full, or nearly", kept.file(),
                    "minimumFreeBytes=" + settings.minimumFreeBytes());
        }
    }

    /** A clock that was put back makes everything due. */
    private static boolean isDue(final long nowNs, final long lastNs, final long intervalNs) {
        return nowNs - lastNs >= intervalNs || nowNs < lastNs;
    }

    private static String errnoText(final int errno) {
        return errno == EFAULT ? "errno=" + errno + " (no room for its pages)" : "errno=" + errno;
    }

    /** Whoever appends next throws this, which is how it becomes known; here it goes to the log for details. */
    private void fail(final String what, final File file, final String reason) {
        final String text = "journal cannot be written: " + what + " file=" + file + " " + reason +
                " freeBytes=" + file.getParentFile().getUsableSpace();
        LOG.debug(text);
        failure = text;
    }
}
