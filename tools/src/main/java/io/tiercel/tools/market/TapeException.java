package io.tiercel.tools.market;

/** A tape that cannot be read; the message names the file, the line and the offending value. */
public final class TapeException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public TapeException(final String message) {
        super(message);
    }

    public TapeException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
