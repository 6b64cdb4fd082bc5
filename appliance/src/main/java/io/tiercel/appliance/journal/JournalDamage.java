package io.tiercel.appliance.journal;

/** What a reader can find wrong with a journal. */
public enum JournalDamage {
    /** The checksum does not match the record's bytes. Expected: as stored. Actual: as computed. */
    BAD_CHECKSUM,
    /** Records are missing. Expected and actual: sequences. */
    SEQUENCE_GAP,
    /** A record comes again, or an earlier one does. Expected and actual: sequences. */
    SEQUENCE_REPETITION,
    /** A record is shorter than its parts need, in bytes; or the file claims records beyond the last readable one. */
    TRUNCATED,
    /** The header's frameLength is not the length of what follows. Expected: bytes there are. Actual: frameLength. */
    LENGTH_MISMATCH,
    /** The frame is of another schema. Expected and actual: schema ids. */
    UNKNOWN_SCHEMA,
    /** The frame is of a version that this program does not know. Expected and actual: versions. */
    UNKNOWN_VERSION,
    /** The frame is of a message that does not belong here. Expected: 0. Actual: template id. */
    UNKNOWN_TEMPLATE,
    /** The queue itself cannot be walked past this point. */
    UNREADABLE
}
