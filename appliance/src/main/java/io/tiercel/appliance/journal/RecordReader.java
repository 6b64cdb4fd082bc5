package io.tiercel.appliance.journal;

import io.tiercel.protocol.journal.MessageHeaderDecoder;
import io.tiercel.protocol.journal.RecordHeaderDecoder;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Reads the records of one queue in order, and checks each: checksum, lengths, sequence without a gap, and that the
 * frame is of a schema, version and message that belong there. At the end it checks that nothing was lost there.
 * Damage is thrown, with its place; nothing is ever skipped.
 *
 * <p>Assumes that the queue has one writer at most. Reads files and changes nothing, so it works on a journal that is
 * being written (then {@link #next()} answers false at the end for now, and may be asked again), on a copy, and on a
 * read-only file system. Needs Chronicle's files only, not its table of them.
 *
 * <p>One thread. Allocates nothing per record.
 */
public final class RecordReader implements AutoCloseable {

    static final int MIN_RECORD_LENGTH = RecordHeaderDecoder.ENCODED_LENGTH + MessageHeaderDecoder.ENCODED_LENGTH;
    static final int MAX_RECORD_LENGTH = RecordHeaderDecoder.ENCODED_LENGTH + ChronicleRecordLog.MAX_FRAME_LENGTH;

    private static final int HEADER_LENGTH = RecordHeaderDecoder.ENCODED_LENGTH;
    private static final int CHECKED_OFFSET =
            RecordHeaderDecoder.crc32cEncodingOffset() + RecordHeaderDecoder.crc32cEncodingLength();
    private static final int MODEL_VERSION_OFFSET = RecordHeaderDecoder.modelVersionEncodingOffset();
    private static final int MODEL_VERSION_LENGTH = RecordHeaderDecoder.modelVersionLength();
    /** A seek reads records one by one once it has come as close as this. */
    private static final long SEEK_SCAN_BYTES = 1 << 20;

    private final JournalView view;
    private final RecordKind kind;
    private final boolean isRecovery;
    private final RollPeriod roll;
    private final Path directory;
    private final ByteBuffer bytes;
    private final RecordHeaderDecoder header = new RecordHeaderDecoder();
    private final MessageHeaderDecoder frameHeader = new MessageHeaderDecoder();
    private final UnsafeBuffer modelVersion = new UnsafeBuffer(0, 0);
    private final UnsafeBuffer frame = new UnsafeBuffer(0, 0);
    private final CRC32C crc = new CRC32C();
    private QueueFile file;
    private long recordSequence;
    private long expectedSequence;
    private boolean isAtStart = true;
    private long numberInFile;
    private long lastPosition;
    private long endPosition;
    private int tornCount;
    private long tornBytes;
    private JournalDamage found;
    private long foundExpected;
    private long foundActual;

    /** @param isRecovery whether a torn record at the very end is the end, and not damage. */
    RecordReader(final JournalView view, final RecordKind kind, final boolean isRecovery) {
        this(view, kind, isRecovery, QueueFile.newBuffer());
    }

    /** @param bytes memory to read into, from {@link QueueFile#newBuffer()}, for as long as this is open. */
    RecordReader(final JournalView view, final RecordKind kind, final boolean isRecovery, final ByteBuffer bytes) {
        this.view = view;
        this.kind = kind;
        this.isRecovery = isRecovery;
        this.bytes = bytes;
        roll = view.roll();
        directory = view.queuePath(kind);
        if (!Files.isDirectory(directory)) {
            throw new JournalException("not a journal: there is no directory=" + directory);
        }
    }

    /**
     * Moves to the next record.
     *
     * @return false at the end of what has been written.
     * @throws JournalDamageException if the journal is damaged here; this reader is of no further use then.
     */
    public boolean next() {
        try {
            return file == null && !enterNext() ? false : advance();
        } catch (final IOException ex) {
            throw unreadable(ex);
        }
    }

    /**
     * Moves to just before a record, so that {@link #next()} reads it.
     *
     * @return false if the last record comes before it; the reader is then at the first record. Of a reader for
     *         recovery, true also if it is the one that would come next: the reader is then at the end.
     * @throws JournalDamageException if the record ought to be there and is not.
     * @throws JournalException       if its file has been removed.
     */
    public boolean seek(final long sequence) {
        if (sequence < 0) {
            throw new IllegalArgumentException("sequence=" + sequence);
        }
        try {
            return place(sequence);
        } catch (final IOException ex) {
            throw unreadable(ex);
        }
    }

    /**
     * Where the queue ends, once {@link #next()} has answered false. Only a reader for recovery has looked at what is
     * behind the end.
     */
    public JournalEnd end() {
        return file == null
                ? new JournalEnd(null, 0, 0, 0, expectedSequence, 0, 0)
                : new JournalEnd(file.path(), endPosition, lastPosition, numberInFile, expectedSequence, tornCount,
                        tornBytes);
    }

    public long sequence() {
        return recordSequence;
    }

    public long ingressNs() {
        return header.ingressNs();
    }

    public long principalId() {
        return header.principalId();
    }

    /** The 32 bytes of the bundle's SHA-256, good until {@link #next()}. */
    public DirectBuffer modelVersion() {
        return modelVersion;
    }

    /** The frame from offset 0, good until {@link #next()}. */
    public DirectBuffer frame() {
        return frame;
    }

    public int frameLength() {
        return frame.capacity();
    }

    /** Chronicle's index of the record. */
    public long index() {
        return indexOf(numberInFile - 1);
    }

    @Override
    public void close() {
        leave();
    }

    /** Whether anything was ever appended, readable or not. */
    boolean hasDocuments() {
        try {
            for (final Path path : QueueFile.list(directory)) {
                try (QueueFile candidate = QueueFile.open(path, bytes)) {
                    if (candidate.isBegun()) {
                        return true;
                    }
                }
            }
            return false;
        } catch (final IOException ex) {
            throw unreadable(ex);
        }
    }

    private boolean advance() throws IOException {
        while (true) {
            final QueueFile.Found next = file.next();
            if (next == QueueFile.Found.RECORD) {
                return take();
            }
            if (numberInFile == 0) {
                endPosition = file.nextPosition();
            }
            if (next == QueueFile.Found.NOTHING) {
                if (isWordTorn()) {
                    return false;
                }
                // What was read ahead may be older than what has been written since.
                file.reload();
                if (file.next() != QueueFile.Found.NOTHING) {
                    continue;
                }
                if (!isMoreClaimed() && !isLaterFileBegun()) {
                    return isEnd();
                }
                // Both are claimed after the fact: by now it must be there.
                file.reload();
                if (file.next() == QueueFile.Found.NOTHING) {
                    throw damage(JournalDamage.TRUNCATED, file.claimedPosition(), lastPosition, null);
                }
            } else {
                if (isMoreClaimed()) {
                    throw damage(JournalDamage.TRUNCATED, file.claimedPosition(), lastPosition, null);
                }
                if (!enterNext()) {
                    return false;
                }
            }
        }
    }

    /** Checks the record that was found and makes it current. @return false if it is torn, and so the end. */
    private boolean take() throws IOException {
        if (!isGood()) {
            // Only a reader that is as fast as the writer can have read a record before all of it was there.
            file.reload();
            file.next();
            if (!isGood()) {
                if (isTorn()) {
                    return false;
                }
                throw damage(found, foundExpected, foundActual, null);
            }
        }
        lastPosition = file.recordPosition();
        file.consume();
        endPosition = file.nextPosition();
        isAtStart = false;
        numberInFile++;
        expectedSequence = recordSequence + 1;
        return true;
    }

    /** @return false, always: nothing follows, also none of what can be seen only by looking for it. */
    private boolean isEnd() throws IOException {
        if (isRecovery) {
            final TailScan tail = TailScan.of(file.path(), endPosition, expectedSequence);
            if (tail.goodPosition() >= 0) {
                throw damage(JournalDamage.TRUNCATED, tail.goodPosition(), lastPosition, null);
            }
            tornCount = 0;
            tornBytes = tail.dirtyBytes();
        }
        return false;
    }

    /** Whether the bad record that was found is the last thing that was ever written to this queue. */
    private boolean isTorn() throws IOException {
        if (numberInFile == 0) {
            endPosition = file.recordPosition();
        }
        if (!isRecovery || !isFoundTearing() || file.claimedPosition() > endPosition || isLaterFileBegun()) {
            return false;
        }
        final TailScan tail = TailScan.of(file.path(), endPosition, expectedSequence);
        tornCount = 1;
        tornBytes = tail.dirtyBytes();
        return tail.goodPosition() < 0;
    }

    /** Whether what stands behind the last record looks like Chronicle's own: it has none there, so it is garbage. */
    private boolean isWordTorn() throws IOException {
        return isRecovery && file.nextPosition() != endPosition && !report(JournalDamage.UNREADABLE, 0, 0) && isTorn();
    }

    /** A record that is whole but in the wrong place, or of a kind that is not ours, was written so and not torn. */
    private boolean isFoundTearing() {
        return found == JournalDamage.TRUNCATED || found == JournalDamage.LENGTH_MISMATCH ||
                found == JournalDamage.BAD_CHECKSUM || found == JournalDamage.UNREADABLE;
    }

    private boolean isGood() throws IOException {
        return isWhole() && isIntact() && isNext() && isKnown();
    }

    private boolean isWhole() throws IOException {
        final int length = file.recordLength();
        if (length == QueueFile.UNFINISHED) {
            return report(JournalDamage.UNREADABLE, 0, 0);
        }
        if (length > MAX_RECORD_LENGTH) {
            return report(JournalDamage.LENGTH_MISMATCH, MAX_RECORD_LENGTH, length);
        }
        if (length < MIN_RECORD_LENGTH) {
            return report(JournalDamage.TRUNCATED, MIN_RECORD_LENGTH, length);
        }
        final int loadedLength = file.load();
        if (loadedLength < length) {
            return report(JournalDamage.TRUNCATED, length, loadedLength);
        }
        return true;
    }

    private boolean isIntact() {
        wrap();
        if (header.frameLength() != frame.capacity()) {
            return report(JournalDamage.LENGTH_MISMATCH, frame.capacity(), header.frameLength());
        }
        final long computed = checksum();
        if (computed != header.crc32c()) {
            return report(JournalDamage.BAD_CHECKSUM, header.crc32c(), computed);
        }
        return true;
    }

    private boolean isNext() {
        if (recordSequence == expectedSequence || isAtStart && isFirstThereIs(recordSequence)) {
            return true;
        }
        return report(
                recordSequence > expectedSequence ? JournalDamage.SEQUENCE_GAP : JournalDamage.SEQUENCE_REPETITION,
                expectedSequence, recordSequence);
    }

    /** Older files may have been removed, and more of them while we read. */
    private boolean isFirstThereIs(final long sequence) {
        final long firstSequence = view.firstSequence();
        expectedSequence = firstSequence;
        return sequence >= 0 && sequence <= firstSequence;
    }

    private boolean isKnown() {
        frameHeader.wrap(frame, 0);
        if (frameHeader.schemaId() != kind.schemaId()) {
            return report(JournalDamage.UNKNOWN_SCHEMA, kind.schemaId(), frameHeader.schemaId());
        }
        if (frameHeader.version() < 1 || frameHeader.version() > kind.newestVersion()) {
            return report(JournalDamage.UNKNOWN_VERSION, kind.newestVersion(), frameHeader.version());
        }
        if (!kind.isTemplate(frameHeader.templateId())) {
            return report(JournalDamage.UNKNOWN_TEMPLATE, 0, frameHeader.templateId());
        }
        return true;
    }

    private void wrap() {
        final int offset = file.recordOffset();
        header.wrap(file.buffer(), offset);
        recordSequence = header.sequence();
        modelVersion.wrap(file.buffer(), offset + MODEL_VERSION_OFFSET, MODEL_VERSION_LENGTH);
        frame.wrap(file.buffer(), offset + HEADER_LENGTH, file.recordLength() - HEADER_LENGTH);
    }

    private long checksum() {
        final int offset = file.recordOffset();
        crc.reset();
        bytes.limit(offset + file.recordLength()).position(offset + CHECKED_OFFSET);
        crc.update(bytes);
        bytes.clear();
        return crc.getValue();
    }

    private boolean isMoreClaimed() throws IOException {
        return file.claimedPosition() > lastPosition;
    }

    private boolean isLaterFileBegun() throws IOException {
        final List<Path> paths = QueueFile.list(directory);
        for (int i = paths.indexOf(file.path()) + 1; i < paths.size(); i++) {
            try (QueueFile later = QueueFile.open(paths.get(i), QueueFile.newBuffer())) {
                if (later.isBegun()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** @return false if there is no other file yet. */
    private boolean enterNext() throws IOException {
        final List<Path> paths = QueueFile.list(directory);
        final int index = file == null ? 0 : paths.indexOf(file.path()) + 1;
        if (index == paths.size()) {
            return false;
        }
        enter(paths.get(index));
        return true;
    }

    private void enter(final Path path) throws IOException {
        leave();
        file = QueueFile.open(path, bytes);
        numberInFile = 0;
        lastPosition = 0;
        endPosition = 0;
        if (!file.hasHeader()) {
            throw damage(JournalDamage.UNREADABLE, 0, 0, null);
        }
    }

    private void leave() {
        if (file != null) {
            file.close();
            file = null;
        }
    }

    /** The last sequence that a file's header names, which may lag; -1 if none does. Leaves the reader nowhere. */
    long namedSequence() {
        try {
            final List<Path> paths = QueueFile.list(directory);
            for (int index = paths.size() - 1; index >= 0; index--) {
                enter(paths.get(index));
                file.moveTo(file.claimedPosition());
                if (file.claimedPosition() > 0 && file.next() == QueueFile.Found.RECORD && isWhole() && isIntact()) {
                    return header.sequence();
                }
            }
            return -1;
        } catch (final IOException ex) {
            throw unreadable(ex);
        }
    }

    /** Files begin with their lowest sequence; in a file, halve the distance, finding a record by its checksum. */
    private boolean place(final long sequence) throws IOException {
        Path at = null;
        long nextFirst = Long.MAX_VALUE;
        for (final Path path : QueueFile.list(directory)) {
            final long first = firstSequence(path);
            if (first <= sequence) {
                at = path;
            } else if (first < nextFirst) {
                nextFirst = first;
            }
        }
        expectedSequence = sequence;
        isAtStart = false;
        if (at != null && placeIn(at, sequence)) {
            return true;
        }
        if (nextFirst != Long.MAX_VALUE) {
            refuseRemoved(sequence);
            throw damage(JournalDamage.SEQUENCE_GAP, sequence, nextFirst, null);
        }
        leave();
        isAtStart = true;
        expectedSequence = view.firstSequence();
        return isRecovery && at == null && sequence == expectedSequence;
    }

    private void refuseRemoved(final long sequence) {
        final long firstSequence = view.firstSequence();
        if (sequence < firstSequence) {
            throw new JournalException("record has been removed: directory=" + directory + " sequence=" + sequence +
                    " firstSequence=" + firstSequence);
        }
    }

    /** @return the sequence of the file's first record, or {@link Long#MAX_VALUE} if it has none. */
    long firstSequence(final Path path) throws IOException {
        enter(path);
        return file.next() == QueueFile.Found.RECORD && isWhole() && isIntact() ? header.sequence() : Long.MAX_VALUE;
    }

    /**
     * Of the last record that the file's header names, which is its last one once the keeper has let go of it.
     *
     * @return 0 if the file has none, {@link Long#MAX_VALUE} if that one is damaged.
     */
    long lastIngressNs(final Path path) throws IOException {
        enter(path);
        file.moveTo(file.claimedPosition());
        if (file.next() != QueueFile.Found.RECORD) {
            return 0;
        }
        return isWhole() && isIntact() ? header.ingressNs() : Long.MAX_VALUE;
    }

    private boolean placeIn(final Path path, final long sequence) throws IOException {
        final long first = firstSequence(path);
        long low = file.recordPosition();
        // A damaged header may claim any 64 bits, and to look that far could take for ever.
        long high = Math.max(low, Math.min(file.claimedPosition(), file.length()));
        while (high - low > SEEK_SCAN_BYTES) {
            final long middle = JournalSegment.align(low + (high - low) / 2);
            if (findRecord(middle, high) && header.sequence() <= sequence) {
                low = file.recordPosition();
            } else {
                high = middle;
            }
        }
        file.moveTo(low);
        while (file.next() == QueueFile.Found.RECORD && isWhole() && isIntact()) {
            if (header.sequence() >= sequence) {
                file.moveTo(file.recordPosition());
                settle(header.sequence() - first, 0);
                return true;
            }
            file.consume();
            if (isRecovery && header.sequence() == sequence - 1) {
                settle(sequence - first, file.recordPosition());
                return true;
            }
        }
        return false;
    }

    /** Takes the place that has been found: the records before it are not read, but they are counted. */
    private void settle(final long number, final long last) {
        numberInFile = number;
        lastPosition = last;
        endPosition = file.nextPosition();
    }

    /** Finds the first record whose word is at {@code position} or behind it, and before {@code end}. */
    private boolean findRecord(final long position, final long end) throws IOException {
        for (long at = position; at < end; at += Integer.BYTES) {
            if (file.findAt(at) && isWhole() && isIntact()) {
                return true;
            }
        }
        return false;
    }

    private long indexOf(final long number) {
        final int cycle = file == null ? 0 : roll.cycleOf(file.path().getFileName().toString());
        return roll.rollCycle().toIndex(Math.max(0, cycle), number);
    }

    /** @return false, always. */
    private boolean report(final JournalDamage damage, final long expected, final long actual) {
        found = damage;
        foundExpected = expected;
        foundActual = actual;
        return false;
    }

    private JournalDamageException damage(
            final JournalDamage damage, final long expected, final long actual, final Throwable cause) {
        return new JournalDamageException(damage, file == null ? directory : file.path(), indexOf(numberInFile),
                expectedSequence, expected, actual, cause);
    }

    private JournalDamageException unreadable(final IOException cause) {
        return damage(JournalDamage.UNREADABLE, 0, 0, cause);
    }
}
