package io.tiercel.tools.llama;

import java.util.Map;

/** How a GGUF file holds a tensor's values: in blocks. Types that are not here are known by name only. */
enum GgufTensorType {
    F32(0, 1, Float.BYTES), F16(1, 1, Short.BYTES), Q8_0(8, 32, Short.BYTES + 32);

    private static final Map<Integer, String> OTHERS = Map.ofEntries(
            Map.entry(2, "Q4_0"), Map.entry(3, "Q4_1"), Map.entry(6, "Q5_0"), Map.entry(7, "Q5_1"),
            Map.entry(9, "Q8_1"), Map.entry(10, "Q2_K"), Map.entry(11, "Q3_K"), Map.entry(12, "Q4_K"),
            Map.entry(13, "Q5_K"), Map.entry(14, "Q6_K"), Map.entry(15, "Q8_K"), Map.entry(16, "IQ2_XXS"),
            Map.entry(17, "IQ2_XS"), Map.entry(18, "IQ3_XXS"), Map.entry(19, "IQ1_S"), Map.entry(20, "IQ4_NL"),
            Map.entry(21, "IQ3_S"), Map.entry(22, "IQ2_S"), Map.entry(23, "IQ4_XS"), Map.entry(24, "I8"),
            Map.entry(25, "I16"), Map.entry(26, "I32"), Map.entry(27, "I64"), Map.entry(28, "F64"),
            Map.entry(29, "IQ1_M"), Map.entry(30, "BF16"), Map.entry(34, "TQ1_0"), Map.entry(35, "TQ2_0"));

    private final int code;
    private final int blockValues;
    private final int blockBytes;

    GgufTensorType(final int code, final int blockValues, final int blockBytes) {
        this.code = code;
        this.blockValues = blockValues;
        this.blockBytes = blockBytes;
    }

    /** Null if it cannot be read. */
    static GgufTensorType of(final int code) {
        for (final GgufTensorType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        return null;
    }

    /** For what is said to the user. */
    static String describe(final int code) {
        return OTHERS.getOrDefault(code, "unknown") + " (" + Integer.toUnsignedString(code) + ")";
    }

    int code() {
        return code;
    }

    int blockValues() {
        return blockValues;
    }

    int blockBytes() {
        return blockBytes;
    }
}
