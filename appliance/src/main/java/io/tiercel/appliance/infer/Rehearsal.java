package io.tiercel.appliance.infer;

import io.tiercel.appliance.engine.StepBatch;
import io.tiercel.appliance.engine.UnseenSession;
import org.agrona.BitUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.NanoClock;

import java.util.ArrayList;
import java.util.List;

/**
 * Keeps models warm while nothing comes: after some time without a request, and again each time that it has passed,
 * one model makes a whole step of a session that nobody sees. Weights stay in the caches, code too, and branch
 * predictors keep what they have learnt. The states of the last {@value #RECENT} positions that were computed are read,
 * no more, so that they stay near too; states, and so every answer, stay what they are.
 *
 * <p>One object for each infer thread, called by it alone. Allocates nothing after {@link #add}. A rehearsal delays a
 * request that comes in the middle of it, so it takes at most a {@value #SHARE}th of the time: a model that needs long
 * is rehearsed less often.
 */
public final class Rehearsal {

    private static final int SHARE = 20;
    /** A power of two. */
    private static final int RECENT = 16;
    /** Of recent states that one rehearsal reads: some 0.3 µs from the second-level cache. */
    private static final int READ_BYTES = 16 << 10;

    private final long intervalNs;
    private final NanoClock clock;
    private final List<UnseenSession> sessions = new ArrayList<>();
    private int nextSession;
    private final long[] recentAddresses = new long[RECENT];
    private final int[] recentBytes = new int[RECENT];
    private int nextRecent;
    private int recentCount;
    private int readIndex;
    private int readOffset;
    /** What was read, so that it has been read for something. */
    private int readSum;
    private long dueNs;
    private boolean isScheduled;

    /**
     * @param intervalNs how long nothing must have come, and the least time between two rehearsals; 0 never rehearses.
     * @param clock      read once after each rehearsal.
     */
    public Rehearsal(final long intervalNs, final NanoClock clock) {
        this.intervalNs = intervalNs;
        this.clock = clock;
    }

    /** A session of a further model to be rehearsed; by turns, if there are several. */
    public void add(final UnseenSession session) {
        if (intervalNs > 0) {
            sessions.add(session);
        }
    }

    /**
     * Something came: the time without a request begins anew. The states of the batch, each of so many bytes, must stay
     * readable for as long as this is called.
     */
    public void onWork(final StepBatch batch, final int stateBytes) {
        isScheduled = false;
        for (int i = 0, size = batch.size(); i < size; i++) {
            recentAddresses[nextRecent] = batch.stateAddress(i);
            recentBytes[nextRecent] = stateBytes;
            nextRecent = nextRecent + 1 & RECENT - 1;
            recentCount = Math.min(recentCount + 1, RECENT);
        }
    }

    /** Nothing came. Rehearses if it is time; true if it did. */
    public boolean onIdle(final long nowNs) {
        if (sessions.isEmpty()) {
            return false;
        }
        if (!isScheduled) {
            isScheduled = true;
            dueNs = nowNs + intervalNs;
        }
        if (nowNs - dueNs < 0) {
            return false;
        }
        final UnseenSession session = sessions.get(nextSession);
        session.answer();
        session.settle();
        readRecentStates();
        nextSession = nextSession + 1 == sessions.size() ? 0 : nextSession + 1;
        final long endNs = clock.nanoTime();
        dueNs = endNs + Math.max(intervalNs, SHARE * (endNs - nowNs));
        return true;
    }

    /** A byte of each cache line, going on where the last rehearsal ended; each state once at most. */
    private void readRecentStates() {
        int sum = 0;
        for (int lines = READ_BYTES / BitUtil.CACHE_LINE_LENGTH, turns = 0; lines > 0 && turns < recentCount; lines--) {
            if (readOffset >= recentBytes[readIndex]) {
                readIndex = readIndex + 1 == recentCount ? 0 : readIndex + 1;
                readOffset = 0;
                turns++;
            } else {
                sum += UnsafeApi.getByte(recentAddresses[readIndex] + readOffset);
                readOffset += BitUtil.CACHE_LINE_LENGTH;
            }
        }
        readSum = sum;
    }
}
