package io.tiercel.tools.llama;

import io.tiercel.tools.ModelInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads a little-endian file that is in memory, from front to back; refuses what would go past its end. */
final class ByteCursor {

    private final String source;
    private final ByteBuffer file;

    /** @param bytes not copied, not changed. */
    ByteCursor(final String source, final byte[] bytes) {
        this.source = source;
        file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    String source() {
        return source;
    }

    int position() {
        return file.position();
    }

    int size() {
        return file.capacity();
    }

    int remaining() {
        return file.remaining();
    }

    /** What the file says of itself may be in the text: it becomes one line whatever that is. */
    ModelInputException refused(final String what) {
        return new ModelInputException(source + ": " + ModelFiles.oneLine(what));
    }

    int readByte(final String what) {
        require(Byte.BYTES, what);
        return file.get();
    }

    short readShort(final String what) {
        require(Short.BYTES, what);
        return file.getShort();
    }

    int readInt(final String what) {
        require(Integer.BYTES, what);
        return file.getInt();
    }

    long readLong(final String what) {
        require(Long.BYTES, what);
        return file.getLong();
    }

    byte[] readBytes(final long length, final String what) {
        require(length, what);
        final byte[] bytes = new byte[(int) length];
        file.get(bytes);
        return bytes;
    }

    float[] readFloats(final long count, final String what) {
        if (count > file.capacity()) {
            throw tooLong(count + " floats", what);
        }
        require(count * Float.BYTES, what);
        final float[] values = new float[(int) count];
        file.asFloatBuffer().get(values);
        file.position(file.position() + values.length * Float.BYTES);
        return values;
    }

    /** @param length as an unsigned number; so a negative one is far too long. */
    void skip(final long length, final String what) {
        require(length, what);
        file.position(file.position() + (int) length);
    }

    /** Goes to a byte of the file, or to its end. */
    void moveTo(final int position) {
        file.position(position);
    }

    private void require(final long length, final String what) {
        if (length < 0 || length > file.remaining()) {
            throw tooLong(Long.toUnsignedString(length) + " bytes", what);
        }
    }

    private ModelInputException tooLong(final String length, final String what) {
        return refused(what + " of " + length + " at byte " + file.position() +
                " goes past the end of the file, size=" + file.capacity());
    }
}
