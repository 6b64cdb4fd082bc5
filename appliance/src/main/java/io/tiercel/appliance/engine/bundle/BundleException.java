package io.tiercel.appliance.engine.bundle;

/** A bundle that cannot be used; the message names the file, the tensor or key, and the offending value. */
public final class BundleException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public BundleException(final String message) {
        super(message);
    }

    public BundleException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
