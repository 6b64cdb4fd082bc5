package io.tiercel.tools.model;

/** An argument or an input file that cannot be used; the message is what the user reads. */
final class ModelInputException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    ModelInputException(final String message) {
        super(message);
    }

    ModelInputException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
