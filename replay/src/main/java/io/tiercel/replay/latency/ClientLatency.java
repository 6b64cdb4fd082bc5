package io.tiercel.replay.latency;

import java.util.HashSet;
import java.util.Set;
import org.HdrHistogram.Histogram;

/** What one client asked for, and how long it waited. */
public final class ClientLatency {

    private final Histogram totalNs = JournalLatency.newHistogram();
    private final Set<Long> sessions = new HashSet<>();
    private long requestCount;

    void addRequest(final int modelId, final long sessionKey) {
        requestCount++;
        sessions.add(sessionKey * 31 + modelId);
    }

    void addTotal(final long ns) {
        totalNs.recordValue(ns);
    }

    public long requestCount() {
        return requestCount;
    }

    /** Of all models together. */
    public int sessionCount() {
        return sessions.size();
    }

    public Histogram totalNs() {
        return totalNs;
    }
}
