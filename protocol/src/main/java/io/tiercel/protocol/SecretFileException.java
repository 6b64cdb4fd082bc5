package io.tiercel.protocol;

/** A file with a secret cannot be used: it is not there, not this user's alone, or does not hold what it should. */
public final class SecretFileException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public SecretFileException(final String message) {
        super(message);
    }
}
