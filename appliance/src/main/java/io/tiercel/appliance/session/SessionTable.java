package io.tiercel.appliance.session;

/**
 * Gives each session, named by (principal, model, session key), an index from 0 in the order in which they first
 * appear. The index is where {@link SessionStates} keeps the session's state. Knows in which order the sessions were
 * used last, as far as it is told of it, and gives the place of the one unused for longest to another.
 *
 * <p>A model in a session's name is what a client asks for: an alias' handle. Which of its versions the session is
 * with stands beside the name and may change: {@link #putModelIndex}.
 *
 * <p>Owned by one thread, at a time: recovery's, then the ingress thread of an appliance; the only thread of a replay.
 * What an index stands for changes when another session takes the place, so no other thread may ask. Everything but
 * {@link #withLimit} allocates nothing.
 *
 * <p>Open addressing with linear probing, at most half full; what is taken out leaves no mark, what has come behind it
 * moves up. An entry is 32 bytes, so a probe touches one cache line:
 * <pre>
 *   0               8               16              24      28      32
 *   +---------------+---------------+---------------+-------+-------+
 *   | principalId   | sessionKey    | index + 1     |modelId|version|
 *   +---------------+---------------+---------------+-------+-------+
 *                                     0: free slot
 * </pre>
 */
public final class SessionTable {

    /** The session is new and there is no room for it. */
    public static final int FULL = -1;
    /** There is no such session. */
    public static final int ABSENT = -1;

    private static final int MAX_SESSIONS_LIMIT = 1 << 26;
    private static final int ENTRY_WORDS = 4;
    private static final int PRINCIPAL_WORD = 0;
    private static final int KEY_WORD = 1;
    private static final int INDEX_WORD = 2;
    private static final int MODEL_WORD = 3;
    private static final long LOW_HALF = 0xFFFF_FFFFL;

