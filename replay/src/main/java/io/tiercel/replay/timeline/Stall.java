package io.tiercel.replay.timeline;

/**
 * A long round of a hot thread.
 *
 * @param work     what the round did; 0 if it did nothing.
 * @param waitedNs of its duration, how long the thread waited for a core that others had; -1 if nobody knows.
 */
public record Stall(Run run, long startNs, long durationNs, String thread, int work, long waitedNs) {

    public long endNs() {
        return startNs + durationNs;
    }

    /** Whether most of it is the time that other threads of the system had the core. */
    public boolean isPreemption() {
        return waitedNs >= (durationNs + 1) / 2;
    }

    /** For people. */
    public String kind() {
        if (isPreemption()) {
            return "preemption";
        }
        return work == 0 ? "stall" : "long round";
    }
}
