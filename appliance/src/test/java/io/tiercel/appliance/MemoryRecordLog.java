package io.tiercel.appliance;

import io.tiercel.appliance.journal.JournalException;
import io.tiercel.appliance.journal.RecordLog;
import org.agrona.DirectBuffer;

import java.util.ArrayList;
import java.util.List;

/** A record log in memory that can be told to stall or to fail, so that a test decides when a record is there. */
final class MemoryRecordLog implements RecordLog {

    /** One record as it was appended. */
    record Entry(long sequence, long ingressNs, long principalId, byte[] modelVersion, byte[] frame) {
    }

    private final List<Entry> entries = new ArrayList<>();
    private long stalledFrom = Long.MAX_VALUE;
    private long failingFrom = Long.MAX_VALUE;
    private int syncedCount;
    private int syncCount;
    private int failingSync = Integer.MAX_VALUE;
    private boolean isSpaceLow;
    private long freeBytes = Long.MAX_VALUE;

    @Override
    public synchronized boolean append(
            final long sequence,
            final long ingressNs,
            final long principalId,
            final DirectBuffer modelVersion,
            final DirectBuffer frame,
            final int frameOffset,
            final int frameLength) {
        if (sequence >= failingFrom) {
            throw new JournalException("memory log told to fail at sequence=" + sequence);
        }
        if (sequence >= stalledFrom) {
            return false;
        }
        final byte[] version = new byte[32];
        modelVersion.getBytes(0, version);
        final byte[] frameBytes = new byte[frameLength];
        frame.getBytes(frameOffset, frameBytes);
        entries.add(new Entry(sequence, ingressNs, principalId, version, frameBytes));
        return true;
    }

    /** Whether nothing at all can be appended now. */
    void stall(final boolean isStalled) {
        stallFrom(isStalled ? 0 : Long.MAX_VALUE);
    }

    /** Records before this sequence can be appended, this one and later ones not yet. */
    synchronized void stallFrom(final long sequence) {
        stalledFrom = sequence;
    }

    /** The record of this sequence fails, as will all later ones. */
    synchronized void failFrom(final long sequence) {
        failingFrom = sequence;
    }

    /** The sync of this number, from 0, fails. */
    synchronized void failSync(final int number) {
        failingSync = number;
    }

    /** Records that a sync has covered. */
    synchronized int syncedCount() {
        return syncedCount;
    }

    synchronized int syncCount() {
        return syncCount;
    }

    synchronized void space(final long nowFreeBytes, final boolean isLow) {
        freeBytes = nowFreeBytes;
        isSpaceLow = isLow;
    }

    /** The record of this sequence, or null if it is not there. */
    synchronized Entry find(final long sequence) {
        return sequence < entries.size() ? entries.get((int) sequence) : null;
    }

    /** The device lost what is behind the first {@code size} records. */
    synchronized void truncate(final int size) {
        if (size < entries.size()) {
            entries.subList(size, entries.size()).clear();
        }
        syncedCount = Math.min(syncedCount, size);
    }

    synchronized int size() {
        return entries.size();
    }

    synchronized List<Entry> entries() {
        return List.copyOf(entries);
    }

    @Override
    public int onIdle() {
        return 0;
    }

    @Override
    public synchronized void sync() {
        if (syncCount == failingSync) {
            throw new JournalException("memory log told to fail at sync=" + syncCount);
        }
        syncCount++;
        syncedCount = entries.size();
    }

    @Override
    public synchronized boolean isSpaceLow() {
        return isSpaceLow;
    }

    @Override
    public synchronized long freeBytes() {
        return freeBytes;
    }

    @Override
    public void close() {
    }
}
