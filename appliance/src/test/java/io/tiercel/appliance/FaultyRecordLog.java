package io.tiercel.appliance;

import io.tiercel.appliance.journal.JournalException;
import io.tiercel.appliance.journal.RecordLog;
import org.agrona.DirectBuffer;

/**
 * A real log on a bad day: it keeps its writer waiting, fails, or has the process die in the middle of an append. What
 * it took is kept in memory too, as what must be found in the files for ever after.
 */
final class FaultyRecordLog implements RecordLog {

    private final RecordLog log;
    private final MemoryRecordLog taken;
    private final String name;
    private int stalledCalls;
    private long failingSequence = Long.MAX_VALUE;
    private long crashingSequence = Long.MAX_VALUE;
    private boolean hasCrashed;

    FaultyRecordLog(final String name, final RecordLog log, final MemoryRecordLog taken) {
        this.name = name;
        this.log = log;
        this.taken = taken;
    }

    /** So many appends are told to wait. */
    void stall(final int calls) {
        stalledCalls = calls;
    }

    /** The record of this sequence fails, and all later ones. */
    void failFrom(final long sequence) {
        failingSequence = sequence;
    }

    /** The process dies while it appends the record of this sequence: nobody has been told that it is there. */
    void crashAt(final long sequence) {
        crashingSequence = sequence;
    }

    /** Whether the process died here, with a record that is in the files or is not. */
    boolean hasCrashed() {
        return hasCrashed;
    }

    @Override
    public boolean append(
            final long sequence,
            final long ingressNs,
            final long principalId,
            final DirectBuffer modelVersion,
            final DirectBuffer frame,
            final int frameOffset,
            final int frameLength) {
        if (sequence >= failingSequence) {
            throw new JournalException("simulated write error: log=" + name + " sequence=" + sequence);
        }
        if (stalledCalls > 0) {
            stalledCalls--;
            return false;
        }
        if (!log.append(sequence, ingressNs, principalId, modelVersion, frame, frameOffset, frameLength)) {
            return false;
        }
        if (sequence == crashingSequence) {
            hasCrashed = true;
            throw new SimulatedCrash("in the append of " + name + " sequence=" + sequence);
        }
        return taken.append(sequence, ingressNs, principalId, modelVersion, frame, frameOffset, frameLength);
    }

    @Override
    public int onIdle() {
        return log.onIdle();
    }

    @Override
    public void sync() {
        log.sync();
    }

    @Override
    public void close() {
        log.close();
    }
}
