package io.tiercel.replay.trace;

/**
 * A line of the picture. The format calls it a thread of a process; Perfetto names threads by their ids alone, so no
 * two processes may have the same ones. A process has one track of its own.
 */
record Track(int processId, int threadId) {

    private static final int THREADS_PER_PROCESS = 100_000_000;

    /** @param number from 1 on; lower ones are shown first. */
    static Track of(final int processId, final int number) {
        return new Track(processId, processId * THREADS_PER_PROCESS + number);
    }

    /** The process's own. */
    static Track of(final int processId) {
        return new Track(processId, processId);
    }
}
