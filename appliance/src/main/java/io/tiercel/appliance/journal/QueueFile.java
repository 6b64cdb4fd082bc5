package io.tiercel.appliance.journal;

import net.openhft.chronicle.wire.Wires;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Walks the documents of one file of a queue, by reading and not by mapping: a mapped file that is shorter than it says
 * ends in SIGBUS, a read one in fewer bytes.
 *
 * <pre>
 *   file      := document* (end-of-file mark)?
 *   document  := word, bytes, 0 to 3 bytes up to a multiple of 4
 *   word      := length | 0x40000000 if metadata       0: not written yet     0xC0000000: end-of-file mark
 *
 *   The first document is metadata, the file's header. In it, for both roll periods:
 *    28 "writePosition"   47 0x8D   48 2 (int64)   56 2 (int64)   64 position of the last record's word (int64), or 0
 * </pre>
 *
 * <p>One thread. Allocates nothing per document.
 */
final class QueueFile implements AutoCloseable {

    /** What {@link #next()} found. */
    enum Found {
        RECORD,
        /** Nothing yet. */
        NOTHING,
        /** The writer went on to another file. */
        END_OF_FILE
    }

    static final String SUFFIX = ".cq4";
    /** Length of a document whose word says that it is being written, or is none; our writer leaves no such word. */
    static final int UNFINISHED = -1;
    /** The header and first indexes of a file are shorter than this, together. */
    static final int MAX_METADATA_LENGTH = 512 << 10;

    private static final int BUFFER_LENGTH = 1 << 20;
    private static final int WORD_LENGTH = Integer.BYTES;
    private static final int HEADER_LENGTH = 72;
    private static final int WRITE_POSITION_NAME_OFFSET = 28;
    private static final byte[] WRITE_POSITION_NAME = "writePosition".getBytes(StandardCharsets.US_ASCII);
    private static final int ARRAY_CODE_OFFSET = 47;
    private static final byte ARRAY_CODE = (byte) 0x8D;
    private static final int WRITE_POSITION_OFFSET = 64;

