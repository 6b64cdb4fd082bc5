package io.tiercel.tools.system;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.protocol.journal.RecordHeaderDecoder;
import io.tiercel.protocol.journal.RecordHeaderEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.agrona.concurrent.UnsafeBuffer;

/** One record in the bytes of its queue's file, to be spoiled. */
final class StoredRecord {

    private static final int CHECKED_OFFSET =
            RecordHeaderEncoder.crc32cEncodingOffset() + RecordHeaderEncoder.crc32cEncodingLength();

    private final Path file;
    private final byte[] bytes;
    private final int begin;
    private final int end;

    private StoredRecord(final Path file, final byte[] bytes, final int begin, final int end) {
        this.file = file;
        this.bytes = bytes;
        this.begin = begin;
        this.end = end;
    }

    /** @param queue {@code requests} or {@code outcomes}. */
    static StoredRecord find(final Path journal, final String queue, final long sequence) throws IOException {
        final Path file = files(journal, queue).get(0);
        final byte[] bytes = Files.readAllBytes(file);
        for (int at = 0; at + RecordHeaderDecoder.ENCODED_LENGTH < bytes.length; at += Integer.BYTES) {
            final RecordHeaderDecoder header = new RecordHeaderDecoder().wrap(new UnsafeBuffer(bytes), at);
            final long end = at + RecordHeaderDecoder.ENCODED_LENGTH + header.frameLength();
            if (header.sequence() == sequence && end > at && end <= bytes.length
                    && checksum(bytes, at, (int) end) == header.crc32c()) {
                return new StoredRecord(file, bytes, at, (int) end);
            }
        }
        throw new AssertionError("sequence=" + sequence + " is not in " + file);
    }

    static List<Path> files(final Path journal, final String queue) throws IOException {
        try (var files = Files.list(journal.resolve(queue))) {
            return files.filter(file -> file.toString().endsWith(".cq4")).sorted().toList();
        }
    }

    Path file() {
        return file;
    }

    /** In the last value of the frame: of an outcome, its last output. */
    void flipBitNearTheEnd() {
        bytes[end - 2] ^= 0x10;
    }

    /** Adds to the last value of the frame, which is a float: of an outcome, its last output. */
    void moveLastFloat(final float distance) {
        final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        final int offset = end - Float.BYTES;
        buffer.putFloat(offset, buffer.getFloat(offset, LITTLE_ENDIAN) + distance, LITTLE_ENDIAN);
    }

    void makeChecksumFit() {
        new RecordHeaderEncoder().wrap(new UnsafeBuffer(bytes), begin).crc32c(checksum(bytes, begin, end));
    }

    void write() throws IOException {
        Files.write(file, bytes);
    }

    /** Ends the file in the middle of the record. */
    void tear() throws IOException {
        Files.write(file, Arrays.copyOf(bytes, (begin + end) / 2 & -Integer.BYTES));
    }

    private static long checksum(final byte[] bytes, final int begin, final int end) {
        final CRC32C crc = new CRC32C();
        crc.update(bytes, begin + CHECKED_OFFSET, end - begin - CHECKED_OFFSET);
        return crc.getValue();
    }
}
