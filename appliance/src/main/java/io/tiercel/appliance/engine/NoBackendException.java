package io.tiercel.appliance.engine;

/** No backend can serve a bundle as configured; the message says for each why not. */
public final class NoBackendException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public NoBackendException(final String message) {
        super(message);
    }
}
