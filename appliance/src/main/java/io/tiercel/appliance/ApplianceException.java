package io.tiercel.appliance;

/** The appliance cannot start, or has come to an end that nobody asked for. The message is for an operator. */
public final class ApplianceException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public ApplianceException(final String message) {
        super(message);
    }

    public ApplianceException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
