package io.tiercel.replay.table;

/** The machine did not do its part: no DuckDB for it, no room for what does not fit in memory, a file not writable. */
public final class TableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    TableException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
