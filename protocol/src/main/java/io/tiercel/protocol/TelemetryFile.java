package io.tiercel.protocol;

import io.tiercel.protocol.telemetry.EventDecoder;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.agrona.IoUtil;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.broadcast.BroadcastBufferDescriptor;

/**
 * The file by which an appliance tells of itself: a header, then an Agrona broadcast buffer of SBE messages
 * ({@code tiercel-telemetry.xml}). It lies in Aeron's directory, so in memory, and goes with it. The appliance writes
 * and waits for nobody; readers map it for reading and can disturb nothing.
 *
 * <pre>
 *   0        8        12       16       24       32       40       44       48                 112      4096
 *   +--------+--------+--------+--------+--------+--------+--------+--------+--------+---------+--------+----------
 *   | magic  | layout | schema | pid    | start  | heart- | state  | ring   | name   | 64 bytes|  zeros | ring, then
 *   |        | version| version|        | ms     | beat ms|        | bytes  |        | of ASCII|        | its trailer
 *   +--------+--------+--------+--------+--------+--------+--------+--------+--------+---------+--------+----------
 * </pre>
 *
 * <p>It is made under another name and moved in place when it is whole, so whoever finds it finds all of it.
 * {@code heartbeat} and {@code state} are stored with release and loaded with acquire; nothing else changes.
 */
public final class TelemetryFile implements AutoCloseable {

    public static final String NAME = "telemetry.dat";
    public static final int LAYOUT_VERSION = 1;
    public static final int HEADER_LENGTH = 4096;
    public static final int RING_LENGTH = 1 << 20;
    /** Between two heartbeats of an appliance that is well there are a tenth of a second or so. */
    public static final long HEARTBEAT_TIMEOUT_MS = 3_000;

    /** The bytes {@code TIERCEL1}, on a machine whose byte order is that of the messages. */
    private static final long MAGIC = 0x314C_4543_5245_4954L;
    private static final int LAYOUT_VERSION_OFFSET = 8;
    private static final int SCHEMA_VERSION_OFFSET = 12;
    private static final int PID_OFFSET = 16;
    private static final int START_OFFSET = 24;
    private static final int HEARTBEAT_OFFSET = 32;
    private static final int STATE_OFFSET = 40;
    private static final int RING_LENGTH_OFFSET = 44;
    private static final int NAME_OFFSET = 48;
    private static final int NAME_LENGTH = 64;
    private static final int RUNNING = 1;
    private static final int STOPPED = 2;
    private static final int MAX_RING_LENGTH = 1 << 28;

    private final MappedByteBuffer mapping;
    private final UnsafeBuffer header;
    private final AtomicBuffer ring;

    /** Why a file is not one that this version reads. */
    public enum Defect { TRUNCATED, FOREIGN, OTHER_VERSION }

    /** A file that is there and cannot be read. */
    public static final class UnreadableException extends IOException {

        private static final long serialVersionUID = 1L;
        private final Defect defect;

        UnreadableException(final Defect defect, final String message) {
            super(message);
            this.defect = defect;
        }

        public Defect defect() {
            return defect;
        }
    }

    private TelemetryFile(final MappedByteBuffer mapping, final int ringLength) {
        this.mapping = mapping;
        header = new UnsafeBuffer(mapping, 0, HEADER_LENGTH);
        ring = new UnsafeBuffer(mapping, HEADER_LENGTH, ringLength + BroadcastBufferDescriptor.TRAILER_LENGTH);
    }

    /** Where the file of an appliance with this {@code aeron.directory} is. */
    public static Path in(final Path aeronDirectory) {
        return aeronDirectory.resolve(NAME);
    }

