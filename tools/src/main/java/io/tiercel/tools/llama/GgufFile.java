package io.tiercel.tools.llama;

import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.tools.ModelInputException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the container of a GGUF file, versions 2 and 3, little-endian; what its keys and tensors mean is
 * {@link GgufReader}'s. The format is described in ggml's {@code docs/gguf.md}.
 *
 * <pre>
 *   "GGUF"  uint32 version  uint64 tensorCount  uint64 keyCount
 *   keyCount x    { string key, uint32 type, value }
 *   tensorCount x { string name, uint32 rank, rank x uint64 dimension (innermost first), uint32 type, uint64 offset }
 *   zeros to a multiple of the alignment; offsets count from here
 *   tensors, each padded to a multiple of the alignment
 *   string: uint64 length, bytes      array: uint32 type, uint64 count, values
 * </pre>
 *
 * <p>The file may be hostile: every count and length is compared with what is there before it is used. Strings and
 * arrays stay in the file until they are asked for, so that what is kept is small whatever the file claims. As in
 * ggml, each tensor begins where the one before it ends, aligned: there are no overlaps and no hidden bytes.
 */
final class GgufFile {

    static final int MAGIC = 0x46554747;
    static final int DEFAULT_ALIGNMENT = 32;
    static final int MAX_ALIGNMENT = 1 << 16;
    static final int MAX_KEYS = 4096;
    static final int MAX_TENSORS = 4096;
    static final int MAX_NAME_BYTES = 256;
    static final int MAX_RANK = 4;
    /** Of arrays of arrays. */
    static final int MAX_DEPTH = 4;
    /** Of a string that is asked for. */
    static final int MAX_TEXT_BYTES = 1 << 16;

    static final String ALIGNMENT = "general.alignment";

    /** A string or an array: where its bytes or values begin. */
    private record Span(int type, int count, int offset) {

        @Override
        public String toString() {
            return type == GgufValueType.STRING.code() ? "(string)" : "(array of " + count + ")";
        }
    }

    /**
     * @param shape  outermost dimension first.
     * @param offset from the first byte of the file.
     */
    record Tensor(String name, GgufTensorType type, List<Integer> shape, int offset, int length) {

        int end() {
            return offset + length;
        }
    }

    private record RawTensor(String name, GgufTensorType type, List<Integer> shape, long offset, long length) {
    }

    private final ByteCursor file;
    private final Map<String, Object> values = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    GgufFile(final String source, final byte[] bytes) {
        file = new ByteCursor(source, bytes);
        if (file.readInt("magic") != MAGIC) {
            throw file.refused("does not begin with GGUF");
        }
        final int version = file.readInt("version");
        if (version != 2 && version != 3) {
            throw file.refused("version=" + Integer.toUnsignedString(version) + " is not 2 or 3");
        }
        final int tensorCount = readCount("tensors", MAX_TENSORS);
        final int keyCount = readCount("keys", MAX_KEYS);
        for (int i = 0; i < keyCount; i++) {
            readKey();
        }
        final List<RawTensor> raw = new ArrayList<>();
        for (int i = 0; i < tensorCount; i++) {
            raw.add(readTensor());
        }
        place(raw, alignment());
    }

    static boolean isGguf(final byte[] bytes) {
        return bytes.length >= Integer.BYTES && new ByteCursor("", bytes).readInt("magic") == MAGIC;
    }

    String source() {
        return file.source();
    }

    ModelInputException refused(final String what) {
        return file.refused(what);
    }

    Set<String> keys() {
        return Set.copyOf(values.keySet());
    }

    boolean hasKey(final String key) {
        return values.containsKey(key);
    }

    /** The names of all tensors. */
    Set<String> tensorNames() {
        return Set.copyOf(tensors.keySet());
    }

    boolean hasTensor(final String name) {
        return tensors.containsKey(name);
    }

