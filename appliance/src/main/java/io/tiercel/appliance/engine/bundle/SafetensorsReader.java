package io.tiercel.appliance.engine.bundle;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a safetensors file, whole, into memory.
 *
 * <pre>
 *   0               8                          8+N                                  end
 *   +---------------+--------------------------+------------------------------------+
 *   | N, uint64 LE  | header: JSON, N bytes    | data: the tensors, back to back    |
 *   +---------------+--------------------------+------------------------------------+
 *   {"__metadata__": {"key": "value", …},
 *    "name": {"dtype": "F32", "shape": [4, 3], "data_offsets": [begin, end]}, …}       offsets from 8+N
 * </pre>
 *
 * <p>The file may be hostile: every length is compared with what is there before it is used, in 64-bit arithmetic that
 * cannot overflow. As the format demands, each tensor begins where the one before it ends and the last ends with the
 * file, so there are no overlaps and no hidden bytes. Anything else is a {@link BundleException} with the file, the
 * tensor and the value.
 */
public final class SafetensorsReader {

    /** Files above this are refused before they are read. */
    public static final long MAX_FILE_BYTES = 1L << 30;
    public static final int MAX_HEADER_LENGTH = 1 << 20;
    public static final int MAX_TENSORS = 4096;
    public static final int MAX_RANK = 8;

    static final int LENGTH_BYTES = Long.BYTES;
    static final String METADATA = "__metadata__";

    private final String source;
    private final ByteBuffer file;
    private final int headerLength;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();

    private SafetensorsReader(final String source, final byte[] bytes) {
        this.source = source;
        this.file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        this.headerLength = readHeaderLength();
        readHeader(parseHeader());
    }

    /** Reads and checks a file. */
    public static SafetensorsReader open(final Path path) {
        return of(path.toString(), readFile(path));
    }

    /** Checks a file that is in memory already; the bytes are not copied and must not change. */
    public static SafetensorsReader of(final String source, final byte[] bytes) {
        return new SafetensorsReader(source, bytes);
    }

    static byte[] readFile(final Path path) {
        try {
            final long size = Files.size(path);
            if (size > MAX_FILE_BYTES) {
                throw new BundleException(path + ": file size=" + size + " is above the limit of " + MAX_FILE_BYTES);
            }
            return Files.readAllBytes(path);
        } catch (final NoSuchFileException ex) {
            throw new BundleException(path + ": cannot be read: no such file", ex);
        } catch (final IOException ex) {
            throw new BundleException(path + ": cannot be read: " + ex, ex);
        }
    }

    public String source() {
        return source;
    }

    /** The {@code __metadata__} strings, in the file's order. */
    public Map<String, String> metadata() {
        return Map.copyOf(metadata);
    }

    /** All tensors, in the order of their data. */
    public List<TensorInfo> tensors() {
        return List.copyOf(tensors.values());
    }

    public boolean has(final String name) {
        return tensors.containsKey(name);
    }

    public TensorInfo tensor(final String name) {
        final TensorInfo tensor = tensors.get(name);
        if (tensor == null) {
            throw new BundleException(source + ": tensor=" + name + " is missing");
        }
        return tensor;
    }

    /** A copy of an F32, F16 or BF16 tensor's elements, row-major; the narrow types are widened, which is exact. */
    public float[] floats(final String name) {
        final TensorInfo tensor = tensor(name);
        final float[] values = new float[tensor.elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (tensor.dtype()) {
                case F32 -> file.getFloat(tensor.offset() + i * Float.BYTES);
                case F16 -> halfToFloat(file.getShort(tensor.offset() + i * Short.BYTES));
                case BF16 -> Float.intBitsToFloat(file.getShort(tensor.offset() + i * Short.BYTES) << 16);
                default -> throw new BundleException(
                        source + ": tensor=" + name + " dtype=" + tensor.dtype() + " where floats are needed");
            };
        }
        return values;
    }

    /** A copy of a tensor's bytes, as they stand in the file. */
    public byte[] bytes(final String name) {
        final TensorInfo tensor = tensor(name);
        final byte[] bytes = new byte[tensor.length()];
        file.get(tensor.offset(), bytes);
        return bytes;
    }

