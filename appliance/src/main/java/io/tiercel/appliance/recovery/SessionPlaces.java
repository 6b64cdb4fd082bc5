package io.tiercel.appliance.recovery;

import io.tiercel.appliance.recovery.RecoveryException.Code;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.session.SessionTable;
import io.tiercel.appliance.session.Sessions;

import java.nio.file.Path;

/**
 * Gives sessions their places, as the outcomes in the journal say: when one begins anew, and when the one unused for
 * longest has made room for it. Where there is no outcome, it is decided here, as ingress would.
 *
 * <p>With fewer places than there were, and if sessions may be evicted, those used last have one. The others are
 * lost; what the journal goes on with one of them cannot be computed, which is found out as soon as a request of a
 * session without a place is not said to begin it.
 */
final class SessionPlaces {

    private final Sessions sessions;
    private final SessionTable table;
    private final boolean evicts;
    private int lostCount;
    private boolean hasEvicted;

    SessionPlaces(final Sessions sessions, final boolean evicts) {
        this.sessions = sessions;
        table = sessions.table();
        this.evicts = evicts;
    }

    /**
     * How many sessions of a snapshot, the ones unused for longest, have no place.
     *
     * @throws RecoveryException if there are any, and none may be evicted.
     */
    int lose(final int sessionCount, final Path file) {
        final int count = Math.max(0, sessionCount - table.maxSessions());
        if (count > 0 && !evicts) {
            throw new RecoveryException(Code.SESSION_LIMIT, "limits.sessions=" + table.maxSessions() + " sessions=" +
                    sessionCount + " file=" + file);
        }
        lostCount += count;
        return count;
    }

    /**
     * Finds the session that a fork, which enters next, copies. False if there is none, and never was.
     *
     * @throws RecoveryException if it has lost its place, or would have to make room for its copy.
     */
    boolean lend(final RequestSlot slot, final long sourceKey, final long sequence) {
        slot.sourceIndex = table.find(slot.principalId, slot.modelId, sourceKey);
        if (slot.sourceIndex == SessionTable.ABSENT) {
            if (lostCount > 0 || hasEvicted) {
                throw goesOn(sequence);
            }
            return false;
        }
        if (sourceKey != slot.sessionKey && table.maxSessions() == 1) {
            throw limit(sequence, ": the journal has a copy of a session beside it");
        }
        table.use(slot.sourceIndex);
        sessions.states(slot.modelIndex).lend(slot.sourceIndex, sequence);
        return true;
    }

    /** A request that has no outcome; its session, model and principal stand in the slot. */
    void enter(final RequestSlot slot, final long sequence) {
        enter(slot, sequence, false, false);
        hasEvicted |= slot.evicts;
    }

    /** A request that has an outcome, which says these two things of it. */
    void enterAsRecorded(
            final RequestSlot slot, final long sequence, final boolean hasBegun, final boolean hasEvicted) {
        enter(slot, sequence, hasBegun, hasEvicted);
        if (slot.evicts && !hasEvicted) {
            lostCount++;
        }
    }

    private void enter(
            final RequestSlot slot, final long sequence, final boolean hasBegun, final boolean hasEvicted) {
        slot.sessionIndex = table.find(slot.principalId, slot.modelId, slot.sessionKey);
        final boolean isThere = slot.sessionIndex != SessionTable.ABSENT;
        slot.moves = isThere && table.modelIndex(slot.sessionIndex) != slot.modelIndex;
        slot.begins = hasBegun || !isThere || slot.moves;
        slot.evicts = !isThere && (table.isFull() || hasEvicted && table.size() > 0);
        if (isThere) {
            table.use(slot.sessionIndex);
        } else if (!hasBegun && lostCount > 0) {
            throw goesOn(sequence);
        } else if (!slot.evicts) {
            slot.sessionIndex = table.add(slot.principalId, slot.modelId, slot.sessionKey);
        } else if (evicts || hasEvicted) {
            slot.sessionIndex = table.replaceOldest(slot.principalId, slot.modelId, slot.sessionKey);
        } else {
            throw limit(sequence, ": the journal has more");
        }
        table.putModelIndex(slot.sessionIndex, slot.modelIndex);
        sessions.states(slot.modelIndex).use(slot.sessionIndex, sequence);
    }

    private RecoveryException goesOn(final long sequence) {
        return limit(sequence, ": the journal goes on with a session that has no place; start once with as many " +
                "as there were, and stop in order");
    }

    private RecoveryException limit(final long sequence, final String what) {
        return new RecoveryException(Code.SESSION_LIMIT, "sequence=" + sequence + " limits.sessions=" +
                table.maxSessions() + what);
    }
}
