package io.tiercel.appliance.session;

import com.lmax.disruptor.Sequence;
import org.agrona.BitUtil;
import org.agrona.UnsafeApi;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The answers of the requests that {@link RetryIndex} knows, in slots off the heap: for each principal's place a ring
 * of them, one slot for each step that the client hears of.
 *
 * <p>Owned by one thread, that of egress: it alone writes, and finds. Another thread may read at the same time with
 * {@link AnswerReader}; see {@link AnswerSlot} for the order of the two. A place's memory is allocated with its first
 * answer and touched slot by slot, so a window that nobody uses costs nothing; nothing else allocates. If there is no
 * memory, the owner's thread fails.
 */
public final class AnswerStore implements AutoCloseable {

    private static final int ALIGNMENT = BitUtil.CACHE_LINE_LENGTH;

    private final AtomicReferenceArray<Place> places;
    private final int slotCount;
    private final int slotLength;
    private final int maxOutputCount;
    private final AnswerSlot slot;

    /** One principal's ring of slots. */
    static final class Place {
        final long allocation;
        final long firstAddress;
        /** Sequence of the first request of the principal that has the place now: what is older is another's. */
        final Sequence firstSequence = new Sequence(0);
        /** Slots, from index 0, that have been written or erased: what is in the others is not known. */
        final Sequence preparedCount = new Sequence(0);
        /** The owner's. */
        long principalId;

        Place(final long allocation) {
            this.allocation = allocation;
            firstAddress = (allocation + ALIGNMENT - 1) & -ALIGNMENT;
        }
    }

    /**
     * @param placeCount     of the index.
     * @param slotCount      of the index.
     * @param maxOutputCount floats of one step, of the model that has the most.
     */
    AnswerStore(final int placeCount, final int slotCount, final int maxOutputCount) {
        places = new AtomicReferenceArray<>(placeCount);
        this.slotCount = slotCount;
        this.maxOutputCount = maxOutputCount;
        slotLength = AnswerSlot.length(maxOutputCount);
        slot = newSlot();
    }

    /**
     * Keeps an answer. Whatever it takes the slots of is gone.
     *
     * @param position of the request, from the index.
     */
    public void put(final long position, final KnownAnswer answer) {
        final Place place = placeFor(position, answer.principalId, answer.sequence);
        final int frameCount = answer.frameCount();
        int slotIndex = AnswerPosition.slotIndex(position);
        for (int step = 0; step < answer.slotCount; step++) {
            slot.wrap(address(place, slotIndex));
            if (step < frameCount) {
                slot.write(answer, step);
            } else {
                slot.erase();
            }
            slotIndex = onPrepared(place, slotIndex);
        }
    }

    /** Keeps no answer for a request that has a position: it was refused after all. */
    public void erase(final long position, final long principalId, final long sequence, final int answerSlotCount) {
        final Place place = placeFor(position, principalId, sequence);
        int slotIndex = AnswerPosition.slotIndex(position);
        for (int step = 0; step < answerSlotCount; step++) {
            slot.wrap(address(place, slotIndex)).erase();
            slotIndex = onPrepared(place, slotIndex);
        }
    }

    /**
     * The first frame of a request's answer, or null if it is not kept. A flyweight that the next call moves.
     *
     * @param position of the request, from the index.
     */
    public AnswerSlot find(final long position, final long sequence) {
        final int slotIndex = AnswerPosition.slotIndex(position);
        final Place place = places.getPlain(AnswerPosition.place(position));
        if (place == null || slotIndex >= place.preparedCount.get()) {
            return null;
        }
        slot.wrap(address(place, slotIndex));
        return slot.sequence() == sequence ? slot : null;
    }

    /** A further frame of the answer that {@link #find} found. */
    public AnswerSlot frame(final long position, final int stepIndex) {
        final Place place = places.getPlain(AnswerPosition.place(position));
        return slot.wrap(address(place, slotIndex(AnswerPosition.slotIndex(position), stepIndex)));
    }

    /** Gives the memory back. Nobody may use the store any more. */
    @Override
    public void close() {
        for (int index = 0; index < places.length(); index++) {
            final Place place = places.getAndSet(index, null);
            if (place != null) {
                UnsafeApi.freeMemory(place.allocation);
            }
        }
    }

    int placeCount() {
        return places.length();
    }

    /** The place, or null if it has no answer yet. */
    Place place(final int index) {
        return places.getAcquire(index);
    }

    AnswerSlot newSlot() {
        return new AnswerSlot(maxOutputCount);
    }

    long address(final Place place, final int slotIndex) {
        return place.firstAddress + (long) slotIndex * slotLength;
    }

    /** Index of the slot so many behind another one, all around. */
    int slotIndex(final int firstIndex, final int stepIndex) {
        final int index = firstIndex + stepIndex;
        return index >= slotCount ? index - slotCount : index;
    }

    private int onPrepared(final Place place, final int slotIndex) {
        if (slotIndex >= place.preparedCount.get()) {
            place.preparedCount.set(slotIndex + 1L);
        }
        return slotIndex(slotIndex, 1);
    }

    /** A principal that is new to the place has taken it from another one, whose answers count no more. */
    private Place placeFor(final long position, final long principalId, final long sequence) {
        final int index = AnswerPosition.place(position);
        Place place = places.getPlain(index);
        if (place == null) {
            place = new Place(allocate());
            place.principalId = principalId;
            places.setRelease(index, place);
        } else if (place.principalId != principalId) {
            place.principalId = principalId;
            place.firstSequence.set(sequence);
        }
        return place;
    }

    private long allocate() {
        final long bytes = Math.multiplyExact((long) slotLength, slotCount) + ALIGNMENT;
        try {
            return UnsafeApi.allocateMemory(bytes);
        } catch (final OutOfMemoryError ex) {
            throw new IllegalStateException("no memory for the answers of a principal: limits.retries=" + slotCount +
                    " slotLength=" + slotLength + " (" + bytes + " bytes)", ex);
        }
    }
}
