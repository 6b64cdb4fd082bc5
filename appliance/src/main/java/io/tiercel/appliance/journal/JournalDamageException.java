package io.tiercel.appliance.journal;

import java.nio.file.Path;

/** A journal is not what was written. Reading stops: what follows cannot be trusted to be in its place. */
public final class JournalDamageException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final JournalDamage damage;
    private final transient Path file;
    private final long index;
    private final long sequence;
    private final long expected;
    private final long actual;

    JournalDamageException(
            final JournalDamage damage,
            final Path file,
            final long index,
            final long sequence,
            final long expected,
            final long actual,
            final Throwable cause) {
        super("journal is damaged: damage=" + damage + " file=" + file + " index=" + Long.toHexString(index) +
                " sequence=" + sequence + " expected=" + expected + " actual=" + actual +
                (cause == null ? "" : " cause=" + cause), cause);
        this.damage = damage;
        this.file = file;
        this.index = index;
        this.sequence = sequence;
        this.expected = expected;
        this.actual = actual;
    }

    public JournalDamage damage() {
        return damage;
    }

    /** The queue's file, or its directory where the file is not known. */
    public Path file() {
        return file;
    }

    /** Chronicle's index of the record. */
    public long index() {
        return index;
    }

    /** Of the record that should have been there. */
    public long sequence() {
        return sequence;
    }

    public long expected() {
        return expected;
    }

    public long actual() {
        return actual;
    }
}