    private final Path path;
    private final FileChannel channel;
    private final ByteBuffer bytes;
    private final UnsafeBuffer buffer;
    private final ByteBuffer headerBytes = ByteBuffer.allocateDirect(HEADER_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    private long bufferPosition;
    private int bufferedLength;
    private long nextPosition;
    private long documentPosition;
    private int documentLength;

    private QueueFile(final Path path, final FileChannel channel, final ByteBuffer bytes) {
        this.path = path;
        this.channel = channel;
        this.bytes = bytes;
        this.buffer = new UnsafeBuffer(bytes);
    }

    static ByteBuffer newBuffer() {
        return ByteBuffer.allocateDirect(BUFFER_LENGTH);
    }

    /** @param bytes memory to read into, from {@link #newBuffer()}, for as long as this is open. */
    static QueueFile open(final Path path, final ByteBuffer bytes) throws IOException {
        return new QueueFile(path, FileChannel.open(path, StandardOpenOption.READ), bytes);
    }

    /** In the order in which they were written. */
    static List<Path> list(final Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().endsWith(SUFFIX)).sorted()
                    .collect(Collectors.toList());
        }
    }

    Path path() {
        return path;
    }

    /** Whether the file begins as Chronicle begins one: without, nothing in it can be trusted to be anything. */
    boolean hasHeader() throws IOException {
        return readHeader() && Wires.isReadyMetaData(headerBytes.getInt(0)) &&
                headerBytes.get(ARRAY_CODE_OFFSET) == ARRAY_CODE && isWritePositionNamed();
    }

    /** Where the file's header says that the last record begins; 0 if there is none. */
    long claimedPosition() throws IOException {
        return readHeader() ? headerBytes.getLong(WRITE_POSITION_OFFSET) : 0;
    }

    /** Whether anything was ever appended, readable or not; the header alone may lag behind a writer that died. */
    boolean isBegun() throws IOException {
        return claimedPosition() != 0 || next() == Found.RECORD;
    }

    /**
     * Makes the file's header name the last good record, if it names one at or behind {@code position}. The second
     * half of the pair is Chronicle's number for that position; 0 is none.
     */
    static void withdrawClaim(final FileChannel channel, final long position, final long lastPosition)
            throws IOException {
        final ByteBuffer number = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        channel.read(number, WRITE_POSITION_OFFSET);
        if (number.getLong(0) >= position) {
            channel.write(number.clear().putLong(0, 0), WRITE_POSITION_OFFSET + Long.BYTES);
            channel.write(number.clear().putLong(0, lastPosition), WRITE_POSITION_OFFSET);
        }
    }

    /** Moves to the next record. */
    Found next() throws IOException {
        while (true) {
            final int word = word();
            if (word == 0) {
                return Found.NOTHING;
            }
            if (word == Wires.END_OF_DATA) {
                return Found.END_OF_FILE;
            }
            take(word);
            if (!isMetadata(word)) {
                return Found.RECORD;
            }
            consume();
        }
    }

    /** Whether the word at a position could be a record's; if so, it is found as by {@link #next()}. */
    boolean findAt(final long position) throws IOException {
        moveTo(position);
        final int word = word();
        if (word == 0 || word == Wires.END_OF_DATA || isMetadata(word)) {
            return false;
        }
        take(word);
        return true;
    }

    /** Makes the record that {@link #next()} found, or as much of it as there is, readable in {@link #buffer()}. */
    int load() throws IOException {
        return Math.min(documentLength, available(documentPosition + WORD_LENGTH, documentLength));
    }

    /** Forgets what was read ahead: the writer may have been writing it. */
    void reload() {
        bufferedLength = 0;
    }

    /** Goes past the record that {@link #next()} found. */
    void consume() {
        nextPosition = JournalSegment.align(documentPosition + WORD_LENGTH + documentLength);
    }

    /** Goes to a word. */
    void moveTo(final long position) {
        nextPosition = position;
    }

    UnsafeBuffer buffer() {
        return buffer;
    }

    /** The same memory as {@link #buffer()}. */
    ByteBuffer bytes() {
        return bytes;
    }

    /** Of the loaded record, in {@link #buffer()}. */
    int recordOffset() {
        return (int) (documentPosition + WORD_LENGTH - bufferPosition);
    }

    int recordLength() {
        return documentLength;
    }

    /** Of the word of the record that {@link #next()} found. */
    long recordPosition() {
        return documentPosition;
    }

    long length() throws IOException {
        return channel.size();
    }

    /** Of the word that {@link #next()} looks at next. */
    long nextPosition() {
        return nextPosition;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (final IOException ex) {
            throw new JournalException("file cannot be closed: file=" + path + " " + ex, ex);
        }
    }

    /** @return the word that comes next; 0, as if not written yet, where the file has none. */
    private int word() throws IOException {
        return available(nextPosition, WORD_LENGTH) < WORD_LENGTH
                ? 0
                : buffer.getInt((int) (nextPosition - bufferPosition), ByteOrder.LITTLE_ENDIAN);
    }

    private void take(final int word) {
        documentPosition = nextPosition;
        documentLength = isBad(word) ? UNFINISHED : Wires.lengthOf(word);
    }

    /** @return how many of the bytes wanted are in the buffer from {@code position} on. */
    private int available(final long position, final int wantedLength) throws IOException {
        final long offset = position - bufferPosition;
        if (offset < 0 || offset + wantedLength > bufferedLength) {
            fill(position);
        }
        return (int) Math.min(wantedLength, bufferPosition + bufferedLength - position);
    }

    private void fill(final long position) throws IOException {
        bytes.clear();
        bufferPosition = position;
        bufferedLength = 0;
        while (bytes.hasRemaining() && channel.read(bytes, position + bytes.position()) > 0) {
            continue;
        }
        bufferedLength = bytes.position();
        bytes.clear();
    }

    /** Chronicle's header and its indexes are short; a longer one is a word that was never written as such. */
    static boolean isMetadata(final int word) {
        return Wires.isReadyMetaData(word) && Wires.lengthOf(word) < MAX_METADATA_LENGTH;
    }

    private static boolean isBad(final int word) {
        return Wires.isNotComplete(word) || Wires.isReadyMetaData(word) && !isMetadata(word);
    }

    private boolean readHeader() throws IOException {
        headerBytes.clear();
        while (headerBytes.hasRemaining()) {
            if (channel.read(headerBytes, headerBytes.position()) < 0) {
                return false;
            }
        }
        return true;
    }

    private boolean isWritePositionNamed() {
        for (int i = 0; i < WRITE_POSITION_NAME.length; i++) {
            if (headerBytes.get(WRITE_POSITION_NAME_OFFSET + i) != WRITE_POSITION_NAME[i]) {
                return false;
            }
        }
        return true;
    }
}
