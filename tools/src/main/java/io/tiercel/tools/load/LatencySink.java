package io.tiercel.tools.load;

/** Takes the latency of each answered request, on the generator's thread; must not allocate or wait. */
@FunctionalInterface
public interface LatencySink {

    /**
     * @param requestIndex place of the request in the run, from 0.
     * @param latencyNs    from the moment the request was due to its answer.
     */
    void onLatency(long requestIndex, long latencyNs);

    /** Of the same request, right after: from the moment it was sent, which a late sender leaves out. */
    default void onLatencySinceSent(final long latencyNs) {
    }
}
