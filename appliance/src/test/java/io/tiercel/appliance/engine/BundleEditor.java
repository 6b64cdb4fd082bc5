package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A bundle whose tensors and manifest are changed one by one, for tests of what is refused. The bundle that comes out
 * is named {@value #NAME} and has a right checksum.
 */
public final class BundleEditor {

    public static final String NAME = "changed";

    private record Tensor(DType dtype, int[] shape, byte[] data) {
    }

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private Manifest manifest;

    public BundleEditor(final Bundle bundle) {
        manifest = bundle.manifest();
        for (final TensorInfo tensor : bundle.tensors()) {
            final int[] shape = tensor.shape().stream().mapToInt(Integer::intValue).toArray();
            tensors.put(tensor.name(),
                    new Tensor(tensor.dtype(), shape, bundle.bytes(tensor.name(), tensor.dtype(), shape)));
        }
    }

    public List<String> names() {
        return List.copyOf(tensors.keySet());
    }

    public DType dtype(final String name) {
        return tensors.get(name).dtype;
    }

    public int elementCount(final String name) {
        return tensors.get(name).data.length / tensors.get(name).dtype.bytes();
    }

    public Manifest manifest() {
        return manifest;
    }

    public BundleEditor manifest(final Manifest changed) {
        manifest = changed;
        return this;
    }

    /** The manifest with one size changed. */
    public BundleEditor size(final String name, final int size) {
        final Map<String, Integer> shape = new LinkedHashMap<>(manifest.shape());
        shape.put(name, size);
        return manifest(new Manifest(manifest.family(), shape, manifest.featureNames(), manifest.labels(),
                manifest.task(), manifest.quantisation(), manifest.cache(), manifest.graph(), manifest.provenance(),
                manifest.accuracy()));
    }

    public BundleEditor without(final String name) {
        tensors.remove(name);
        return this;
    }

    /** The tensor with its data changed in place: little-endian. */
    public BundleEditor change(final String name, final Consumer<ByteBuffer> change) {
        change.accept(data(name));
        return this;
    }

    /** All elements of an F32 tensor. */
    public BundleEditor fill(final String name, final float value) {
        for (int i = 0; i < elementCount(name); i++) {
            set(name, i, value);
        }
        return this;
    }

    public BundleEditor set(final String name, final int index, final float value) {
        data(name).putFloat(index * Float.BYTES, value);
        return this;
    }

    public float get(final String name, final int index) {
        return data(name).getFloat(index * Float.BYTES);
    }

    /** The same bytes under another type or shape. */
    public BundleEditor retype(final String name, final DType dtype, final int... shape) {
        tensors.put(name, new Tensor(dtype, shape, tensors.get(name).data));
        return this;
    }

    public BundleEditor put(final String name, final DType dtype, final byte[] data, final int... shape) {
        tensors.put(name, new Tensor(dtype, shape, data));
        return this;
    }

    public Bundle bundle() {
        final BundleWriter writer = new BundleWriter(manifest);
        tensors.forEach((name, tensor) -> writer.bytes(name, tensor.dtype, tensor.data, tensor.shape));
        return Bundle.of(Path.of(NAME), writer.toBytes());
    }

    private ByteBuffer data(final String name) {
        return ByteBuffer.wrap(tensors.get(name).data).order(ByteOrder.LITTLE_ENDIAN);
    }
}
