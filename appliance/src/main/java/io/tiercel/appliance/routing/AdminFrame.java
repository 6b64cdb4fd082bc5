package io.tiercel.appliance.routing;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.tiercel.appliance.engine.LoadedModel;
import io.tiercel.protocol.Frames;
import io.tiercel.protocol.wire.AdminCommand;
import io.tiercel.protocol.wire.AdministerDecoder;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/** Reads an administrator's frame that {@link io.tiercel.protocol.FrameValidator} has found sound. One thread. */
public final class AdminFrame {

    private static final int ROUTES_OFFSET = Frames.HEADER_LENGTH + AdministerDecoder.BLOCK_LENGTH;
    private static final int ENTRIES_OFFSET = ROUTES_OFFSET + AdministerDecoder.RoutesDecoder.HEADER_SIZE;
    private static final int ENTRY_LENGTH = AdministerDecoder.RoutesDecoder.sbeBlockLength();

    private final AdministerDecoder decoder = new AdministerDecoder();
    private final UnsafeBuffer version = new UnsafeBuffer(0, 0);
    private DirectBuffer buffer;
    private int offset;

    public AdminFrame wrap(final DirectBuffer frame, final int frameOffset) {
        buffer = frame;
        offset = frameOffset;
        decoder.wrap(frame, frameOffset + Frames.HEADER_LENGTH, AdministerDecoder.BLOCK_LENGTH, Frames.VERSION);
        return this;
    }

    public long correlationId() {
        return decoder.correlationId();
    }

    public AdminCommand command() {
        return decoder.command();
    }

    public int modelId() {
        return decoder.modelId();
    }

    /** Of the bundle that the command is about; good until the next call for a version. */
    public DirectBuffer version() {
        return versionAt(offset + Frames.HEADER_LENGTH + AdministerDecoder.modelVersionEncodingOffset());
    }

    public int routeCount() {
        return buffer.getShort(offset + ROUTES_OFFSET + Short.BYTES, LITTLE_ENDIAN) & 0xFFFF;
    }

    public int weight(final int route) {
        return buffer.getShort(offset + ENTRIES_OFFSET + route * ENTRY_LENGTH, LITTLE_ENDIAN) & 0xFFFF;
    }

    /** Of a route; good until the next call for a version. */
    public DirectBuffer version(final int route) {
        return versionAt(offset + ENTRIES_OFFSET + route * ENTRY_LENGTH +
                AdministerDecoder.RoutesDecoder.modelVersionEncodingOffset());
    }

    /** Where the bundle lies. Allocates. */
    public String bundle() {
        final int start = offset + ENTRIES_OFFSET + routeCount() * ENTRY_LENGTH;
        return buffer.getStringWithoutLengthAscii(
                start + Frames.DATA_LENGTH_BYTES, buffer.getInt(start, LITTLE_ENDIAN));
    }

    private DirectBuffer versionAt(final int start) {
        version.wrap(buffer, start, LoadedModel.VERSION_LENGTH);
        return version;
    }
}
