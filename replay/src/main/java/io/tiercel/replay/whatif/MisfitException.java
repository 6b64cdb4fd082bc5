package io.tiercel.replay.whatif;

/** A candidate, or labels, that do not go with the journal; the message is one line with both values. */
public final class MisfitException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    MisfitException(final String message) {
        super(message);
    }
}
