package io.tiercel.appliance.access;

import java.util.Map;

/**
 * Who may connect now. Ingress asks; whoever watches the files replaces what is known, as a whole.
 */
public final class Access {

    private final byte[] secret;
    /** Null where anybody may connect. */
    private volatile Map<String, Principal> principals;

    private Access(final Map<String, Principal> principals, final byte[] secret) {
        this.principals = principals;
        this.secret = secret;
    }

    /** Anybody may connect: there are no keys. */
    public static Access open() {
        return new Access(null, new byte[0]);
    }

    /**
     * Only who proves to be one of these.
     *
     * @param secret bytes that nobody else knows, made for this run: nonces come from them.
     */
    public static Access of(final Map<String, Principal> principals, final byte[] secret) {
        return new Access(Map.copyOf(principals), secret.clone());
    }

    public boolean isOpen() {
        return principals == null;
    }

    /** By name; another object after each change. */
    public Map<String, Principal> principals() {
        return principals;
    }

    /** What is known from here on. Any thread. */
    public void replace(final Map<String, Principal> newer) {
        if (isOpen()) {
            throw new IllegalStateException("access is open");
        }
        principals = Map.copyOf(newer);
    }

    /** For nonces. */
    public byte[] secret() {
        return secret;
    }
}
