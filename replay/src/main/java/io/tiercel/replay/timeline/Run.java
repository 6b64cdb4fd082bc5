package io.tiercel.replay.timeline;

import java.nio.file.Path;
import java.util.List;

/**
 * One run of an appliance, as it describes itself.
 *
 * @param startNs       since the epoch.
 * @param epochOffsetNs added to a time of the JVM's log gives nanoseconds since the epoch.
 * @param threads       role names of the hot threads.
 */
public record Run(Path directory, long startNs, long epochOffsetNs, List<String> threads, int inferWorkers) {

    private static final String IO = "io";
    private static final String INFER = "infer";
    private static final String JOURNAL = "journal";
    private static final String EGRESS = "egress";

    public Run {
        threads = List.copyOf(threads);
    }

    /** Whether the thread appends requests to the journal. */
    public boolean journals(final String thread) {
        return thread.equals(threads.contains(JOURNAL) ? JOURNAL : IO);
    }

    /** Whether the thread computes for that worker. */
    public boolean infers(final String thread, final int worker) {
        if (threads.contains(INFER)) {
            return thread.equals(INFER);
        }
        final String own = INFER + "-" + worker;
        return thread.equals(threads.contains(own) ? own : IO);
    }

    /** Whether the thread sends answers. */
    public boolean sends(final String thread) {
        return thread.equals(threads.contains(EGRESS) ? EGRESS : IO);
    }

    /** Whether the thread takes requests in and gives them their time of arrival. */
    public boolean takesIn(final String thread) {
        return thread.equals(IO);
    }
}
