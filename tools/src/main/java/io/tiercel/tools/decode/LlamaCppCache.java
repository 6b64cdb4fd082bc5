package io.tiercel.tools.decode;

import de.kherud.llama.args.CacheType;
import io.tiercel.tools.ToolException;
import java.util.Locale;

/**
 * How llama.cpp keeps keys and values. It has quantised values only with its flash attention, and with that no fp32
 * keys on a CPU: a wrong pair ends the process, so there is no way to ask for one.
 */
enum LlamaCppCache {
    /** Its fastest one where heads are small: nothing is converted. */
    F32(CacheType.F32, 1),
    /** What it has unless told otherwise. */
    F16(CacheType.F16, 1),
    /** Blocks of 32 bytes with a scale. */
    Q8_0(CacheType.Q8_0, 32),
    /** Blocks of 32 nibbles with a scale. */
    Q4_0(CacheType.Q4_0, 32);

    private final CacheType type;
    private final int blockLength;

    LlamaCppCache(final CacheType type, final int blockLength) {
        this.type = type;
        this.blockLength = blockLength;
    }

    CacheType type() {
        return type;
    }

    boolean isQuantised() {
        return blockLength > 1;
    }

    String title() {
        return type.name().toLowerCase(Locale.ROOT);
    }

    /**
     * Asked before it loads, since llama.cpp ends the process.
     *
     * @param headSize channels of a head's keys, and of its values.
     * @throws ToolException if they are no whole number of blocks.
     */
    void checkHead(final int headSize) {
        if (headSize % blockLength != 0) {
            throw ToolException.environment("llama.cpp keeps keys and values as " + title() + " in blocks of "
                    + blockLength + ", and a head of this model has channels=" + headSize);
        }
    }
}
