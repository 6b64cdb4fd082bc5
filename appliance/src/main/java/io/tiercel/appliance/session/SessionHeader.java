package io.tiercel.appliance.session;

import org.agrona.UnsafeApi;

/**
 * What stands in front of a session's state, in memory and in a copy of it, by the address where it begins. It says
 * whose the state is, so that a copy can be read without asking the session table, which goes on meanwhile.
 * <pre>
 *   0               8               16              24              32                              64
 *   +---------------+---------------+---------------+---------------+-------------------------------+
 *   | hash          | lastUse       | principalId   | sessionKey    | unused                        |
 *   +---------------+---------------+---------------+---------------+-------------------------------+
 * </pre>
 */
public final class SessionHeader {

    /** One cache line, so that what follows is as aligned as the header is. */
    public static final int BYTES = 64;

    private static final int LAST_USE_OFFSET = 8;
    private static final int PRINCIPAL_OFFSET = 16;
    private static final int KEY_OFFSET = 24;

    private SessionHeader() {
    }

    /** The chained hash. */
    public static long hash(final long address) {
        return UnsafeApi.getLong(address);
    }

    /**
     * When the session was used last: the higher the later, and of no two sessions the same. Twice the sequence of a
     * request that copied it for another session, one more for a request of its own; below 0, in the same order, of one
     * that comes from a snapshot.
     */
    public static long lastUse(final long address) {
        return UnsafeApi.getLong(address + LAST_USE_OFFSET);
    }

    public static long principalId(final long address) {
        return UnsafeApi.getLong(address + PRINCIPAL_OFFSET);
    }

    public static long sessionKey(final long address) {
        return UnsafeApi.getLong(address + KEY_OFFSET);
    }

    static void hash(final long address, final long hash) {
        UnsafeApi.putLong(address, hash);
    }

    static void lastUse(final long address, final long use) {
        UnsafeApi.putLong(address + LAST_USE_OFFSET, use);
    }

    static void name(final long address, final long principalId, final long sessionKey) {
        UnsafeApi.putLong(address + PRINCIPAL_OFFSET, principalId);
        UnsafeApi.putLong(address + KEY_OFFSET, sessionKey);
    }
}
