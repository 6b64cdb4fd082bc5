package io.tiercel.protocol.client;

/**
 * Where a connection's correlation ids begin. An appliance that answers retries knows a principal's requests by their
 * ids, over all its connections and processes, so two of them must not count through the same ids: each begins
 * somewhere else in a space that is too large to meet in.
 */
final class CorrelationIds {

    /** So that counting up never reaches the end of a long. */
    private static final int SPARE_BITS = 2;

    private CorrelationIds() {
    }

    /**
     * From 1 to 2<sup>62</sup>, evenly spread.
     *
     * @param epochNs   when the connection was made: tells the processes of one host, and one after another, apart.
     * @param clientId  Aeron's, one for each Aeron client of a media driver.
     * @param sessionId of the connection's publication.
     */
    static long first(final long epochNs, final long clientId, final int sessionId) {
        return (mix(mix(mix(epochNs) + clientId) + sessionId) >>> SPARE_BITS) + 1;
    }

    /** The finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection in which every bit moves every other. */
    private static long mix(final long value) {
        long hash = value + 0x9E3779B97F4A7C15L;
        hash = (hash ^ (hash >>> 30)) * 0xBF58476D1CE4E5B9L;
        hash = (hash ^ (hash >>> 27)) * 0x94D049BB133111EBL;
        return hash ^ (hash >>> 31);
    }
}
