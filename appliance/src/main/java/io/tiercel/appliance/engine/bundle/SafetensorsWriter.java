package io.tiercel.appliance.engine.bundle;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a safetensors file whose tensors each begin at a multiple of {@value #ALIGNMENT} bytes of the file, so that a
 * mapped file can be used in place.
 *
 * <p>The format allows no holes between tensors, so the alignment is made of things that it does allow: the header
 * ends in spaces, and a tensor whose length is not a multiple of {@value #ALIGNMENT} is followed by a U8 tensor of
 * zeros named {@code padding.N}. Readers that do not know the convention see a few tensors they do not need. The same
 * calls give the same bytes.
 */
public final class SafetensorsWriter {

    public static final int ALIGNMENT = 64;

    /** The beginning of the names of tensors that only fill space. */
    public static final String PADDING_PREFIX = "padding.";

    private record Entry(String name, DType dtype, int[] shape, byte[] data) {
    }

    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /** Adds a string to {@code __metadata__}. */
    public SafetensorsWriter metadata(final String key, final String value) {
        metadata.put(key, value);
        return this;
    }

    public SafetensorsWriter floats(final String name, final float[] values, final int... shape) {
        final ByteBuffer buffer = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return bytes(name, DType.F32, buffer.array(), shape);
    }

    /** Adds a tensor whose little-endian row-major bytes are {@code data}; neither array may change until written. */
    public SafetensorsWriter bytes(final String name, final DType dtype, final byte[] data, final int... shape) {
        long bytes = dtype.bytes();
        for (final int dimension : shape) {
            bytes = Math.multiplyExact(bytes, (long) dimension);
        }
        if (bytes != data.length) {
            throw new IllegalArgumentException("tensor=" + name + " needs " + bytes + " bytes, has " + data.length);
        }
        if (name.startsWith(PADDING_PREFIX) || name.equals(SafetensorsReader.METADATA)) {
            throw new IllegalArgumentException("tensor=" + name + " has a reserved name");
        }
        if (entries.putIfAbsent(name, new Entry(name, dtype, shape.clone(), data)) != null) {
            throw new IllegalArgumentException("tensor=" + name + " is there already");
        }
        return this;
    }

    /** The file. */
    public byte[] toBytes() {
        final List<Entry> padded = withPadding();
        final byte[] header = header(padded);
        final ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length).array());
        file.writeBytes(header);
        for (final Entry entry : padded) {
            file.writeBytes(entry.data());
        }
        return file.toByteArray();
    }

    private List<Entry> withPadding() {
        final List<Entry> padded = new ArrayList<>();
        int paddingIndex = 0;
        int remaining = entries.size();
        for (final Entry entry : entries.values()) {
            padded.add(entry);
            final int past = entry.data().length % ALIGNMENT;
            if (--remaining > 0 && past != 0) {
                final byte[] zeros = new byte[ALIGNMENT - past];
                padded.add(new Entry(PADDING_PREFIX + paddingIndex++, DType.U8, new int[] {zeros.length}, zeros));
            }
        }
        return padded;
    }

    private byte[] header(final List<Entry> padded) {
        final ObjectNode root = StrictJson.mapper().createObjectNode();
        if (!metadata.isEmpty()) {
            final ObjectNode strings = root.putObject(SafetensorsReader.METADATA);
            metadata.forEach(strings::put);
        }
        long position = 0;
        for (final Entry entry : padded) {
            final ObjectNode tensor = root.putObject(entry.name());
            tensor.put("dtype", entry.dtype().name());
            final ArrayNode shape = tensor.putArray("shape");
            for (final int dimension : entry.shape()) {
                shape.add(dimension);
            }
            tensor.putArray("data_offsets").add(position).add(position + entry.data().length);
            position += entry.data().length;
        }
        final String json = StrictJson.write(root);
        final int unaligned = Long.BYTES + json.getBytes(StandardCharsets.UTF_8).length;
        return (json + " ".repeat(Math.floorMod(-unaligned, ALIGNMENT))).getBytes(StandardCharsets.UTF_8);
    }
}
