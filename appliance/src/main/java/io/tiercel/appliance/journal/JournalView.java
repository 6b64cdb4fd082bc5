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

    /** A new reader at the first request. */
    public RecordReader requests() {
        return new RecordReader(queuePath(JournalLayout.REQUESTS), roll, RecordKind.REQUEST);
    }

    /** A new reader at the first outcome. */
    public RecordReader outcomes() {
        return new RecordReader(queuePath(JournalLayout.OUTCOMES), roll, RecordKind.OUTCOME);
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
            final Path path = queuePath(kind == RecordKind.REQUEST ? JournalLayout.REQUESTS : JournalLayout.OUTCOMES);
            if (Files.isDirectory(path)) {
                try (RecordReader reader = new RecordReader(path, roll, kind)) {
                    if (reader.hasDocuments()) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private Path queuePath(final String name) {
        return directory.resolve(name);
    }
}
