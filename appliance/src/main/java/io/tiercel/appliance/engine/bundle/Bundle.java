package io.tiercel.appliance.engine.bundle;

import io.tiercel.protocol.Sha256;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * A model bundle, opened and verified: a safetensors file with a {@link Manifest} and a checksum. Its version is the
 * SHA-256 of the file. Immutable; holds the whole file in memory until it is dropped.
 *
 * <p>Tensors come out as arrays on the heap, checked for the shape that the caller expects; {@code float} tensors are
 * checked to be finite, so that no NaN can enter the arithmetic from a file.
 */
public final class Bundle {

    private final Path path;
    private final byte[] version;
    private final Manifest manifest;
    private final SafetensorsReader tensors;

    private Bundle(final Path path, final byte[] bytes) {
        this.path = path;
        tensors = SafetensorsReader.of(path.toString(), bytes);
        BundleChecksum.verify(tensors, bytes);
        final String json = tensors.metadata().get(Manifest.METADATA_KEY);
        if (json == null) {
            throw new BundleException(path + ": " + SafetensorsReader.METADATA + " key=" + Manifest.METADATA_KEY +
                    " is missing: not a bundle");
        }
        manifest = Manifest.fromJson(path.toString(), json);
        version = Sha256.of(bytes);
    }

    /**
     * Reads and verifies a whole file.
     *
     * @throws BundleException naming the file, the tensor or key, and the value that is wrong.
     */
    public static Bundle open(final Path path) {
        return new Bundle(path, SafetensorsReader.readFile(path));
    }

    /** Verifies a file that is in memory already; the bytes are not copied and must not change. */
    public static Bundle of(final Path path, final byte[] bytes) {
        return new Bundle(path, bytes);
    }

    public Path path() {
        return path;
    }

    /** The SHA-256 of the file: 32 bytes, a copy. */
    public byte[] version() {
        return version.clone();
    }

    public String versionHex() {
        return HexFormat.of().formatHex(version);
    }

    public Manifest manifest() {
        return manifest;
    }

    /** A size of the family from the manifest, in 1..{@code limit}. */
    public int size(final String name, final int limit) {
        return size(name, 1, limit);
    }

    /** A size of the family from the manifest, in {@code least..limit}. */
    public int size(final String name, final int least, final int limit) {
        final Integer size = manifest.shape().get(name);
        if (size == null || size < least || size > limit) {
            throw new BundleException(path + ": manifest key=shape." + name + " value=" + size + " is not in " +
                    least + ".." + limit);
        }
        return size;
    }

    /** All tensors but the padding, in the order of their data. */
    public List<TensorInfo> tensors() {
        return tensors.tensors().stream()
                .filter(tensor -> !tensor.name().startsWith(SafetensorsWriter.PADDING_PREFIX))
                .toList();
    }

    public boolean has(final String name) {
        return tensors.has(name);
    }

    /** A copy of an F32 tensor of this shape, every element finite. */
    public float[] floats(final String name, final int... shape) {
        checkShape(name, DType.F32, shape);
        final float[] values = tensors.floats(name);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new BundleException(path + ": tensor=" + name + " index=" + i + " value=" + values[i] +
                        " is not finite");
            }
        }
        return values;
    }

    /** As {@link #floats}, every element also above zero: scales. */
    public float[] positiveFloats(final String name, final int... shape) {
        final float[] values = floats(name, shape);
        for (int i = 0; i < values.length; i++) {
            if (values[i] <= 0) {
                throw new BundleException(path + ": tensor=" + name + " index=" + i + " value=" + values[i] +
                        " is not above zero");
            }
        }
        return values;
    }

    /**
     * How the numbers of an exact family are held.
     *
     * @throws BundleException if the manifest has a graph instead.
     */
    public Manifest.Quantisation quantisation() {
        if (manifest.quantisation() == null) {
            throw new BundleException(
                    path + ": manifest has key=graph, and not key=quantisation as family=" + manifest.family()
                            + " needs");
        }
        return manifest.quantisation();
    }

    /** A copy of a U8 tensor of one dimension and at least one byte, as long as it may be: a file within this one. */
    public byte[] content(final String name) {
        final TensorInfo tensor = tensors.tensor(name);
        if (tensor.dtype() != DType.U8 || tensor.shape().size() != 1 || tensor.length() == 0) {
            throw new BundleException(path + ": tensor=" + name + " is " + tensor.dtype() + tensor.shape() +
                    ", expected U8 of one dimension, not empty");
        }
        return tensors.bytes(name);
    }

    /** A copy of the bytes of an I8 or U8 tensor of this shape, row-major. */
    public byte[] bytes(final String name, final DType dtype, final int... shape) {
        checkShape(name, dtype, shape);
        return tensors.bytes(name);
    }

    /** A copy of an I16 tensor of this shape, row-major. */
    public short[] shorts(final String name, final int... shape) {
        final ByteBuffer bytes = littleEndian(name, DType.I16, shape);
        final short[] values = new short[bytes.capacity() / Short.BYTES];
        bytes.asShortBuffer().get(values);
        return values;
    }

    /** A copy of an I32 tensor of this shape, row-major. */
    public int[] integers(final String name, final int... shape) {
        final ByteBuffer bytes = littleEndian(name, DType.I32, shape);
        final int[] values = new int[bytes.capacity() / Integer.BYTES];
        bytes.asIntBuffer().get(values);
        return values;
    }

    /** A copy of an I64 tensor of this shape, row-major. */
    public long[] longs(final String name, final int... shape) {
        final ByteBuffer bytes = littleEndian(name, DType.I64, shape);
        final long[] values = new long[bytes.capacity() / Long.BYTES];
        bytes.asLongBuffer().get(values);
        return values;
    }

    private ByteBuffer littleEndian(final String name, final DType dtype, final int... shape) {
        checkShape(name, dtype, shape);
        return ByteBuffer.wrap(tensors.bytes(name)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void checkShape(final String name, final DType dtype, final int... shape) {
        final TensorInfo tensor = tensors.tensor(name);
        final List<Integer> expected = Arrays.stream(shape).boxed().toList();
        if (tensor.dtype() != dtype || !tensor.shape().equals(expected)) {
            throw new BundleException(path + ": tensor=" + name + " is " + tensor.dtype() + tensor.shape() +
                    ", expected " + dtype + expected);
        }
    }
}