    private final long[] entries;
    private final int[] wordOfIndex;
    /** A ring through all indices in the order of last use; {@code maxSessions} stands between newest and oldest. */
    private final int[] newerIndex;
    private final int[] olderIndex;
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
        this.newerIndex = new int[maxSessions + 1];
        this.olderIndex = new int[maxSessions + 1];
        newerIndex[maxSessions] = maxSessions;
        olderIndex[maxSessions] = maxSessions;
    }

    /** The session's index; a session not seen before is added. {@link #FULL} if it is new and there is no room. */
    public int indexOf(final long principalId, final int modelId, final long sessionKey) {
        final int index = find(principalId, modelId, sessionKey);
        return index == ABSENT ? add(principalId, modelId, sessionKey) : index;
    }

    /** The session's index, or {@link #ABSENT}. */
    public int find(final long principalId, final int modelId, final long sessionKey) {
        return (int) (entries[wordOf(principalId, modelId, sessionKey) + INDEX_WORD] - 1);
    }

    /** Adds a session that is not there, as the one used last; {@link #FULL} if there is no room. */
    public int add(final long principalId, final int modelId, final long sessionKey) {
        if (isFull()) {
            return FULL;
        }
        final int index = size++;
        put(index, principalId, modelId, sessionKey);
        append(index);
        return index;
    }

    public boolean isFull() {
        return size == maxSessions;
    }

    /** The session is the one used last. */
    public void use(final int index) {
        if (newerIndex[index] != maxSessions) {
            newerIndex[olderIndex[index]] = newerIndex[index];
            olderIndex[newerIndex[index]] = olderIndex[index];
            append(index);
        }
    }

    /** The session that has not been used for longest. There must be one. */
    public int oldest() {
        return newerIndex[maxSessions];
    }

    /** A session that is not there gets the place, and so the index, of {@link #oldest()}, full or not. */
    public int replaceOldest(final long principalId, final int modelId, final long sessionKey) {
        final int index = oldest();
        remove(wordOfIndex[index] / ENTRY_WORDS);
        put(index, principalId, modelId, sessionKey);
        use(index);
        return index;
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
    public int modelId(final int index) {
        return (int) entries[wordOfIndex[index] + MODEL_WORD];
    }

    /** Which version of its model the session with that index, which must be there, was last said to be with. */
    public int modelIndex(final int index) {
        return (int) (entries[wordOfIndex[index] + MODEL_WORD] >>> Integer.SIZE);
    }

    /** The session with that index, which must be there, is with that version of its model from here on. */
    public void putModelIndex(final int index, final int modelIndex) {
        final int word = wordOfIndex[index] + MODEL_WORD;
        entries[word] = (long) modelIndex << Integer.SIZE | entries[word] & LOW_HALF;
    }

    public int maxSessions() {
        return maxSessions;
    }

    /**
     * A copy with another limit, in which every session keeps its index, and the order of last use is the same. For
     * replay, which cannot know the number of sessions of a journal beforehand; allocates.
     */
    public SessionTable withLimit(final int newMaxSessions) {
        if (newMaxSessions < size) {
            throw new IllegalArgumentException("maxSessions=" + newMaxSessions + " is below sessions=" + size);
        }
        final SessionTable copy = new SessionTable(newMaxSessions);
        for (int index = oldest(); index != maxSessions; index = newerIndex[index]) {
            copy.put(index, principalId(index), modelId(index), sessionKey(index));
            copy.putModelIndex(index, modelIndex(index));
            copy.append(index);
        }
        copy.size = size;
        return copy;
    }

    /** Where the session's entry is, or the free one where it would be. */
    private int wordOf(final long principalId, final int modelId, final long sessionKey) {
        int slot = mix(principalId, modelId, sessionKey) & slotMask;
        while (true) {
            final int word = slot * ENTRY_WORDS;
            if (entries[word + INDEX_WORD] == 0 ||
                    entries[word + KEY_WORD] == sessionKey &&
                            entries[word + PRINCIPAL_WORD] == principalId &&
                            (int) entries[word + MODEL_WORD] == modelId) {
                return word;
            }
            slot = (slot + 1) & slotMask;
        }
    }

    private void put(final int index, final long principalId, final int modelId, final long sessionKey) {
        final int word = wordOf(principalId, modelId, sessionKey);
        entries[word + PRINCIPAL_WORD] = principalId;
        entries[word + KEY_WORD] = sessionKey;
        entries[word + MODEL_WORD] = modelId;
        entries[word + INDEX_WORD] = index + 1L;
        wordOfIndex[index] = word;
    }

    /**
     * Frees a slot. A probe ends at a free slot, so each entry behind it, up to the next free slot, whose own probe
     * comes through the hole moves into it, and leaves the next hole.
     */
    private void remove(final int removedSlot) {
        int hole = removedSlot;
        int slot = (hole + 1) & slotMask;
        while (entries[slot * ENTRY_WORDS + INDEX_WORD] != 0) {
            if (((slot - homeOf(slot)) & slotMask) >= ((slot - hole) & slotMask)) {
                System.arraycopy(entries, slot * ENTRY_WORDS, entries, hole * ENTRY_WORDS, ENTRY_WORDS);
                wordOfIndex[(int) (entries[hole * ENTRY_WORDS + INDEX_WORD] - 1)] = hole * ENTRY_WORDS;
                hole = slot;
            }
            slot = (slot + 1) & slotMask;
        }
        entries[hole * ENTRY_WORDS + INDEX_WORD] = 0;
    }

    /** Where the probe for a slot's entry begins. */
    private int homeOf(final int slot) {
        final int word = slot * ENTRY_WORDS;
        return mix(entries[word + PRINCIPAL_WORD], (int) entries[word + MODEL_WORD], entries[word + KEY_WORD]) &
                slotMask;
    }

    private void append(final int index) {
        final int newest = olderIndex[maxSessions];
        newerIndex[newest] = index;
        olderIndex[index] = newest;
        newerIndex[index] = maxSessions;
        olderIndex[maxSessions] = index;
    }

    /** Session keys are often small and consecutive, or share their low bits: the whole 64 bits go into the slot. */
    private static int mix(final long principalId, final int modelId, final long sessionKey) {
        long hash = (sessionKey + modelId) * 0x9E3779B97F4A7C15L ^ principalId;
        hash = (hash ^ (hash >>> 32)) * 0xD6E8FEB86659FD93L;
        return (int) (hash ^ (hash >>> 32));
    }
}
