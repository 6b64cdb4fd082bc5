package io.tiercel.appliance.journal;

import io.tiercel.protocol.journal.RecordHeaderDecoder;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * What lies behind the last good record of a file: whether a good record is among it, and how far it reaches.
 *
 * <p>A good record has a length word on a multiple of 4, a frame length that fits it, a checksum that is right, and a
 * sequence that a record at that place can have: not before the one expected first, and not so far after it that the
 * records between would not fit.
 *
 * @param goodPosition of the first good record's word, or -1.
 * @param dirtyBytes   from where the scan began up to the last byte that is not zero.
 */
record TailScan(long goodPosition, long dirtyBytes) {

    private static final int BUFFER_LENGTH = 1 << 20;
    private static final int WORD_LENGTH = Integer.BYTES;
    private static final int CHECKED_OFFSET =
            RecordHeaderDecoder.crc32cEncodingOffset() + RecordHeaderDecoder.crc32cEncodingLength();

    /** Reads the file from {@code position}, a multiple of 4, to its end. */
    static TailScan of(final Path file, final long position, final long expectedSequence) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return new Scanner(channel, position, expectedSequence).scan();
        }
    }

    /** One pass. Each window overlaps the next by the longest record, so that a record is whole in one of them. */
    private static final class Scanner {

        private static final int STEP_LENGTH = BUFFER_LENGTH - WORD_LENGTH - RecordReader.MAX_RECORD_LENGTH;

        private final FileChannel channel;
        private final long position;
        private final long expectedSequence;
        private final ByteBuffer bytes = ByteBuffer.allocateDirect(BUFFER_LENGTH);
        private final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        private final RecordHeaderDecoder header = new RecordHeaderDecoder();
        private final CRC32C crc = new CRC32C();
        private long goodPosition = -1;
        private long dirtyEnd;

        Scanner(final FileChannel channel, final long position, final long expectedSequence) {
            this.channel = channel;
            this.position = position;
            this.expectedSequence = expectedSequence;
            dirtyEnd = position;
        }

        TailScan scan() throws IOException {
            final long end = channel.size();
            for (long at = position; at < end; at += STEP_LENGTH) {
                final int length = fill(at);
                look(at, length, Math.min(STEP_LENGTH, length));
            }
            return new TailScan(goodPosition, dirtyEnd - position);
        }

        private int fill(final long at) throws IOException {
            bytes.clear();
            while (bytes.hasRemaining() && channel.read(bytes, at + bytes.position()) > 0) {
                continue;
            }
            final int length = bytes.position();
            bytes.clear();
            return length;
        }

        private void look(final long windowPosition, final int length, final int lookLength) {
            for (int offset = 0; offset < lookLength; offset += WORD_LENGTH) {
                if (offset + Long.BYTES <= lookLength && buffer.getLong(offset) == 0) {
                    offset += WORD_LENGTH;
                } else if (isDirty(windowPosition, offset, lookLength) && goodPosition < 0 &&
                        isGood(windowPosition, offset, length)) {
                    goodPosition = windowPosition + offset;
                }
            }
        }

        private boolean isDirty(final long windowPosition, final int offset, final int lookLength) {
            boolean isDirty = false;
            for (int i = offset; i < Math.min(offset + WORD_LENGTH, lookLength); i++) {
                if (buffer.getByte(i) != 0) {
                    dirtyEnd = windowPosition + i + 1;
                    isDirty = true;
                }
            }
            return isDirty;
        }

        private boolean isGood(final long windowPosition, final int offset, final int length) {
            if (offset + WORD_LENGTH + RecordReader.MIN_RECORD_LENGTH > length) {
                return false;
            }
            final int recordLength = buffer.getInt(offset, ByteOrder.LITTLE_ENDIAN);
            final int recordOffset = offset + WORD_LENGTH;
            if (recordLength < RecordReader.MIN_RECORD_LENGTH ||
                    recordLength > Math.min(RecordReader.MAX_RECORD_LENGTH, length - recordOffset)) {
                return false;
            }
            header.wrap(buffer, recordOffset);
            return header.frameLength() == recordLength - RecordHeaderDecoder.ENCODED_LENGTH &&
                    isPossible(header.sequence(), windowPosition + offset) &&
                    header.crc32c() == checksum(recordOffset, recordLength);
        }

        private boolean isPossible(final long sequence, final long at) {
            final long mostBetween = (at - position) / (WORD_LENGTH + RecordReader.MIN_RECORD_LENGTH);
            return sequence >= expectedSequence && sequence - expectedSequence <= mostBetween;
        }

        private long checksum(final int recordOffset, final int recordLength) {
            crc.reset();
            bytes.limit(recordOffset + recordLength).position(recordOffset + CHECKED_OFFSET);
            crc.update(bytes);
            bytes.clear();
            return crc.getValue();
        }
    }
}
