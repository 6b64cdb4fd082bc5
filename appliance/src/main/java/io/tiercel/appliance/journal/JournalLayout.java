package io.tiercel.appliance.journal;

import io.tiercel.appliance.config.YamlSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
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

    private static final int MAX_DESCRIPTION_LENGTH = 64 << 10;

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
        syncEntries(directory);
    }

    /** A file is not on the device while its directory there does not have it. */
    static void syncEntries(final Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
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
        final Map<String, String> entries = entries(file, text(file));
        final String version = entries.get("formatVersion");
        if (!String.valueOf(FORMAT_VERSION).equals(version)) {
            throw new JournalException("journal format is not one this version reads: file=" + file +
                    " formatVersion=" + version + " supported=" + FORMAT_VERSION);
        }
        return new Description(
                RollPeriod.parse(entries.get("roll")), sequence(file, entries.get("firstSequence")));
    }

    private static String text(final Path file) {
        try {
            final long length = Files.size(file);
            if (length > MAX_DESCRIPTION_LENGTH) {
                throw notADescription(file, "length=" + length + " is above " + MAX_DESCRIPTION_LENGTH);
            }
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (final IOException ex) {
            throw new JournalException("journal description cannot be read: file=" + file + " " + ex, ex);
        }
    }

    /** @return 0 if there is none. */
    private static long sequence(final Path file, final String text) {
        try {
            final long sequence = text == null ? 0 : Long.parseLong(text);
            if (sequence >= 0) {
                return sequence;
            }
        } catch (final NumberFormatException ex) {
            throw new JournalException("not a journal description: file=" + file + " firstSequence=" + text, ex);
        }
        throw notADescription(file, "firstSequence=" + text);
    }

    /**
     * One mapping of names to plain values, taken from the parser's events: they take neither stack nor memory, however
     * deep a file is nested, and an alias that leads back to itself leads nowhere.
     */
    private static Map<String, String> entries(final Path file, final String text) {
        final Map<String, String> entries = new HashMap<>();
        boolean isInMapping = false;
        String key = null;
        try {
            for (final Event event : new Parse(YamlSettings.forText(text).build()).parseString(text)) {
                if (isInMapping && event instanceof ScalarEvent scalar) {
                    if (key == null) {
                        key = scalar.getValue();
                    } else if (entries.put(key, scalar.getValue()) == null) {
                        key = null;
                    } else {
                        throw notADescription(file, "key=" + key + " is there twice");
                    }
                } else if (!isInMapping && event instanceof MappingStartEvent) {
                    isInMapping = true;
                } else if (event instanceof NodeEvent) {
                    throw notADescription(file, "it is not one flat mapping of names to values");
                }
            }
        } catch (final YamlEngineException | NumberFormatException ex) {
            // The second is what the parser lets through where a file ends within an escape.
            throw new JournalException("journal description cannot be read: file=" + file + " " + ex, ex);
        }
        return entries;
    }

    private static JournalException notADescription(final Path file, final String reason) {
        return new JournalException("not a journal description: file=" + file + " " + reason);
    }
}
