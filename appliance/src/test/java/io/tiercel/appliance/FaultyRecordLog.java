package io.tiercel.appliance;

import io.tiercel.appliance.journal.ChronicleRecordLog;
import io.tiercel.appliance.journal.JournalException;
import io.tiercel.appliance.journal.RecordLog;
import org.agrona.DirectBuffer;

/**
 * A real log on a bad day: it keeps its writer waiting, fails, or has the process die in the middle of an append. What
 * it took is kept in memory too, as what must be found in the files for ever after.
 */
final class FaultyRecordLog implements RecordLog {

    private final String name;
    private final ChronicleRecordLog log;
    private final MemoryRecordLog taken;
    private final boolean isWrittenThrough;
    private int stalledCalls;
    private long failingSequence = Long.MAX_VALUE;
    private long crashingSequence = Long.MAX_VALUE;
    private boolean hasCrashed;
    private boolean failsInSync;
    private boolean isSpaceLow;
    private long rolledCount;

    /** @param isWrittenThrough whether the log syncs a file before it leaves it. */
    FaultyRecordLog(
            final String name,
            final ChronicleRecordLog log,
            final MemoryRecordLog taken,
            final boolean isWrittenThrough) {
        this.name = name;
        this.log = log;
        this.taken = taken;
        this.isWrittenThrough = isWrittenThrough;
    }

    /** So many appends are told to wait. */
    void stall(final int calls) {
        stalledCalls = calls;
    }

    /** The record of this sequence fails, and all later ones; or the device fails that is to take it. */
    void failFrom(final long sequence, final boolean isInSync) {
        failingSequence = sequence;
        failsInSync = isInSync;
    }

    /** Whether there is too little space for what is not in the ring yet. */
    void lowSpace(final boolean isLow) {
        isSpaceLow = isLow;
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
        if (sequence >= failingSequence && !failsInSync) {
            throw new JournalException("simulated write error: log=" + name + " sequence=" + sequence);
        }
        if (stalledCalls > 0) {
            stalledCalls--;
            return false;
        }
        if (!log.append(sequence, ingressNs, principalId, modelVersion, frame, frameOffset, frameLength)) {
            return false;
        }
        noteRoll();
        if (sequence == crashingSequence) {
            hasCrashed = true;
            throw new SimulatedCrash(SimulationEvent.KILLS_IN_AN_APPEND,
                    "in the append of " + name + " sequence=" + sequence);
        }
        return taken.append(sequence, ingressNs, principalId, modelVersion, frame, frameOffset, frameLength);
    }

    @Override
    public int onIdle() {
        final int work = log.onIdle();
        noteRoll();
        return work;
    }

    @Override
    public void sync() {
        if (taken.size() > failingSequence) {
            throw new JournalException("simulated sync error: log=" + name + " sequence=" + (taken.size() - 1));
        }
        log.sync();
        taken.sync();
    }

    @Override
    public boolean isSpaceLow() {
        return isSpaceLow;
    }

    @Override
    public long freeBytes() {
        return isSpaceLow ? 0 : 1L << 40;
    }

    @Override
    public void close() {
        log.close();
    }

    /** A file that is left is on the device, where each batch is. */
    private void noteRoll() {
        if (log.rolledCount() > rolledCount) {
            rolledCount = log.rolledCount();
            if (isWrittenThrough) {
                taken.sync();
            }
        }
    }
}