    /** Makes the file of an appliance that starts. All of its memory is there when this returns. */
    public static TelemetryFile create(
            final Path aeronDirectory, final String applianceName, final long pid, final long startMs)
            throws IOException {
        final Path path = in(aeronDirectory);
        final Path draft = path.resolveSibling(NAME + ".tmp");
        Files.deleteIfExists(draft);
        final int length = HEADER_LENGTH + RING_LENGTH + BroadcastBufferDescriptor.TRAILER_LENGTH;
        final TelemetryFile file = new TelemetryFile(IoUtil.mapNewFile(draft.toFile(), length, true), RING_LENGTH);
        file.header.putInt(LAYOUT_VERSION_OFFSET, LAYOUT_VERSION);
        file.header.putInt(SCHEMA_VERSION_OFFSET, EventDecoder.SCHEMA_VERSION);
        file.header.putLong(PID_OFFSET, pid);
        file.header.putLong(START_OFFSET, startMs);
        file.header.putInt(RING_LENGTH_OFFSET, RING_LENGTH);
        final byte[] name = applianceName.getBytes(StandardCharsets.US_ASCII);
        file.header.putBytes(NAME_OFFSET, name, 0, Math.min(name.length, NAME_LENGTH));
        file.header.putIntRelease(STATE_OFFSET, RUNNING);
        file.heartbeat(startMs);
        file.header.putLong(0, MAGIC);
        try {
            Files.move(draft, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (final IOException ex) {
            file.close();
            throw ex;
        }
        return file;
    }

    /**
     * Maps a file for reading.
     *
     * @throws UnreadableException if it is none of ours, or not whole, or of another version.
     * @throws java.nio.file.NoSuchFileException if there is none.
     */
    public static TelemetryFile open(final Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            final long length = channel.size();
            if (length < HEADER_LENGTH) {
                throw new UnreadableException(Defect.TRUNCATED,
                        "file=" + path + " length=" + length + " minLength=" + HEADER_LENGTH);
            }
            final MappedByteBuffer start = channel.map(FileChannel.MapMode.READ_ONLY, 0, HEADER_LENGTH);
            final int ringLength;
            try {
                ringLength = checkedRingLength(path, new UnsafeBuffer(start), length);
            } finally {
                IoUtil.unmap(start);
            }
            return new TelemetryFile(channel.map(FileChannel.MapMode.READ_ONLY, 0,
                    HEADER_LENGTH + ringLength + BroadcastBufferDescriptor.TRAILER_LENGTH), ringLength);
        }
    }

    private static int checkedRingLength(final Path path, final UnsafeBuffer start, final long length)
            throws UnreadableException {
        if (start.getLong(0) != MAGIC) {
            throw new UnreadableException(Defect.FOREIGN, "file=" + path + " is no telemetry of an appliance");
        }
        final int layoutVersion = start.getInt(LAYOUT_VERSION_OFFSET);
        final int schemaVersion = start.getInt(SCHEMA_VERSION_OFFSET);
        if (layoutVersion != LAYOUT_VERSION || schemaVersion < 1) {
            throw new UnreadableException(Defect.OTHER_VERSION, "file=" + path + " layoutVersion=" + layoutVersion +
                    " schemaVersion=" + schemaVersion + " supported=" + LAYOUT_VERSION);
        }
        final int ringLength = start.getInt(RING_LENGTH_OFFSET);
        if (ringLength < 1024 || ringLength > MAX_RING_LENGTH || Integer.bitCount(ringLength) != 1) {
            throw new UnreadableException(Defect.FOREIGN, "file=" + path + " ringLength=" + ringLength);
        }
        final long expected = (long) HEADER_LENGTH + ringLength + BroadcastBufferDescriptor.TRAILER_LENGTH;
        if (length != expected) {
            throw new UnreadableException(Defect.TRUNCATED,
                    "file=" + path + " length=" + length + " expected=" + expected);
        }
        return ringLength;
    }

    /** For a broadcast transmitter, or a receiver. */
    public AtomicBuffer ring() {
        return ring;
    }

    public long pid() {
        return header.getLong(PID_OFFSET);
    }

    public long startMs() {
        return header.getLong(START_OFFSET);
    }

    public String applianceName() {
        int length = 0;
        while (length < NAME_LENGTH && header.getByte(NAME_OFFSET + length) != 0) {
            length++;
        }
        return header.getStringWithoutLengthAscii(NAME_OFFSET, length);
    }

    /** When the appliance was last seen to live, by its own clock. */
    public long heartbeatMs() {
        return header.getLongVolatile(HEARTBEAT_OFFSET);
    }

    /** Whether the appliance has said that it stops. */
    public boolean isStopped() {
        return header.getIntVolatile(STATE_OFFSET) == STOPPED;
    }

    /** The writer: lives at this time. */
    public void heartbeat(final long nowMs) {
        header.putLongRelease(HEARTBEAT_OFFSET, nowMs);
    }

    /** The writer: nothing comes any more. */
    public void stopped() {
        header.putIntRelease(STATE_OFFSET, STOPPED);
    }

    /** Lets go of the mapping; neither writer nor readers may be at it any more. The file stays. */
    @Override
    public void close() {
        IoUtil.unmap(mapping);
    }
}
