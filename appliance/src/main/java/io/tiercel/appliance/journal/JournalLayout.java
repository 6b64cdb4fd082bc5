package io.tiercel.appliance.journal;

import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** Names of what is in a journal directory, and the file that says so. */
final class JournalLayout {

    static final int FORMAT_VERSION = 1;
    static final String LOCK = "lock";
    static final String DESCRIPTION = "journal.yaml";
    static final String REQUESTS = "requests";
    static final String OUTCOMES = "outcomes";
    static final String BUNDLES = "bundles";
    static final String TELEMETRY = "telemetry";
    static final String BUNDLE_SUFFIX = ".safetensors";

    /**
     * What {@code journal.yaml} says.
     *
     * @param firstSequence from which on both queues are whole; what comes before may have been removed.
     */
    record Description(RollPeriod roll, long firstSequence) {
    }

    private JournalLayout() {
    }

    static boolean exists(final Path directory) {
        return Files.exists(directory.resolve(DESCRIPTION));
    }

    /** Replaces the file at once: it is the old one or the new one, after the death of the machine too. */
    static void write(final Path directory, final Description description) throws IOException {
        final Path file = directory.resolve(DESCRIPTION);
        final Path draft = directory.resolve(DESCRIPTION + ".tmp");
        final String text = "# A Tiercel journal.\nformatVersion: " + FORMAT_VERSION +
                "\nroll: " + description.roll() + "\n" +
                (description.firstSequence() == 0 ? "" : "firstSequence: " + description.firstSequence() + "\n");
        try (FileChannel channel = FileChannel.open(draft, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel parent = FileChannel.open(directory, StandardOpenOption.READ)) {
            parent.force(true);
        }
    }

    /**
     * @throws JournalException if this is not a journal, or not one of a format that this version knows.
     */
    static Description read(final Path directory) {
        final Path file = directory.resolve(DESCRIPTION);
        if (!Files.isRegularFile(file)) {
            throw new JournalException("not a journal: there is no file=" + file);
        }
        try {
            final Object document = new Load(LoadSettings.builder().build())
                    .loadFromString(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
            if (!(document instanceof Map)) {
                throw new JournalException("not a journal description: file=" + file);
            }
            return description(file, (Map<?, ?>) document);
        } catch (final IOException | YamlEngineException ex) {
            throw new JournalException("journal description cannot be read: file=" + file + " " + ex, ex);
        }
    }

    private static Description description(final Path file, final Map<?, ?> entries) {
        final Object version = entries.get("formatVersion");
        if (!Integer.valueOf(FORMAT_VERSION).equals(version)) {
            throw new JournalException("journal format is not one this version reads: file=" + file +
                    " formatVersion=" + version + " supported=" + FORMAT_VERSION);
        }
        final Object first = entries.get("firstSequence");
        final long firstSequence = sequence(first);
        if (firstSequence < 0) {
            throw new JournalException("not a journal description: file=" + file + " firstSequence=" + first);
        }
        return new Description(RollPeriod.parse(String.valueOf(entries.get("roll"))), firstSequence);
    }

    /** @return -1 if it is none. */
    private static long sequence(final Object entry) {
        if (entry == null) {
            return 0;
        }
        return entry instanceof Integer || entry instanceof Long ? ((Number) entry).longValue() : -1;
    }
}
