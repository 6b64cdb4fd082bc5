package io.tiercel.replay.report;

/** A report that cannot be drawn or written; the message is one line for whoever asked for it. */
public final class ReportException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public ReportException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
