package io.tiercel.appliance.recovery;

/** The journal cannot be continued. Nothing in it has been changed. The message has the code and the values. */
public final class RecoveryException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What is in the way. */
    public enum Code {
        /** A file is damaged, or missing, before the end of the journal. */
        DAMAGED_JOURNAL,
        /** What the engine computes is not what the journal says. */
        DIVERGENCE,
        /** An outcome has no request. */
        OUTCOME_WITHOUT_REQUEST,
        /** Requests or outcomes that a snapshot stands for are not there any more. */
        JOURNAL_TOO_SHORT,
        /** The configuration serves other models than those whose sessions are in the journal. */
        OTHER_MODEL,
        /** The journal tells of more versions of models than the configuration allows. */
        VERSION_LIMIT,
        /** The journal has more sessions than the configuration allows. */
        SESSION_LIMIT,
        /** The journal's beginning was removed, and no snapshot that can be used stands for it. */
        NO_SNAPSHOT,
        /** The clock shows a time before the journal's last record. */
        CLOCK_WENT_BACK
    }

    private final Code code;

    RecoveryException(final Code code, final String detail) {
        this(code, detail, null);
    }

    RecoveryException(final Code code, final String detail, final Throwable cause) {
        super("journal cannot be continued: code=" + code + " " + detail, cause);
        this.code = code;
    }

    public Code code() {
        return code;
    }
}
