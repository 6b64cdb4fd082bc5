package io.tiercel.replay.tail;

/**
 * Why a request took longer than the median one, in the order of precedence: where two causes lie over the same
 * nanosecond of a request, the first one gets it.
 */
public enum Cause {
    /** A request of its model, steps and kind takes longer to compute than the median one of all. */
    WORK("its own work"),
    /** The JVM had stopped all threads for its garbage collector. */
    COLLECTION("garbage collection"),
    /** The JVM had stopped all threads for something else. */
    SAFEPOINT("JVM pause"),
    /** The journal went on to its next file. */
    ROLL("journal roll"),
    /** The sessions were being copied for a snapshot. */
    SNAPSHOT("snapshot"),
    /** The thread waited for a core that other threads of the system had. */
    PREEMPTION("preemption"),
    /** The thread had nothing to do and lost time all the same: an interrupt, the hypervisor. */
    STALL("stall"),
    /** A round of the thread took far longer than its work does, and no other thread is known to have had the core. */
    LONG_ROUND("long round"),
    /** It was computed together with others, which takes longer. */
    BATCH("batch"),
    /** It waited behind a request whose own work is long. */
    LONG_BEFORE("long request before it"),
    /** It waited behind others, which took no longer than they do. */
    QUEUE("queue"),
    /** It came after a long time without a request, when nothing was warm any more; a guess by the gap alone. */
    QUIET("quiet before it"),
    UNEXPLAINED_JOURNAL("unexplained, in journal"),
    UNEXPLAINED_WAITING("unexplained, waiting"),
    UNEXPLAINED_COMPUTE("unexplained, in compute"),
    UNEXPLAINED_EGRESS("unexplained, in egress");

    static final int COUNT = values().length;

    private final String words;

    Cause(final String words) {
        this.words = words;
    }

    /** For people. */
    public String words() {
        return words;
    }

    public boolean isUnexplained() {
        return ordinal() >= UNEXPLAINED_JOURNAL.ordinal();
    }

    /** What it is for a request that had to wait behind the one that it delayed. */
    Cause inherited() {
        return switch (this) {
            case WORK -> LONG_BEFORE;
            case BATCH -> QUEUE;
            default -> this;
        };
    }
}
