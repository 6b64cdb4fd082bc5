package io.tiercel.replay;

import io.tiercel.appliance.session.SessionStates;
import io.tiercel.appliance.snapshot.SnapshotReader;
import java.nio.file.Path;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The first bit in which a snapshot is not what the journal comes to.
 *
 * @param principalId as in the records; 0 where no session is meant.
 * @param field       {@code stateHash}, {@code state[OFFSET]} of the canonical state, {@code session} if the journal
 *                    has no such session, {@code sessionCount} if it has more of them; of an answer that is kept for
 *                    retries, {@code answers[SEQUENCE].FIELD}, or without a field if the journal has no such answer.
 * @param expected    in the snapshot.
 * @param actual      computed again, or of an answer, as the journal has it.
 */
public record SnapshotDifference(
        Path file,
        long sequence,
        long principalId,
        long sessionKey,
        int modelIndex,
        String field,
        String expected,
        String actual) {

    /** Compares the snapshot's current session with one that was computed. @return null if they are the same. */
    static SnapshotDifference find(final SnapshotReader snapshot, final SessionStates states, final int slot) {
        if (!states.isInitialised(slot)) {
            return of(snapshot, "session", "there", "not in the journal");
        }
        final int offset = mismatch(snapshot.state(), states, slot);
        if (offset >= 0) {
            return of(snapshot, "state[" + offset + "]", hex(snapshot.state().getByte(offset)),
                    hex(computed(states, slot).getByte(offset)));
        }
        return snapshot.stateHash() == states.hash(slot)
                ? null
                : of(snapshot, "stateHash",
                        "0x" + Long.toHexString(snapshot.stateHash()), "0x" + Long.toHexString(states.hash(slot)));
    }

    static SnapshotDifference ofCounts(final SnapshotReader snapshot, final int computedCount) {
        return new SnapshotDifference(snapshot.file(), snapshot.sequence(), 0, 0, 0, "sessionCount",
                Integer.toString(snapshot.sessionCount()), Integer.toString(computedCount));
    }

    @Override
    public String toString() {
        return "file=" + file + " sequence=" + sequence +
                " session=" + String.format("%016x", principalId) + "/" + sessionKey + " modelIndex=" + modelIndex +
                " field=" + field + " snapshot=" + expected + " computed=" + actual;
    }

    private static SnapshotDifference of(
            final SnapshotReader snapshot, final String field, final String expected, final String actual) {
        return new SnapshotDifference(snapshot.file(), snapshot.sequence(), snapshot.principalId(),
                snapshot.sessionKey(), snapshot.modelIndex(), field, expected, actual);
    }

    private static int mismatch(final DirectBuffer state, final SessionStates states, final int slot) {
        final DirectBuffer computed = computed(states, slot);
        for (int offset = 0; offset < computed.capacity(); offset++) {
            if (computed.getByte(offset) != state.getByte(offset)) {
                return offset;
            }
        }
        return -1;
    }

    private static DirectBuffer computed(final SessionStates states, final int slot) {
        return new UnsafeBuffer(states.canonicalState(slot));
    }

    private static String hex(final byte value) {
        return String.format("0x%02x", value);
    }
}
