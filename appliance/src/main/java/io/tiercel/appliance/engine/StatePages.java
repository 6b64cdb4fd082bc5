package io.tiercel.appliance.engine;

import org.agrona.UnsafeApi;

/**
 * Pages of a state that several sessions can have in common. In the canonical state they follow each other; where one
 * stands in fact is said by a table, int64 addresses, in the derived part: 0 for the session's own place, or an address
 * outside of any state. A page that stands elsewhere is never written: who would write it copies it to its own place
 * first ({@link #own}), so no step knows the difference, nor does anybody's answer.
 *
 * <pre>
 *   a shared page      0                       64
 *                      +-----------------------+----------------------------+
 *                      | int64: sessions that  | the page                   |
 *                      | have it; 0 for none   |                            |
 *                      +-----------------------+----------------------------+
 * </pre>
 *
 * <p>Immutable. A state is one thread's at a time, and so is its table; the count of a shared page is everybody's.
 */
public abstract class StatePages {

    /** Before each shared page. */
    public static final int SHARED_HEADER_BYTES = 64;

    /** Of a state that has none. */
    public static final StatePages NONE = new StatePages(0, 0, 0, 0) {
        @Override
        public boolean isFull(final long stateAddress, final int page) {
            throw new IndexOutOfBoundsException("page=" + page + " of no pages");
        }
    };

    private final int count;
    private final int bytes;
    private final int offset;
    private final int tableOffset;

    /**
     * @param bytes       of a page, a multiple of 64.
     * @param offset      of the first page's own place in a state.
     * @param tableOffset of the table in a state.
     */
    protected StatePages(final int count, final int bytes, final int offset, final int tableOffset) {
        this.count = count;
        this.bytes = bytes;
        this.offset = offset;
        this.tableOffset = tableOffset;
    }

    /**
     * Whether nothing is left to be written in a page by the next steps, as far as that can be: a page that is written
     * again some day, after others, is full until then.
     */
    public abstract boolean isFull(long stateAddress, int page);

    public final int count() {
        return count;
    }

    /** Of the first page's own place in a state. */
    public final int offset() {
        return offset;
    }

    /** Of one page. */
    public final int bytes() {
        return bytes;
    }

    /** Whether others stand in the same places, by the same table. */
    public final boolean isLike(final StatePages other) {
        return count == other.count && bytes == other.bytes && offset == other.offset &&
                tableOffset == other.tableOffset;
    }

    /** Bytes of a table, for the layout that has one. */
    public static int tableBytes(final int pageCount) {
        return (pageCount * Long.BYTES + 63) & -64;
    }

    /** Where the page stands. */
    public final long address(final long stateAddress, final int page) {
        final long shared = sharedAddress(stateAddress, page);
        return shared == 0 ? ownAddress(stateAddress, page) : shared;
    }

    /** Where the page stands if not in the session's own place, else 0. */
    public final long sharedAddress(final long stateAddress, final int page) {
        return UnsafeApi.getLong(entry(stateAddress, page));
    }

    /** The page's place in the session's own state. */
    public final long ownAddress(final long stateAddress, final int page) {
        return stateAddress + offset + (long) page * bytes;
    }

    /** The page, which stands in the session's own place, is from here on the shared one, whose count has it. */
    public final void share(final long stateAddress, final int page, final long sharedAddress) {
        UnsafeApi.putLong(entry(stateAddress, page), sharedAddress);
    }

    /** Before a page is written: if it stands elsewhere it is copied to the session's own place. */
    public final void own(final long stateAddress, final int page) {
        final long shared = sharedAddress(stateAddress, page);
        if (shared != 0) {
            UnsafeApi.copyMemory(shared, ownAddress(stateAddress, page), bytes);
            letGo(stateAddress, page, shared);
        }
    }

    /** Before a state is overwritten: lets go of what is shared; these pages' own places hold anything. */
    public final void release(final long stateAddress) {
        for (int page = 0; page < count; page++) {
            final long shared = sharedAddress(stateAddress, page);
            if (shared != 0) {
                letGo(stateAddress, page, shared);
            }
        }
    }

    /** No page is shared: for a state that was put in its place from outside. */
    public final void clear(final long stateAddress) {
        UnsafeApi.setMemory(stateAddress + tableOffset, tableBytes(count), (byte) 0);
    }

    /** Copies the canonical part of a state, which the pages are the end of. */
    public final void copyCanonical(final long stateAddress, final long targetAddress, final int canonicalBytes) {
        if (count == 0) {
            UnsafeApi.copyMemory(stateAddress, targetAddress, canonicalBytes);
            return;
        }
        UnsafeApi.copyMemory(stateAddress, targetAddress, offset);
        for (int page = 0; page < count; page++) {
            UnsafeApi.copyMemory(address(stateAddress, page), targetAddress + offset + (long) page * bytes, bytes);
        }
    }

    /** Where a shared page's count stands. */
    public static long sharersAddress(final long sharedAddress) {
        return sharedAddress - SHARED_HEADER_BYTES;
    }

    private void letGo(final long stateAddress, final int page, final long shared) {
        UnsafeApi.putLong(entry(stateAddress, page), 0);
        UnsafeApi.getAndAddLong(null, sharersAddress(shared), -1);
    }

    private long entry(final long stateAddress, final int page) {
        return stateAddress + tableOffset + (long) page * Long.BYTES;
    }
}
