package io.tiercel.appliance.session;

/**
 * Which requests are known by their correlation id, principal by principal, and where their answers are kept. A
 * request that comes again is found here and does not step the model a second time.
 *
 * <p>It is a function of the requests that were added, in order: no clock and no connection has a say, so that a
 * recovery which adds the journaled requests again comes to the same index. A principal takes a place with its first
 * request. When all places are taken, a new principal gets the place of the one whose last request is the oldest.
 *
 * <p>Owned by one thread, that of ingress. Allocates when a place is taken for the first time, and at no other time;
 * a window of no slots has no places, and nothing is known.
 */
public final class RetryIndex {

    /** The principal has no place. */
    public static final int NO_PLACE = -1;

    private final long[] principalIds;
    private final KnownRequests[] places;
    private final int slotCount;
    private int takenCount;

    /**
     * @param placeCount principals that have a window at once.
     * @param slotCount  slots of each one's window; 0 for no windows at all.
     */
    RetryIndex(final int placeCount, final int slotCount) {
        this.slotCount = slotCount;
        places = new KnownRequests[slotCount == 0 ? 0 : placeCount];
        principalIds = new long[places.length];
    }

    /**
     * The principal's place, or {@link #NO_PLACE}.
     *
     * @param hint the place that it had the last time, if it is known: then nothing is searched.
     */
    public int placeOf(final long principalId, final int hint) {
        return hint >= 0 && hint < takenCount && principalIds[hint] == principalId ? hint : search(principalId);
    }

    /**
     * The principal's place; a principal that has none takes one. Only for a request that is certain to be added.
     * {@link #NO_PLACE} if there are no windows.
     */
    public int take(final long principalId, final int hint) {
        final int place = placeOf(principalId, hint);
        return place != NO_PLACE || places.length == 0 ? place : takeNew(principalId);
    }

    /** Where the answer of a known request is kept, or {@link AnswerPosition#NONE} for a new one. */
    public long find(final int place, final long correlationId) {
        if (place == NO_PLACE) {
            return AnswerPosition.NONE;
        }
        final int slotIndex = places[place].find(correlationId);
        return slotIndex == KnownRequests.UNKNOWN ? AnswerPosition.NONE : AnswerPosition.of(place, slotIndex);
    }

    /** Sequence of the request that {@link #find} found there. */
    public long sequence(final long position) {
        return places[AnswerPosition.place(position)].sequence(AnswerPosition.slotIndex(position));
    }

    /** Where the answer of the next request of this place will be kept. */
    public long nextPosition(final int place, final int answerSlotCount) {
        return place == NO_PLACE || answerSlotCount > slotCount
                ? AnswerPosition.NONE
                : AnswerPosition.of(place, places[place].nextIndex());
    }

    /** Adds a request, whose id must not be known. The oldest are forgotten as far as its slots are theirs. */
    public void add(final int place, final long correlationId, final long sequence, final int answerSlotCount) {
        if (place != NO_PLACE) {
            places[place].add(correlationId, sequence, answerSlotCount);
        }
    }

    /** Forgets a request, if it is known: another one with its id is about to be added. */
    void forget(final int place, final long correlationId) {
        if (place != NO_PLACE) {
            places[place].forget(correlationId);
        }
    }

    int placeCount() {
        return places.length;
    }

    private int search(final long principalId) {
        for (int place = 0; place < takenCount; place++) {
            if (principalIds[place] == principalId) {
                return place;
            }
        }
        return NO_PLACE;
    }

    private int takeNew(final long principalId) {
        final int place;
        if (takenCount < places.length) {
            place = takenCount++;
            places[place] = new KnownRequests(slotCount);
        } else {
            place = longestSilent();
            places[place].clear();
        }
        principalIds[place] = principalId;
        return place;
    }

    private int longestSilent() {
        int longestSilent = 0;
        for (int place = 1; place < places.length; place++) {
            if (places[place].lastSequence() < places[longestSilent].lastSequence()) {
                longestSilent = place;
            }
        }
        return longestSilent;
    }
}
