package io.tiercel.appliance.engine.bundle;

import java.util.List;

/**
 * Where a tensor stands in its file. Made only by {@link SafetensorsReader}, after its checks.
 *
 * @param shape  dimensions, outermost first; empty for a scalar.
 * @param offset from the first byte of the file.
 * @param length in bytes: the product of the shape and the element's size.
 */
public record TensorInfo(String name, DType dtype, List<Integer> shape, int offset, int length) {

    public TensorInfo {
        shape = List.copyOf(shape);
    }

    public int elementCount() {
        return length / dtype.bytes();
    }
}
