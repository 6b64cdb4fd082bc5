package io.tiercel.tools;

/** An argument or an input file that cannot be used; the message is what the user reads. */
public final class ModelInputException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public ModelInputException(final String message) {
        super(message);
    }

    public ModelInputException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