    /** A binary16 widened to binary32, exactly: subnormals are a 24-bit integer times 2^-24. */
    public static float halfToFloat(final short half) {
        final int sign = (half & 0x8000) << 16;
        final int exponent = (half >>> 10) & 0x1F;
        final int fraction = half & 0x3FF;
        if (exponent == 0) {
            final float magnitude = fraction * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        final int widened = exponent == 0x1F ? 0xFF : exponent + 127 - 15;
        return Float.intBitsToFloat(sign | (widened << 23) | (fraction << 13));
    }

    private int readHeaderLength() {
        final int size = file.capacity();
        if (size < LENGTH_BYTES) {
            throw new BundleException(source + ": file size=" + size + " is too short for a safetensors file");
        }
        final long length = file.getLong(0);
        if (length < 2 || length > MAX_HEADER_LENGTH) {
            throw new BundleException(source + ": header length=" + Long.toUnsignedString(length) +
                    " is not in 2.." + MAX_HEADER_LENGTH);
        }
        if (length > size - LENGTH_BYTES) {
            throw new BundleException(source + ": header length=" + length +
                    " goes past the end of the file, size=" + size);
        }
        return (int) length;
    }

    private JsonNode parseHeader() {
        final String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(file.array(), LENGTH_BYTES, headerLength))
                    .toString();
        } catch (final CharacterCodingException ex) {
            throw new BundleException(source + ": header is not UTF-8", ex);
        }
        if (text.charAt(0) != '{') {
            throw new BundleException(source + ": header does not begin with '{'");
        }
        try {
            return StrictJson.parse(text);
        } catch (final JsonProcessingException ex) {
            throw new BundleException(source + ": header is not valid JSON: " + ex.getOriginalMessage(), ex);
        }
    }

    private void readHeader(final JsonNode header) {
        final List<TensorInfo> found = new ArrayList<>();
        for (final Map.Entry<String, JsonNode> entry : header.properties()) {
            if (METADATA.equals(entry.getKey())) {
                readMetadata(entry.getValue());
            } else {
                found.add(readTensor(entry.getKey(), entry.getValue()));
            }
        }
        if (found.size() > MAX_TENSORS) {
            throw new BundleException(source + ": tensors=" + found.size() + " is above the limit of " + MAX_TENSORS);
        }
        found.sort(Comparator.comparingInt(TensorInfo::offset).thenComparingInt(TensorInfo::length));
        int position = LENGTH_BYTES + headerLength;
        for (final TensorInfo tensor : found) {
            if (tensor.offset() != position) {
                throw new BundleException(source + ": tensor=" + tensor.name() + " begins at byte " + tensor.offset() +
                        ", the tensor before it ends at " + position);
            }
            position += tensor.length();
            tensors.put(tensor.name(), tensor);
        }
        if (position != file.capacity()) {
            throw new BundleException(source + ": tensors end at byte " + position + ", the file at " +
                    file.capacity());
        }
    }

    private void readMetadata(final JsonNode node) {
        if (!node.isObject()) {
            throw new BundleException(source + ": " + METADATA + " is not an object");
        }
        for (final Map.Entry<String, JsonNode> entry : node.properties()) {
            if (!entry.getValue().isTextual()) {
                throw new BundleException(source + ": " + METADATA + " key=" + entry.getKey() + " is not a string");
            }
            metadata.put(entry.getKey(), entry.getValue().textValue());
        }
    }

    private TensorInfo readTensor(final String name, final JsonNode node) {
        if (!node.isObject() || node.size() != 3) {
            throw new BundleException(source + ": tensor=" + name + " does not have dtype, shape and data_offsets");
        }
        final DType dtype = readDType(name, node.path("dtype"));
        final List<Integer> shape = new ArrayList<>();
        final long bytes = readShape(name, node.path("shape"), dtype, shape);
        final JsonNode offsets = node.path("data_offsets");
        if (!offsets.isArray() || offsets.size() != 2) {
            throw new BundleException(source + ": tensor=" + name + " data_offsets=" + offsets + " is not a pair");
        }
        final long dataLength = file.capacity() - LENGTH_BYTES - headerLength;
        final long begin = readInteger(name, "data_offsets", offsets.get(0), dataLength);
        final long end = readInteger(name, "data_offsets", offsets.get(1), dataLength);
        if (end - begin != bytes) {
            throw new BundleException(source + ": tensor=" + name + " data_offsets=" + offsets + " hold " +
                    (end - begin) + " bytes, its shape " + shape + " of " + dtype + " needs " + bytes);
        }
        return new TensorInfo(name, dtype, shape, (int) (LENGTH_BYTES + headerLength + begin), (int) bytes);
    }

    private DType readDType(final String name, final JsonNode node) {
        for (final DType dtype : DType.values()) {
            if (node.isTextual() && dtype.name().equals(node.textValue())) {
                return dtype;
            }
        }
        throw new BundleException(source + ": tensor=" + name + " dtype=" + node + " is not supported");
    }

    /** Fills {@code shape}; returns the tensor's bytes, at most {@link #MAX_FILE_BYTES}, so it cannot overflow. */
    private long readShape(final String name, final JsonNode node, final DType dtype, final List<Integer> shape) {
        if (!node.isArray() || node.size() > MAX_RANK) {
            throw new BundleException(source + ": tensor=" + name + " shape=" + node +
                    " is not an array of at most " + MAX_RANK + " dimensions");
        }
        long bytes = dtype.bytes();
        for (final JsonNode dimension : node) {
            final long count = readInteger(name, "shape", dimension, MAX_FILE_BYTES);
            bytes *= count;
            if (bytes > MAX_FILE_BYTES) {
                throw new BundleException(source + ": tensor=" + name + " shape=" + node +
                        " needs more than " + MAX_FILE_BYTES + " bytes");
            }
            shape.add((int) count);
        }
        return bytes;
    }

    private long readInteger(final String name, final String key, final JsonNode node, final long limit) {
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < 0 || node.longValue() > limit) {
            throw new BundleException(source + ": tensor=" + name + " " + key + "=" + node +
                    " is not an integer in 0.." + limit);
        }
        return node.longValue();
    }
}
