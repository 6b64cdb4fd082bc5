package io.tiercel.nativecuda.graph;

/** A library of graphs cannot be used, or does not do what was asked of it; the message is one line for an operator. */
public final class GraphException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public GraphException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
