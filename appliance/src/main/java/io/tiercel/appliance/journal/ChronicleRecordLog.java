package io.tiercel.appliance.journal;

import io.tiercel.appliance.sequencer.Words;
import io.tiercel.protocol.journal.RecordHeaderEncoder;
import net.openhft.chronicle.core.io.Closeable;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.Wires;
import org.agrona.BitUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * A {@link RecordLog} that is one Chronicle queue: each record is one document of raw bytes.
 *
 * <pre>
 *   0        4                 68
 *   +--------+-----------------+---------------------------+--------+
 *   | length | recordHeader    | frame                     | 0 or   |
 *   |        | crc32c covers from its byte 4 to here       | next   |
 *   +--------+-----------------+---------------------------+--------+
 *   Chronicle's word, little-endian, on a multiple of 4: 0 until the record is whole, then written once
 * </pre>
 *
 * <p>Chronicle makes the files, their headers and indexes, and the keeper has it bring them up to date. Only the
 * document itself is written here and not through Chronicle's appender, for three reasons: the appender rolls by
 * opening the next file in the writing thread (1 to 6 ms in code that runs once a day and is therefore never compiled);
 * it writes to two more pages on each append, its lock's and the file header's, which write-back makes read-only now
 * and then; and one writer needs no lock. Here a roll is the change of a reference to a file that the keeper has
 * opened.
 *
 * <p>The length is written last, with release semantics, so a reader sees a whole record or none. A record is in the
 * log once it is in the page cache: it survives the death of the process, and that of the machine after
 * {@link #sync()}.
 *
 * <p>One writing thread. It meets no page fault, system call, lock or allocation in {@link #append}, because
 * {@link SegmentKeeper} has prepared the memory and this class does not write beyond it.
 */
public final class ChronicleRecordLog implements RecordLog {

    /** The longest frame that may be appended. */
    public static final int MAX_FRAME_LENGTH = 128 << 10;

    private static final int HEADER_LENGTH = RecordHeaderEncoder.ENCODED_LENGTH;
    private static final int CHECKED_OFFSET =
            RecordHeaderEncoder.crc32cEncodingOffset() + RecordHeaderEncoder.crc32cEncodingLength();
    private static final int MODEL_VERSION_LENGTH = RecordHeaderEncoder.modelVersionLength();
    private static final int INITIAL_SCRATCH_LENGTH = 8 << 10;
    private static final int WORD_LENGTH = Integer.BYTES;
    /** Alignment, the cleared bytes behind a record, the end-of-file mark. */
    private static final int SLACK_LENGTH = 64;
    private static final int OVERLAP_LENGTH = MAX_FRAME_LENGTH + HEADER_LENGTH + SLACK_LENGTH;

    /** Of memory ahead of the tail that is kept in the cache: two or three short records. */
    private static final int TOUCH_LENGTH = 1024;

    private final SingleChronicleQueue queue;
    private final SegmentKeeper keeper;
    private final PageSync pageSync;
    private final SpaceWatch space;
    private final boolean isDurable;
    private final boolean isWrittenThrough;
    private final long blockBytes;
    private final RecordHeaderEncoder header = new RecordHeaderEncoder();
    private final CRC32C crc = new CRC32C();
    private final UnsafeBuffer scratch = new UnsafeBuffer(0, 0);
    private final UnsafeBuffer block = new UnsafeBuffer(0, 0);
    private ByteBuffer checked;
    private JournalSegment segment;
    private long blockStart;
    private long preparedPosition;
    private long tailPosition;
    private long publishedPage;
    private long syncedPosition;
    private long touchedOffset;
    /** What was read ahead, so that the JIT has to read it. */
    private long touchedBits;
    private long recordCount;
    private long rolledCount;
    private long lastSequence;
    private boolean hasSyncFailed;
    private String failure;

    ChronicleRecordLog(
            final Path directory, final JournalSettings settings, final QueueTail tail, final SpaceWatch space) {
        this.space = space;
        pageSync = settings.pageSync();
        isDurable = settings.isDurable();
        isWrittenThrough = settings.isWrittenThrough();
        final long nowMs = tail.nowMs();
        queue = SingleChronicleQueueBuilder.binary(directory)
                .rollCycle(settings.roll().rollCycle())
                // Only dates its directory listing: what rolls is decided here.
                .timeProvider(() -> nowMs)
                .blockSize(settings.blockBytes())
                .checkInterrupts(false)
                .build();
        try {
            keeper = new SegmentKeeper(queue, settings, OVERLAP_LENGTH, tail);
        } catch (final RuntimeException ex) {
            Closeable.closeQuietly(queue);
            throw ex;
        }
        blockBytes = queue.blockSize();
        lastSequence = tail.end().nextSequence() - 1;
        scratch(INITIAL_SCRATCH_LENGTH);
        enter(keeper.current());
    }

    @Override
    public boolean append(
            final long sequence,
            final long ingressNs,
            final long principalId,
            final DirectBuffer modelVersion,
            final DirectBuffer frame,
            final int frameOffset,
            final int frameLength) {
        if (keeper.rollState() == SegmentKeeper.ROLL_OVERDUE) {
            roll();
        }
        if (!isReady(frameLength)) {
            return false;
        }
        encode(sequence, ingressNs, principalId, modelVersion, frame, frameOffset, frameLength);
        try {
            write(HEADER_LENGTH + frameLength);
        } catch (final RuntimeException | Error ex) {
            throw fail(ex);
        }
        lastSequence = sequence;
        recordCount++;
        return true;
    }

    @Override
    public int onIdle() {
        if (keeper.failure() != null) {
            throw new JournalException(keeper.failure());
        }
        touchAhead();
        return keeper.rollState() == SegmentKeeper.ROLL_NOT_DUE || failure != null ? 0 : roll();
    }

    @Override
    public void sync() {
        failIfFailed();
        if (!isDurable) {
            return;
        }
        try {
            keeper.syncLeft();
            syncFile();
        } catch (final IOException ex) {
            throw failSync(ex.toString());
        }
        syncedPosition = tailPosition;
        if (isWrittenThrough) {
            segment.followablePosition(tailPosition);
        }
    }

    @Override
    public boolean isSpaceLow() {
        return space.isLow();
    }

    @Override
    public long freeBytes() {
        return space.freeBytes();
    }

    @Override
    public void close() {
        if (queue.isClosed()) {
            return;
        }
        if (failure == null) {
            failure = "log is closed: directory=" + queue.file();
        }
        segment.tailPosition(tailPosition);
        keeper.close(!hasSyncFailed);
        Closeable.closeQuietly(queue);
    }

    /** Records appended since this log was opened. */
    public long recordCount() {
        return recordCount;
    }

    /** Files begun since this log was opened, besides the first. */
    public long rolledCount() {
        return rolledCount;
    }

    /** Sequence of the last record, or -1 if the queue is empty. */
    public long lastSequence() {
        return lastSequence;
    }

    SegmentKeeper keeper() {
        return keeper;
    }

    private boolean isReady(final int frameLength) {
        failIfFailed();
        if (frameLength > MAX_FRAME_LENGTH) {
            throw new IllegalArgumentException(
                    "frameLength=" + frameLength + " is above the journal's limit of " + MAX_FRAME_LENGTH);
        }
        final long end = tailPosition + HEADER_LENGTH + frameLength + SLACK_LENGTH;
        if (end > preparedPosition) {
            preparedPosition = segment.preparedPosition();
            return end <= preparedPosition;
        }
        return true;
    }

    private void failIfFailed() {
        if (failure != null || keeper.failure() != null) {
            throw new JournalException(failure != null ? failure : keeper.failure());
        }
    }

    /** The pages written since the last time; all of the file's if they are not all in the block at hand. */
    private void syncFile() throws IOException {
        if (syncedPosition == tailPosition) {
            return;
        }
        if (syncedPosition < blockStart) {
            segment.sync();
            return;
        }
        final long from = syncedPosition - blockStart & -PagePopulator.PAGE_BYTES;
        final int errno = pageSync.sync(block.addressOffset() + from, tailPosition - blockStart - from);
        if (errno != 0) {
            throw failSync("errno=" + errno);
        }
    }

    private void encode(
            final long sequence,
            final long ingressNs,
            final long principalId,
            final DirectBuffer modelVersion,
            final DirectBuffer frame,
            final int frameOffset,
            final int frameLength) {
        if (HEADER_LENGTH + frameLength > scratch.capacity()) {
            scratch(HEADER_LENGTH + MAX_FRAME_LENGTH);
        }
        header.wrap(scratch, 0)
                .frameLength(frameLength)
                .sequence(sequence)
                .ingressNs(ingressNs)
                .principalId(principalId);
        Words.copy(modelVersion, 0, scratch, RecordHeaderEncoder.modelVersionEncodingOffset(), MODEL_VERSION_LENGTH);
        Words.copy(frame, frameOffset, scratch, HEADER_LENGTH, frameLength);
        crc.reset();
        checked.limit(HEADER_LENGTH + frameLength).position(CHECKED_OFFSET);
        crc.update(checked);
        header.crc32c(crc.getValue());
    }

    private void write(final int recordLength) {
        final long position = JournalSegment.align(tailPosition);
        final int offset = offsetInBlock(position);
        final int end = offset + WORD_LENGTH + recordLength;
        // A writer that died while it wrote may have left anything behind the end: the next length must read 0.
        block.putLong(end, 0L);
        Words.copy(scratch, 0, block, offset + WORD_LENGTH, recordLength);
        block.putIntRelease(offset, recordLength);
        advance(position + WORD_LENGTH + recordLength);
    }

    /**
     * Reads the memory of the next records, once, so that its cache lines and its place in the page table are there
     * when they are written: an append would else wait for them, some 100 ns, between a request and its answer.
     */
    private void touchAhead() {
        final long from = tailPosition - blockStart;
        if (from < touchedOffset - TOUCH_LENGTH / 2 || tailPosition + TOUCH_LENGTH > preparedPosition) {
            return;
        }
        final int to = (int) Math.min(from + TOUCH_LENGTH, blockBytes);
        long seen = 0;
        for (int offset = (int) Math.max(from, touchedOffset); offset < to; offset += BitUtil.CACHE_LINE_LENGTH) {
            seen |= block.getByte(offset);
        }
        touchedOffset = to;
        touchedBits |= seen;
    }

    private int offsetInBlock(final long position) {
        if (position - blockStart >= blockBytes) {
            enterBlock((int) (position / blockBytes));
        }
        return (int) (position - blockStart);
    }

    private void advance(final long end) {
        tailPosition = end;
        final long page = end & -PagePopulator.PAGE_BYTES;
        if (page != publishedPage) {
            publishedPage = page;
            segment.tailPosition(end);
        }
    }

    private int roll() {
        final JournalSegment next = keeper.next();
        if (next == null || next == segment) {
            return 0;
        }
        endFile();
        if (isWrittenThrough) {
            // Else a later file could be on the device and this one's last record not.
            sync();
        }
        enter(next);
        keeper.onRolled(next);
        rolledCount++;
        return 1;
    }

    /** Tells readers to go on to the next file. */
    private void endFile() {
        final long position = JournalSegment.align(tailPosition);
        final int offset = offsetInBlock(position);
        block.putBytes(offset + WORD_LENGTH, QueueTail.END_OF_FILE_NOTE);
        block.putIntRelease(offset, Wires.END_OF_DATA);
        tailPosition = position + WORD_LENGTH + QueueTail.END_OF_FILE_NOTE.length;
        segment.tailPosition(tailPosition);
    }

    private void enter(final JournalSegment next) {
        segment = next;
        tailPosition = next.tailPosition();
        publishedPage = tailPosition & -PagePopulator.PAGE_BYTES;
        preparedPosition = next.preparedPosition();
        syncedPosition = tailPosition;
        if (isWrittenThrough) {
            next.followablePosition(tailPosition);
        }
        enterBlock((int) (tailPosition / blockBytes));
    }

    private void enterBlock(final int index) {
        blockStart = index * blockBytes;
        block.wrap(segment.blockAddress(index), (int) (blockBytes + OVERLAP_LENGTH));
        touchedOffset = 0;
    }

    private JournalException fail(final Throwable cause) {
        failure = "journal cannot be written: append failed file=" + segment.file() + " " + cause +
                " freeBytes=" + queue.file().getUsableSpace();
        return new JournalException(failure, cause);
    }

    private JournalException failSync(final String reason) {
        hasSyncFailed = true;
        failure = "journal cannot be synced: file=" + segment.file() + " " + reason;
        return new JournalException(failure);
    }

    private void scratch(final int length) {
        checked = ByteBuffer.allocateDirect(length);
        scratch.wrap(checked);
    }
}
