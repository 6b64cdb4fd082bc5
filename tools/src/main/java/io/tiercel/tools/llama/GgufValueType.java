package io.tiercel.tools.llama;

/** Types of a GGUF file's values, in the order of their codes. */
enum GgufValueType {
    UINT8(1), INT8(1), UINT16(2), INT16(2), UINT32(4), INT32(4), FLOAT32(4), BOOL(1), STRING(0), ARRAY(0), UINT64(8),
    INT64(8), FLOAT64(8);

    private static final int ARRAY_FLAG = 1 << 8;

    private final int bytes;

    GgufValueType(final int bytes) {
        this.bytes = bytes;
    }

    /** Null if there is none. */
    static GgufValueType of(final int code) {
        return code >= 0 && code < values().length ? values()[code] : null;
    }

    int code() {
        return ordinal();
    }

    /** Of an array of this type: none of {@link #code}'s. */
    int arrayCode() {
        return ordinal() | ARRAY_FLAG;
    }

    /** Of a value; 0 where it varies. */
    int bytes() {
        return bytes;
    }
}
