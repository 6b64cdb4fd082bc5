package io.tiercel.replay.compare;

/** Sets that cannot be compared, or are none; the message is one line for whoever gave them. */
public final class CompareException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public CompareException(final String message) {
        super(message);
    }

    public CompareException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
