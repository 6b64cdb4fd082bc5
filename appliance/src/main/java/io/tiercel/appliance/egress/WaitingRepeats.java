package io.tiercel.appliance.egress;

/**
 * Repeats whose first request is still under way. They wait here, beside the queue of commands, so that nobody else's
 * welcome, reject or heartbeat waits with them. In no order: removing one moves the last to its place.
 *
 * <p>Egress thread only. Allocates in the constructor only.
 */
final class WaitingRepeats {

    private final Repeat[] repeats;
    private int count;

    WaitingRepeats(final int capacity) {
        repeats = new Repeat[capacity];
        for (int index = 0; index < capacity; index++) {
            repeats[index] = new Repeat();
        }
    }

    int capacity() {
        return repeats.length;
    }

    int count() {
        return count;
    }

    /** Takes a copy; false if there is no room. */
    boolean add(final Repeat repeat) {
        if (count == repeats.length) {
            return false;
        }
        repeats[count++].copyFrom(repeat);
        return true;
    }

    /** The repeat at an index below {@link #count()}. */
    Repeat get(final int index) {
        return repeats[index];
    }

    void remove(final int index) {
        final Repeat removed = repeats[index];
        repeats[index] = repeats[--count];
        repeats[count] = removed;
    }
}