    Tensor tensor(final String name) {
        final Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw file.refused("tensor=" + name + " is missing");
        }
        return tensor;
    }

    /** A non-negative integer of any of the integer types. */
    int integer(final String key) {
        if (value(key) instanceof Long number && number >= 0 && number <= Integer.MAX_VALUE) {
            return number.intValue();
        }
        throw file.refused("key=" + key + " value=" + value(key) + " is not an integer in 0.." + Integer.MAX_VALUE);
    }

    int integer(final String key, final int otherwise) {
        return hasKey(key) ? integer(key) : otherwise;
    }

    double number(final String key) {
        final Object value = value(key);
        if (value instanceof Double || value instanceof Float || value instanceof Long) {
            return ((Number) value).doubleValue();
        }
        throw file.refused("key=" + key + " value=" + value + " is not a number");
    }

    double number(final String key, final double otherwise) {
        return hasKey(key) ? number(key) : otherwise;
    }

    boolean bool(final String key) {
        if (value(key) instanceof Boolean bool) {
            return bool;
        }
        throw file.refused("key=" + key + " value=" + value(key) + " is not a boolean");
    }

    String text(final String key) {
        if (!(value(key) instanceof Span span) || span.type != GgufValueType.STRING.code()
                || span.count > MAX_TEXT_BYTES) {
            throw file.refused("key=" + key + " value=" + value(key) + " is not a string of at most " +
                    MAX_TEXT_BYTES + " bytes");
        }
        file.moveTo(span.offset);
        return new String(file.readBytes(span.count, key), StandardCharsets.UTF_8);
    }

    /** An array of strings, each as its bytes. */
    byte[][] texts(final String key, final int maximum) {
        final byte[][] texts = new byte[moveToArray(key, GgufValueType.STRING, maximum)][];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = file.readBytes(file.readLong(key), key);
        }
        return texts;
    }

    float[] floatArray(final String key, final int maximum) {
        return file.readFloats(moveToArray(key, GgufValueType.FLOAT32, maximum), key);
    }

    int[] intArray(final String key, final int maximum) {
        final int[] numbers = new int[moveToArray(key, GgufValueType.INT32, maximum)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = file.readInt(key);
        }
        return numbers;
    }

    /** A tensor's values as fp32, row-major; all of them are finite, and as many as the shape says. */
    float[] floats(final String name, final Integer... shape) {
        final Tensor tensor = tensor(name);
        if (!tensor.shape.equals(List.of(shape))) {
            throw file.refused("tensor=" + name + " shape=" + tensor.shape + ", expected " + List.of(shape));
        }
        file.moveTo(tensor.offset);
        final int blockCount = tensor.length / tensor.type.blockBytes();
        final float[] values = switch (tensor.type) {
            case F32 -> file.readFloats(blockCount, name);
            case F16 -> readHalves(blockCount, name);
            case Q8_0 -> readBlocks(blockCount, name);
        };
        return LlamaWeights.requireFinite(file.source(), name, values);
    }

    private float[] readHalves(final int count, final String name) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = SafetensorsReader.halfToFloat(file.readShort(name));
        }
        return values;
    }

    /** Blocks of a binary16 scale and 32 signed bytes. */
    private float[] readBlocks(final int blockCount, final String name) {
        final int blockValues = GgufTensorType.Q8_0.blockValues();
        final float[] values = new float[Math.multiplyExact(blockCount, blockValues)];
        for (int first = 0; first < values.length; first += blockValues) {
            final float scale = SafetensorsReader.halfToFloat(file.readShort(name));
            for (int i = first; i < first + blockValues; i++) {
                values[i] = scale * file.readByte(name);
            }
        }
        return values;
    }

    private Object value(final String key) {
        final Object value = values.get(key);
        if (value == null) {
            throw file.refused("key=" + key + " is missing");
        }
        return value;
    }

    /** Goes to an array's first value; returns its count. */
    private int moveToArray(final String key, final GgufValueType type, final int maximum) {
        if (!(value(key) instanceof Span span) || span.type != type.arrayCode() || span.count > maximum) {
            throw file.refused("key=" + key + " value=" + value(key) + " is not an array of at most " + maximum +
                    " values of type " + type);
        }
        file.moveTo(span.offset);
        return span.count;
    }

    private int readCount(final String name, final int limit) {
        final long count = file.readLong(name);
        if (count < 0 || count > limit) {
            throw file.refused(name + "=" + Long.toUnsignedString(count) + " is above the limit of " + limit);
        }
        return (int) count;
    }

    private String readName(final String what) {
        final int start = file.position();
        final long length = file.readLong(what);
        if (length < 1 || length > MAX_NAME_BYTES) {
            throw file.refused(what + " at byte " + start + " length=" + Long.toUnsignedString(length) +
                    " is not in 1.." + MAX_NAME_BYTES);
        }
        return new String(file.readBytes(length, what), StandardCharsets.UTF_8);
    }

    private void readKey() {
        final String key = readName("key");
        final Object value = readValue(key, readType(key));
        if (values.put(key, value) != null) {
            throw file.refused("key=" + key + " is there twice");
        }
    }

    private GgufValueType readType(final String key) {
        final int code = file.readInt(key);
        final GgufValueType type = GgufValueType.of(code);
        if (type == null) {
            throw file.refused("key=" + key + " type=" + Integer.toUnsignedString(code) + " is not known");
        }
        return type;
    }

    private Object readValue(final String key, final GgufValueType type) {
        return switch (type) {
            case UINT8 -> file.readByte(key) & 0xFFL;
            case INT8 -> (long) file.readByte(key);
            case UINT16 -> file.readShort(key) & 0xFFFFL;
            case INT16 -> (long) file.readShort(key);
            case UINT32 -> file.readInt(key) & 0xFFFF_FFFFL;
            case INT32 -> (long) file.readInt(key);
            case FLOAT32 -> Float.intBitsToFloat(file.readInt(key));
            case BOOL -> readBool(key);
            case STRING -> readString(key);
            case ARRAY -> readArray(key, 1);
            case UINT64 -> unsigned(file.readLong(key));
            case INT64 -> file.readLong(key);
            case FLOAT64 -> Double.longBitsToDouble(file.readLong(key));
        };
    }

    private boolean readBool(final String key) {
        final int value = file.readByte(key);
        if (value != 0 && value != 1) {
            throw file.refused("key=" + key + " value=" + value + " is not a boolean");
        }
        return value == 1;
    }

    private static Number unsigned(final long bits) {
        return bits >= 0 ? bits : (Number) new BigInteger(Long.toUnsignedString(bits));
    }

    private Span readString(final String key) {
        final long length = file.readLong(key);
        final int offset = file.position();
        file.skip(length, "key=" + key);
        return new Span(GgufValueType.STRING.code(), (int) length, offset);
    }

    /** Walks over all values, so that none of them ends outside the file. */
    private Span readArray(final String key, final int depth) {
        if (depth > MAX_DEPTH) {
            throw file.refused("key=" + key + " holds arrays in arrays, deeper than " + MAX_DEPTH);
        }
        final GgufValueType type = readType(key);
        final long count = file.readLong(key);
        if (count < 0 || count > file.remaining()) {
            throw file.refused("key=" + key + " count=" + Long.toUnsignedString(count) +
                    " goes past the end of the file, size=" + file.size());
        }
        final int offset = file.position();
        if (type == GgufValueType.STRING) {
            for (long i = 0; i < count; i++) {
                readString(key);
            }
        } else if (type == GgufValueType.ARRAY) {
            for (long i = 0; i < count; i++) {
                readArray(key, depth + 1);
            }
        } else {
            file.skip(count * type.bytes(), "key=" + key);
        }
        return new Span(type.arrayCode(), (int) count, offset);
    }

    private RawTensor readTensor() {
        final String name = readName("tensor");
        final int rank = file.readInt(name);
        if (rank < 1 || rank > MAX_RANK) {
            throw file.refused("tensor=" + name + " rank=" + Integer.toUnsignedString(rank) +
                    " is not in 1.." + MAX_RANK);
        }
        final List<Integer> shape = new ArrayList<>();
        long valueCount = 1;
        for (int i = 0; i < rank; i++) {
            final long dimension = file.readLong(name);
            if (dimension < 1 || dimension > ModelFiles.MAX_FILE_BYTES
                    || valueCount * dimension > LlamaShape.MAX_PARAMETERS) {
                throw file.refused("tensor=" + name + " dimension " + i + "=" + Long.toUnsignedString(dimension) +
                        " makes it empty or larger than " + LlamaShape.MAX_PARAMETERS + " values");
            }
            valueCount *= dimension;
            shape.add(0, (int) dimension);
        }
        final int code = file.readInt(name);
        final GgufTensorType type = GgufTensorType.of(code);
        if (type == null) {
            throw file.refused("tensor=" + name + " type=" + GgufTensorType.describe(code) +
                    " is not supported; F32, F16 and Q8_0 are");
        }
        if (shape.get(rank - 1) % type.blockValues() != 0) {
            throw file.refused("tensor=" + name + " type=" + type + " rows of " + shape.get(rank - 1) +
                    " values are not in blocks of " + type.blockValues());
        }
        final long offset = file.readLong(name);
        return new RawTensor(name, type, List.copyOf(shape), offset,
                valueCount / type.blockValues() * type.blockBytes());
    }

    private int alignment() {
        final int alignment = integer(ALIGNMENT, DEFAULT_ALIGNMENT);
        if (Integer.bitCount(alignment) != 1 || alignment > MAX_ALIGNMENT) {
            throw file.refused("key=" + ALIGNMENT + " value=" + alignment +
                    " is not a power of two up to " + MAX_ALIGNMENT);
        }
        return alignment;
    }

    /** Lengths are below 2^31 and so is the file's, therefore no sum overflows; offsets are only compared. */
    private void place(final List<RawTensor> raw, final int alignment) {
        raw.sort(Comparator.comparingLong((RawTensor tensor) -> tensor.offset + Long.MIN_VALUE));
        final long dataStart = roundUp(file.position(), alignment);
        long position = dataStart;
        for (final RawTensor tensor : raw) {
            if (tensor.offset != position - dataStart) {
                throw file.refused("tensor=" + tensor.name + " offset=" + Long.toUnsignedString(tensor.offset) +
                        ", expected " + (position - dataStart) + " where the tensor before it ends");
            }
            if (position + tensor.length > file.size()) {
                throw file.refused("tensor=" + tensor.name + " of " + tensor.length + " bytes at byte " + position +
                        " goes past the end of the file, size=" + file.size());
            }
            final Tensor placed =
                    new Tensor(tensor.name, tensor.type, tensor.shape, (int) position, (int) tensor.length);
            if (tensors.put(tensor.name, placed) != null) {
                throw file.refused("tensor=" + tensor.name + " is there twice");
            }
            position = roundUp(position + tensor.length, alignment);
        }
        if (file.size() > position) {
            throw file.refused("tensors end at byte " + position + ", the file at " + file.size());
        }
    }

    private static long roundUp(final long position, final int alignment) {
        return (position + alignment - 1) & -alignment;
    }
}
