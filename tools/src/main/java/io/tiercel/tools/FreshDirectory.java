package io.tiercel.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** A directory that a command fills by itself. */
public final class FreshDirectory {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT).withZone(ZoneOffset.UTC);

    private FreshDirectory() {
    }

    /**
     * Makes it, if it is not there.
     *
     * @param option    for a message.
     * @param directory null: {@code journal/COMMAND-TIME}.
     * @throws ToolException if there is something in it.
     */
    public static Path make(final String command, final String option, final Path directory) {
        final Path path = (directory != null
                ? directory
                : Path.of("journal", command + "-" + TIME.format(Instant.now()))).toAbsolutePath().normalize();
        try {
            if (Files.exists(path) && !Files.isDirectory(path)) {
                throw ToolException.badArgument(option + "=" + path + " is not a directory");
            }
            Files.createDirectories(path);
            try (var entries = Files.newDirectoryStream(path)) {
                if (entries.iterator().hasNext()) {
                    throw ToolException.badArgument(
                            option + "=" + path + " is not empty: " + command + " starts a journal of its own");
                }
            }
            return path;
        } catch (final IOException e) {
            throw ToolException.environment("cannot use " + option + "=" + path + ": " + e, e);
        }
    }
}
