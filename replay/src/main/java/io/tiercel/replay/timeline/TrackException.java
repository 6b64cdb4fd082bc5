package io.tiercel.replay.timeline;

/** A track cannot be read; the message says which file and line with {@code name=value}. */
public final class TrackException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    TrackException(final String message) {
        super(message);
    }

    TrackException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
