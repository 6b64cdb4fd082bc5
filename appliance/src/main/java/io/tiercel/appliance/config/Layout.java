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
    /** Input, journal, egress, outcome, media driver. */
    private static final int DEDICATED_OTHER_THREADS = 5;

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

    /** Hot threads, the media driver's included: each wants a core of its own. Not of {@link #AUTO}. */
    public int threadCount(final int inferWorkers) {
        return switch (this) {
            case COMPACT -> 1;
            case PAIRED -> 2;
            case DEDICATED -> DEDICATED_OTHER_THREADS + inferWorkers;
            case AUTO -> throw new IllegalStateException("layout=auto is resolved by the configuration");
        };
    }
}
