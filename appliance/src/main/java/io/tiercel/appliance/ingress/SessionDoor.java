package io.tiercel.appliance.ingress;

import io.tiercel.appliance.routing.Routes;
import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.appliance.sequencer.RequestSlot;
import io.tiercel.appliance.session.SessionTable;
import io.tiercel.appliance.session.Sessions;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import org.agrona.collections.Long2LongCounterMap;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * Finds the session of a request, or a place for a new one. When all places are taken, a new one is refused, or gets
 * the place of the session whose last request has the lowest sequence: no clock has a say, so which one it is follows
 * from the requests before it and the number of places.
 *
 * <p>That number is not in the journal, and what begins here would go on where there are more. So where sessions may
 * be evicted, the beginning of one is a decision, which is recorded before it is answered: also of one that finds a
 * free place, because a recovery with fewer places must not evict for it a session that has been answered since.
 *
 * <p>Ingress only. Allocates nothing.
 */
final class SessionDoor {

    private final SessionTable sessions;
    private final Routes routes;
    private final boolean evicts;
    private final int workerCount;
    private final AtomicCounter evictedCount;
    /** By principal. */
    private final Long2LongCounterMap sessionCounts = new Long2LongCounterMap(0);
    private final int[] sessionCountsByVersion;
    private int foundIndex;

    SessionDoor(
            final SessionTable sessions, final Routes routes, final boolean evicts, final int workerCount,
            final Counters counters) {
        this.sessions = sessions;
        this.routes = routes;
        this.evicts = evicts;
        this.workerCount = workerCount;
        evictedCount = counters.get(CounterId.SESSIONS_EVICTED);
        sessionCountsByVersion = new int[routes.capacity()];
        for (int index = 0; index < sessions.size(); index++) {
            sessionCounts.incrementAndGet(sessions.principalId(index));
            sessionCountsByVersion[sessions.modelIndex(index)]++;
        }
    }

    /**
     * Whether the session is there, or can get a place. Changes nothing.
     *
     * @param maxSessions of the principal: where it has as many, a new one gets no place, not even another's.
     */
    boolean admits(final long principalId, final int modelId, final long sessionKey, final int maxSessions) {
        return isThere(principalId, modelId, sessionKey) ||
                (evicts || !sessions.isFull()) && !isAtItsLimit(principalId, maxSessions);
    }

    /** A limit of its own is one below that of all: at that one, others make room, or there is none. */
    boolean isAtItsLimit(final long principalId, final int maxSessions) {
        return maxSessions < sessions.maxSessions() && sessionCounts.get(principalId) >= maxSessions;
    }

    /** Sessions of a principal. */
    long sessionCount(final long principalId) {
        return sessionCounts.get(principalId);
    }

    /** Sessions that are with a version. */
    int sessionCountOf(final int modelIndex) {
        return sessionCountsByVersion[modelIndex];
    }

    /** Finds a session that must be there to be copied; {@link SessionTable#ABSENT} if it is not. Changes nothing. */
    int findSource(final long principalId, final int modelId, final long sessionKey) {
        return sessions.find(principalId, modelId, sessionKey);
    }

    /** Whether a session that is there can be copied into one of that key: it must not have to make room for it. */
    boolean canBeCopied(final long sourceKey, final long sessionKey) {
        return sourceKey == sessionKey || sessions.maxSessions() > 1;
    }

    /** The session is copied by the request, which enters next: it was used before that one's. */
    void lend(final RequestSlot slot, final int sourceIndex) {
        slot.sourceIndex = sourceIndex;
        slot.sourceWorkerIndex = Sessions.workerOf(sessions.sessionKey(sourceIndex), workerCount);
        if (evicts) {
            sessions.use(sourceIndex);
        }
    }

    /** Whether the session is there. Changes nothing. */
    boolean isThere(final long principalId, final int modelId, final long sessionKey) {
        foundIndex = sessions.find(principalId, modelId, sessionKey);
        return foundIndex != SessionTable.ABSENT;
    }

    /**
     * Uses the session that was looked for last; a new one is given its place and a version of its model. One that is
     * with a version which is drained is given another.
     *
     * @param slot        of a request that is certain to be published: kind, principal, model and session key stand in
     *                    it, and what {@link #lend} puts there.
     * @param isContinued whether it is a part of something that the session is in the middle of.
     */
    void enter(final RequestSlot slot, final boolean isContinued) {
        final boolean isNew = foundIndex == SessionTable.ABSENT;
        slot.workerIndex = Sessions.workerOf(slot.sessionKey, workerCount);
        slot.formerWorkerIndex = slot.workerIndex;
        slot.modelIndex = versionOf(slot, isContinued);
        slot.moves = !isNew && slot.modelIndex != sessions.modelIndex(foundIndex);
        slot.begins = isNew || slot.moves;
        slot.evicts = isNew && sessions.isFull();
        slot.isBeginningDecided = isNew && evicts;
        if (isNew) {
            admit(slot);
        } else {
            slot.sessionIndex = foundIndex;
            if (evicts) {
                sessions.use(foundIndex);
            }
        }
        if (slot.begins) {
            beWith(slot);
        }
    }

    /** A copy is with the version of what it is a copy of. */
    private int versionOf(final RequestSlot slot, final boolean isContinued) {
        if (slot.kind == RequestKind.FORK) {
            return sessions.modelIndex(slot.sourceIndex);
        }
        if (foundIndex != SessionTable.ABSENT) {
            final int modelIndex = sessions.modelIndex(foundIndex);
            if (isContinued || !routes.isDrained(modelIndex)) {
                return modelIndex;
            }
        }
        return routes.choose(slot.modelId, slot.principalId, slot.sessionKey);
    }

    private void admit(final RequestSlot slot) {
        if (slot.evicts) {
            final int oldest = sessions.oldest();
            slot.formerWorkerIndex = Sessions.workerOf(sessions.sessionKey(oldest), workerCount);
            sessionCounts.decrementAndGet(sessions.principalId(oldest));
            sessionCountsByVersion[sessions.modelIndex(oldest)]--;
            slot.sessionIndex = sessions.replaceOldest(slot.principalId, slot.modelId, slot.sessionKey);
            evictedCount.incrementRelease();
        } else {
            slot.sessionIndex = sessions.add(slot.principalId, slot.modelId, slot.sessionKey);
        }
        sessionCounts.incrementAndGet(slot.principalId);
    }

    private void beWith(final RequestSlot slot) {
        if (slot.moves) {
            sessionCountsByVersion[sessions.modelIndex(slot.sessionIndex)]--;
        }
        sessionCountsByVersion[slot.modelIndex]++;
        sessions.putModelIndex(slot.sessionIndex, slot.modelIndex);
    }
}
