package io.tiercel.replay.table;

/** What was asked cannot be answered: the message is one line, DuckDB's own words where it is SQL that is wrong. */
public final class QueryException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    QueryException(final String message) {
        super(message);
    }

    QueryException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
