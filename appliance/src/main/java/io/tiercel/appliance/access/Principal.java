package io.tiercel.appliance.access;

import io.tiercel.appliance.session.Rights;
import io.tiercel.protocol.Handshake;

import java.util.List;

/**
 * A principal as its file has it.
 *
 * @param keys one, or two while one takes the other's place: either will do.
 */
public record Principal(String name, List<byte[]> keys, Rights rights) {

    /** Keys at once. */
    public static final int MAX_KEYS = 2;

    public Principal {
        keys = List.copyOf(keys);
        if (keys.isEmpty() || keys.size() > MAX_KEYS) {
            throw new IllegalArgumentException("keys=" + keys.size() + ": must be 1 to " + MAX_KEYS);
        }
    }

    /** Whether it still has a key. */
    public boolean hasKey(final byte[] key) {
        boolean isThere = false;
        for (final byte[] own : keys) {
            isThere |= Handshake.isEqual(own, key);
        }
        return isThere;
    }

    /** Without the keys. */
    @Override
    public String toString() {
        return "principal=" + name + " keys=" + keys.size() + " " + rights;
    }
}
