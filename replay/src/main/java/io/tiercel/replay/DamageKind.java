package io.tiercel.replay;

/** Why a journal cannot be verified. Every kind ends the replay; none is a warning. */
public enum DamageKind {
    /** A sequence is missing, or comes twice. */
    GAP("gap"),
    /** A record's bytes are not those that were written. */
    BAD_CHECKSUM("bad checksum"),
    /** A record ends before its header says. */
    TRUNCATED("truncated record"),
    /** The queue's own files cannot be walked any further. */
    UNREADABLE("unreadable queue"),
    /** A frame or the journal itself is of a schema or version that this program does not know. */
    UNKNOWN_SCHEMA("unknown schema version"),
    /** A frame passes its checksum, but its own lengths or codes contradict each other. */
    MALFORMED_FRAME("malformed frame"),
    /** The journal names a bundle that is not in its {@code bundles} folder. */
    MISSING_BUNDLE("missing bundle"),
    /** A bundle's bytes are not those that its name says. */
    WRONG_BUNDLE("wrong bundle"),
    /** A bundle has the right bytes and cannot be loaded. */
    BAD_BUNDLE("unusable bundle"),
    /** Requests at the end have no outcome. */
    OPEN_TAIL("open tail"),
    /** An outcome has no request. */
    OUTCOME_WITHOUT_REQUEST("outcome without request"),
    /** A command's outcome is not what the commands before it come to. */
    OTHER_ROUTES("other routes"),
    /** A snapshot cannot be read, or does not belong to the journal. */
    BAD_SNAPSHOT("unusable snapshot"),
    /** The journal's beginning was removed, and no snapshot stands for it. */
    NO_SNAPSHOT("no snapshot to begin with"),
    /** The journal does not reach as far as what was to be compared. */
    RANGE_OUTSIDE_JOURNAL("range outside the journal");

    private final String words;

    DamageKind(final String words) {
        this.words = words;
    }

    /** For people. */
    public String words() {
        return words;
    }
}
