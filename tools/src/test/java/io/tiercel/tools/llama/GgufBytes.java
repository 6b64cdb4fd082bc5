package io.tiercel.tools.llama;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes GGUF files, sound ones and others: what is written is what is asked for. */
final class GgufBytes {

    private final Map<String, byte[]> keys = new LinkedHashMap<>();
    private final ByteArrayOutputStream infos = new ByteArrayOutputStream();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private int version = 3;
    private int alignment = GgufFile.DEFAULT_ALIGNMENT;
    private boolean isTwice;
    private long tensorCount;

    GgufBytes version(final int value) {
        version = value;
        return this;
    }

    GgufBytes alignment(final int value) {
        alignment = value;
        return uint32(GgufFile.ALIGNMENT, value);
    }

    GgufBytes uint32(final String key, final int value) {
        return key(key, GgufValueType.UINT32, bytes(Integer.BYTES).putInt(value).array());
    }

    GgufBytes float32(final String key, final float value) {
        return key(key, GgufValueType.FLOAT32, bytes(Float.BYTES).putFloat(value).array());
    }

    GgufBytes bool(final String key, final boolean value) {
        return key(key, GgufValueType.BOOL, new byte[] {(byte) (value ? 1 : 0)});
    }

    GgufBytes text(final String key, final String value) {
        return key(key, GgufValueType.STRING, string(value.getBytes(StandardCharsets.UTF_8)));
    }

    GgufBytes floats(final String key, final float... values) {
        return array(key, GgufValueType.FLOAT32, values.length, floatBytes(values));
    }

    GgufBytes ints(final String key, final int... values) {
        final ByteBuffer all = bytes(values.length * Integer.BYTES);
        Arrays.stream(values).forEach(all::putInt);
        return array(key, GgufValueType.INT32, values.length, all.array());
    }

    GgufBytes texts(final String key, final byte[]... values) {
        final ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (final byte[] value : values) {
            all.writeBytes(string(value));
        }
        return array(key, GgufValueType.STRING, values.length, all.toByteArray());
    }

    GgufBytes array(final String key, final GgufValueType type, final long count, final byte[] values) {
        return key(key, GgufValueType.ARRAY, bytes(Integer.BYTES + Long.BYTES + values.length)
                .putInt(type.code()).putLong(count).put(values).array());
    }

    /** Instead of what was there under this key. */
    GgufBytes key(final String key, final GgufValueType type, final byte[] value) {
        return key(key, type.code(), value);
    }

    GgufBytes key(final String key, final int type, final byte[] value) {
        keys.put(key, bytes(Integer.BYTES + value.length).putInt(type).put(value).array());
        return this;
    }

    GgufBytes without(final String key) {
        keys.remove(key);
        return this;
    }

    /** All keys once more. */
    GgufBytes keysTwice() {
        isTwice = true;
        return this;
    }

    /** @param shape outermost first; where its rows are not in blocks, Q8_0 becomes F32, as in real files. */
    GgufBytes tensor(final String name, final GgufTensorType wanted, final float[] values, final int... shape) {
        final boolean fits = shape[shape.length - 1] % wanted.blockValues() == 0;
        final GgufTensorType type = fits ? wanted : GgufTensorType.F32;
        final long[] dimensions = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            dimensions[i] = shape[shape.length - 1 - i];
        }
        final byte[] encoded = switch (type) {
            case F32 -> floatBytes(values);
            case F16 -> halfBytes(values);
            case Q8_0 -> blockBytes(values);
        };
        return tensor(name, type.code(), encoded, alignedEnd(), dimensions);
    }

    /** @param dimensions innermost first, as they stand in the file. */
    GgufBytes tensor(
            final String name, final int type, final byte[] values, final long offset, final long... dimensions) {
        infos.writeBytes(string(name.getBytes(StandardCharsets.UTF_8)));
        infos.writeBytes(bytes(Integer.BYTES).putInt(dimensions.length).array());
        for (final long dimension : dimensions) {
            infos.writeBytes(bytes(Long.BYTES).putLong(dimension).array());
        }
        infos.writeBytes(bytes(Integer.BYTES + Long.BYTES).putInt(type).putLong(offset).array());
        data.writeBytes(new byte[alignedEnd() - data.size()]);
        data.writeBytes(values);
        tensorCount++;
        return this;
    }

    byte[] toBytes() {
        return toBytes(tensorCount, keys.size() * (isTwice ? 2 : 1));
    }

    /** With counts that may be lies. */
    byte[] toBytes(final long tensors, final long keysClaimed) {
        final ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(bytes(2 * Integer.BYTES).putInt(GgufFile.MAGIC).putInt(version).array());
        file.writeBytes(bytes(2 * Long.BYTES).putLong(tensors).putLong(keysClaimed).array());
        for (int i = 0; i < (isTwice ? 2 : 1); i++) {
            keys.forEach((key, value) -> {
                file.writeBytes(string(key.getBytes(StandardCharsets.UTF_8)));
                file.writeBytes(value);
            });
        }
        file.writeBytes(infos.toByteArray());
        file.writeBytes(new byte[Math.floorMod(-file.size(), alignment)]);
        file.writeBytes(data.toByteArray());
        return file.toByteArray();
    }

    private int alignedEnd() {
        return data.size() + Math.floorMod(-data.size(), alignment);
    }

    static byte[] string(final byte[] value) {
        return bytes(Long.BYTES + value.length).putLong(value.length).put(value).array();
    }

    static byte[] floatBytes(final float... values) {
        final ByteBuffer all = bytes(values.length * Float.BYTES);
        all.asFloatBuffer().put(values);
        return all.array();
    }

    private static byte[] halfBytes(final float[] values) {
        final ByteBuffer all = bytes(values.length * Short.BYTES);
        for (final float value : values) {
            all.putShort(half(value));
        }
        return all.array();
    }

    /** One scale for all, which is the step of the weights. */
    private static byte[] blockBytes(final float[] values) {
        final ByteBuffer all = bytes(values.length / 32 * 34);
        for (int i = 0; i < values.length; i++) {
            if (i % 32 == 0) {
                all.putShort(half(RandomLlama.STEP));
            }
            all.put((byte) (values[i] / RandomLlama.STEP));
        }
        return all.array();
    }

    /** Of a value that binary16 holds exactly, and not as a subnormal. */
    static short half(final float value) {
        final int bits = Float.floatToRawIntBits(value);
        if (value == 0) {
            return (short) (bits >>> 16);
        }
        return (short) (bits >>> 16 & 0x8000 | (bits >>> 13 & 0x3FFFF) - (127 - 15 << 10));
    }

    static ByteBuffer bytes(final int count) {
        return ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    }
}
