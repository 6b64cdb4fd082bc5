package io.tiercel.replay.timeline;

/** What was asked for is not in the journal, or is too much; the message says which with {@code name=value}. */
public final class StretchException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    StretchException(final String message) {
        super(message);
    }
}
