package io.tiercel.appliance.journal;

import java.nio.file.Files;
import java.nio.file.Path;

/** A journal to read: while it is written, after it was, or a copy of it. Changes nothing in the directory. */
public final class JournalView {

    static {
        ChronicleSettings.apply();
    }

    private final Path directory;
    private final RollPeriod roll;

    JournalView(final Path directory, final RollPeriod roll) {
        this.directory = directory;
        this.roll = roll;
    }

    public Path directory() {
        return directory;
    }

    /**
     * The first sequence from which on both queues are whole: older files may have been removed, at different places
     * in the two. Read anew each time, because a journal that is being written may be pruned.
     */
    public long firstSequence() {
        return JournalLayout.read(directory).firstSequence();
    }

    /** A new reader at the first request that there is. */
    public RecordReader requests() {
        return new RecordReader(this, RecordKind.REQUEST, false);
    }

    /** A new reader at the first outcome that there is. */
    public RecordReader outcomes() {
        return new RecordReader(this, RecordKind.OUTCOME, false);
    }

    /** As {@link #requests()}, for who is to continue the journal: a record that is torn at the very end is its end. */
    public RecordReader recoverRequests() {
        return new RecordReader(this, RecordKind.REQUEST, true);
    }

    /** As {@link #outcomes()}, for who is to continue the journal: a record that is torn at the very end is its end. */
    public RecordReader recoverOutcomes() {
        return new RecordReader(this, RecordKind.OUTCOME, true);
    }

    /** The last request's sequence, or some one before it while the journal is being written; -1 if there is none. */
    public long lastRequestSequence() {
        try (RecordReader reader = recoverRequests()) {
            return reader.namedSequence();
        }
    }

    /**
     * @throws JournalException if the journal has no copy of that bundle.
     */
    public Path bundle(final String versionHex) {
        final Path bundle = JournalDirectory.bundlePath(directory, versionHex);
        if (!Files.isRegularFile(bundle)) {
            throw new JournalException("bundle is not in the journal: file=" + bundle);
        }
        return bundle;
    }

    boolean hasRecords() {
        for (final RecordKind kind : RecordKind.values()) {
            if (Files.isDirectory(queuePath(kind)) && hasRecords(kind)) {
                return true;
            }
        }
        return false;
    }

    Path queuePath(final RecordKind kind) {
        return directory.resolve(kind == RecordKind.REQUEST ? JournalLayout.REQUESTS : JournalLayout.OUTCOMES);
    }

    RollPeriod roll() {
        return roll;
    }

    private boolean hasRecords(final RecordKind kind) {
        try (RecordReader reader = new RecordReader(this, kind, false)) {
            return reader.hasDocuments();
        }
    }
}
