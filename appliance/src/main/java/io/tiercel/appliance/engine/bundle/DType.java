package io.tiercel.appliance.engine.bundle;

/** The safetensors element types that bundles and PyTorch's exports use; a file with another is refused. */
public enum DType {
    F64(8), F32(4), F16(2), BF16(2), I64(8), I32(4), I16(2), I8(1), U8(1), BOOL(1);

    private final int bytes;

    DType(final int bytes) {
        this.bytes = bytes;
    }

    public int bytes() {
        return bytes;
    }
}
