package io.tiercel.appliance.session;

/**
 * Gives each session, named by (principal, model, session key), an index from 0 in the order in which they first
 * appear. The index is where {@link SessionStates} keeps the session's state, and what infer workers are sharded by.
 *
 * <p>Owned by one thread: the ingress thread of an appliance, the only thread of a replay. Looking up and adding
 * allocate nothing. Sessions are never removed; at the limit a new one gets {@link #FULL} and the table is unchanged.
 * What an index stands for never changes either, so another thread may read it of a session that it knows to be there
 * by an ordered access of its own.
 *
 * <p>Open addressing with linear probing, at most half full. An entry is 32 bytes, so a probe touches one cache line:
 * <pre>
 *   0               8               16              24      28      32
 *   +---------------+---------------+---------------+-------+-------+
 *   | principalId   | sessionKey    | index + 1     | model | unused|
 *   +---------------+---------------+---------------+-------+-------+
 *                                     0: free slot
 * </pre>
 */
public final class SessionTable {

    /** The session is new and there is no room for it. */
    public static final int FULL = -1;
    /** The session is not there. */
    public static final int UNKNOWN = -1;

    private static final int MAX_SESSIONS_LIMIT = 1 << 26;
    private static final int ENTRY_WORDS = 4;
    private static final int PRINCIPAL_WORD = 0;
    private static final int KEY_WORD = 1;
    private static final int INDEX_WORD = 2;
    private static final int MODEL_WORD = 3;

    private final long[] entries;
    private final int[] wordOfIndex;
    private final int slotMask;
    private final int maxSessions;
    private int size;

    /** @param maxSessions sessions of all models together, 1 to 67,108,864. */
    public SessionTable(final int maxSessions) {
        if (maxSessions < 1 || maxSessions > MAX_SESSIONS_LIMIT) {
            throw new IllegalArgumentException(
                    "maxSessions=" + maxSessions + " is not from 1 to " + MAX_SESSIONS_LIMIT);
        }
        final int slotCount = Math.max(2, Integer.highestOneBit(2 * maxSessions - 1) << 1);
        this.maxSessions = maxSessions;
        this.slotMask = slotCount - 1;
        this.entries = new long[Math.multiplyExact(slotCount, ENTRY_WORDS)];
        this.wordOfIndex = new int[maxSessions];
    }

    /** The session's index, or {@link #UNKNOWN}; nothing is added. */
    public int find(final long principalId, final int modelIndex, final long sessionKey) {
        final int word = wordOf(principalId, modelIndex, sessionKey);
        return (int) (entries[word + INDEX_WORD] - 1);
    }

    /** The session's index; a session not seen before is added. {@link #FULL} if it is new and there is no room. */
    public int indexOf(final long principalId, final int modelIndex, final long sessionKey) {
        final int word = wordOf(principalId, modelIndex, sessionKey);
        if (entries[word + INDEX_WORD] != 0) {
            return (int) (entries[word + INDEX_WORD] - 1);
        }
        return size == maxSessions ? FULL : put(word, principalId, modelIndex, sessionKey, size++);
    }

    /** Where the session's entry is, or would be. */
    private int wordOf(final long principalId, final int modelIndex, final long sessionKey) {
        int slot = mix(principalId, modelIndex, sessionKey) & slotMask;
        while (true) {
            final int word = slot * ENTRY_WORDS;
            final boolean isIt = entries[word + KEY_WORD] == sessionKey &&
                    entries[word + PRINCIPAL_WORD] == principalId &&
                    entries[word + MODEL_WORD] == modelIndex;
            if (isIt || entries[word + INDEX_WORD] == 0) {
                return word;
            }
            slot = (slot + 1) & slotMask;
        }
    }

    public int size() {
        return size;
    }

    /** Of the session with that index, which must be there. */
    public long principalId(final int index) {
        return entries[wordOfIndex[index] + PRINCIPAL_WORD];
    }

    /** Of the session with that index, which must be there. */
    public long sessionKey(final int index) {
        return entries[wordOfIndex[index] + KEY_WORD];
    }

    /** Of the session with that index, which must be there. */
    public int modelIndex(final int index) {
        return (int) entries[wordOfIndex[index] + MODEL_WORD];
    }

    public int maxSessions() {
        return maxSessions;
    }

    /**
     * A copy with another limit, in which every session keeps its index. For replay, which cannot know the number of
     * sessions of a journal beforehand; allocates.
     */
    public SessionTable withLimit(final int newMaxSessions) {
        if (newMaxSessions < size) {
            throw new IllegalArgumentException("maxSessions=" + newMaxSessions + " is below sessions=" + size);
        }
        final SessionTable copy = new SessionTable(newMaxSessions);
        for (int word = 0; word < entries.length; word += ENTRY_WORDS) {
            if (entries[word + INDEX_WORD] != 0) {
                copy.copyEntry(entries, word);
            }
        }
        copy.size = size;
        return copy;
    }

    private void copyEntry(final long[] source, final int sourceWord) {
        final long principalId = source[sourceWord + PRINCIPAL_WORD];
        final int modelIndex = (int) source[sourceWord + MODEL_WORD];
        final long sessionKey = source[sourceWord + KEY_WORD];
        int slot = mix(principalId, modelIndex, sessionKey) & slotMask;
        while (entries[slot * ENTRY_WORDS + INDEX_WORD] != 0) {
            slot = (slot + 1) & slotMask;
        }
        final int index = (int) (source[sourceWord + INDEX_WORD] - 1);
        put(slot * ENTRY_WORDS, principalId, modelIndex, sessionKey, index);
    }

    private int put(
            final int word, final long principalId, final int modelIndex, final long sessionKey, final int index) {
        entries[word + PRINCIPAL_WORD] = principalId;
        entries[word + KEY_WORD] = sessionKey;
        entries[word + MODEL_WORD] = modelIndex;
        entries[word + INDEX_WORD] = index + 1L;
        wordOfIndex[index] = word;
        return index;
    }

    /** Session keys are often small and consecutive, or share their low bits: the whole 64 bits go into the slot. */
    private static int mix(final long principalId, final int modelIndex, final long sessionKey) {
        long hash = (sessionKey + modelIndex) * 0x9E3779B97F4A7C15L ^ principalId;
        hash = (hash ^ (hash >>> 32)) * 0xD6E8FEB86659FD93L;
        return (int) (hash ^ (hash >>> 32));
    }
}
