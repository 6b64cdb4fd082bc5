package io.tiercel.appliance.engine.bundle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Puts a manifest, tensors and the checksum into one file. The same calls give the same bytes, and so version. */
public final class BundleWriter {

    private final SafetensorsWriter tensors = new SafetensorsWriter();

    public BundleWriter(final Manifest manifest) {
        tensors.metadata(BundleChecksum.METADATA_KEY, BundleChecksum.UNSET);
        tensors.metadata(Manifest.METADATA_KEY, manifest.toJson());
    }

    public BundleWriter floats(final String name, final float[] values, final int... shape) {
        tensors.floats(name, values, shape);
        return this;
    }

    public BundleWriter bytes(final String name, final DType dtype, final byte[] data, final int... shape) {
        tensors.bytes(name, dtype, data, shape);
        return this;
    }

    public byte[] toBytes() {
        final byte[] file = tensors.toBytes();
        BundleChecksum.put(file);
        return file;
    }

    /** Writes beside {@code path} and then moves into place, so that nobody sees half a bundle. */
    public void write(final Path path) throws IOException {
        final Path absolute = path.toAbsolutePath();
        final Path partial = absolute.resolveSibling(absolute.getFileName() + ".partial");
        Files.createDirectories(absolute.getParent());
        try {
            Files.write(partial, toBytes());
            Files.move(partial, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(partial);
        }
    }
}
