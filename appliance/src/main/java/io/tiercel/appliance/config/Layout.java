package io.tiercel.appliance.config;

/** How the stages of the pipeline are put on threads. The answers are the same in each, bit for bit. */
public enum Layout {

    /** Chosen by the number of cores when the context is concluded. */
    AUTO,

    /** One duty-cycle thread runs the media driver and every stage. */
    COMPACT,

    /** One thread for input and output, one for inference. */
    PAIRED,

    /** A thread for each stage, sessions sharded over the infer workers. */
    DEDICATED;

    private static final int PAIRED_MIN_CORE_COUNT = 4;
    private static final int DEDICATED_MIN_CORE_COUNT = 8;

    /** This layout, or for {@link #AUTO} the one that spins no more threads than the machine can spare. */
    public Layout resolve(final int coreCount) {
        if (this != AUTO) {
            return this;
        }
        if (coreCount >= DEDICATED_MIN_CORE_COUNT) {
            return DEDICATED;
        }
        return coreCount >= PAIRED_MIN_CORE_COUNT ? PAIRED : COMPACT;
    }
}
