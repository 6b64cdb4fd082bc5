package io.tiercel.appliance.session;

import io.tiercel.appliance.engine.StateMemory;
import io.tiercel.appliance.engine.StatePages;
import org.agrona.UnsafeApi;

/**
 * Room for pages that several sessions of a model have in common, laid out as {@link StatePages} says. Any thread takes
 * a page, and any thread lets go of one, by its count alone: there is no list that they could disagree about. Where no
 * page is found, pages are copied instead: what is shared is a matter of memory, never of what is answered.
 */
final class SharedPages implements AutoCloseable {

    /** Places that are looked at before it is given up: a fork is to take a bounded time. */
    private static final int LOOK_LIMIT = 64;

    private final StateMemory memory;
    private final StatePages pages;
    private final int capacity;
    private final long placeBytes;
    private final FirstTouch firstTouch;
    /** Places that have been given out before; the memory of those behind them has not been touched. */
    private volatile int usedCount;
    /** Where the next search begins. Plain, as it is no more than a hint. */
    private int hand;

    /** @param memory {@link #bytesOf} that many pages; closed with this object. */
    SharedPages(final StateMemory memory, final StatePages pages, final int capacity) {
        this.memory = memory;
        this.pages = pages;
        this.capacity = capacity;
        placeBytes = bytesOf(pages, 1);
        firstTouch = new FirstTouch(memory.address(), bytesOf(pages, capacity));
    }

    static long bytesOf(final StatePages pages, final int capacity) {
        return capacity * ((long) StatePages.SHARED_HEADER_BYTES + pages.bytes());
    }

    /**
     * A full page of a session comes to be one of another session too.
     *
     * @param stateAddress of the session that has it; nobody else may be at work on it.
     * @return whether it did; if not there was no room, and nothing has changed.
     */
    boolean share(final long stateAddress, final int page, final long otherAddress) {
        long shared = pages.sharedAddress(stateAddress, page);
        if (shared == 0) {
            shared = take();
            if (shared == 0) {
                return false;
            }
            UnsafeApi.copyMemory(pages.ownAddress(stateAddress, page), shared, pages.bytes());
            pages.share(stateAddress, page, shared);
        }
        UnsafeApi.getAndAddLong(null, StatePages.sharersAddress(shared), 1);
        pages.share(otherAddress, page, shared);
        return true;
    }

    /** As {@link SessionStates#touchAhead}. */
    boolean touchAhead() {
        return firstTouch.ahead(usedCount * placeBytes);
    }

    /** How many pages stand here, at a moment when nobody shares or lets go. */
    int heldCount() {
        int held = 0;
        for (int place = 0, used = usedCount; place < used; place++) {
            if (UnsafeApi.getLong(StatePages.sharersAddress(address(place))) != 0) {
                held++;
            }
        }
        return held;
    }

    @Override
    public void close() {
        memory.close();
    }

    /** A page that one session has; 0 if there is none. */
    private long take() {
        final int used = usedCount;
        for (int looked = 0, limit = Math.min(used, LOOK_LIMIT); looked < limit; looked++) {
            final int place = hand < used ? hand : 0;
            hand = place + 1;
            if (UnsafeApi.compareAndSetLong(null, StatePages.sharersAddress(address(place)), 0, 1)) {
                return address(place);
            }
        }
        return takeUnused();
    }

    /** A place is counted as used when its count says so already, else another thread would find it free. */
    private synchronized long takeUnused() {
        if (usedCount == capacity) {
            return 0;
        }
        final long unused = address(usedCount);
        UnsafeApi.putLong(StatePages.sharersAddress(unused), 1);
        usedCount++;
        return unused;
    }

    private long address(final int place) {
        return memory.address() + place * placeBytes + StatePages.SHARED_HEADER_BYTES;
    }
}
