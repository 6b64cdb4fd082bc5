package io.tiercel.appliance.journal;

import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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

    private JournalLayout() {
    }

    static void write(final Path directory, final RollPeriod roll) throws IOException {
        final Path file = directory.resolve(DESCRIPTION);
        final Path draft = directory.resolve(DESCRIPTION + ".tmp");
        Files.write(draft, ("# A Tiercel journal.\nformatVersion: " + FORMAT_VERSION + "\nroll: " + roll + "\n")
                .getBytes(StandardCharsets.UTF_8));
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /**
     * @return how the journal rolls.
     * @throws JournalException if this is not a journal, or not one of a format that this version knows.
     */
    static RollPeriod read(final Path directory) {
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
            final Map<?, ?> entries = (Map<?, ?>) document;
            final Object version = entries.get("formatVersion");
            if (!Integer.valueOf(FORMAT_VERSION).equals(version)) {
                throw new JournalException("journal format is not one this version reads: file=" + file +
                        " formatVersion=" + version + " supported=" + FORMAT_VERSION);
            }
            return RollPeriod.parse(String.valueOf(entries.get("roll")));
        } catch (final IOException | YamlEngineException ex) {
            throw new JournalException("journal description cannot be read: file=" + file + " " + ex, ex);
        }
    }
}
