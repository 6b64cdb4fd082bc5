package io.tiercel.tools;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Writes the {@code --json} files. */
public final class Json {

    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private Json() {
    }

    public static void write(final Path file, final Map<String, Object> content) {
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            Files.writeString(file, toText(content) + "\n", StandardCharsets.UTF_8);
        } catch (final IOException e) {
            throw ToolException.environment("cannot write " + file + ": " + e, e);
        }
    }

    static String toText(final Map<String, Object> content) {
        try {
            return MAPPER.writeValueAsString(content);
        } catch (final JsonProcessingException e) {
            throw new IllegalArgumentException("content cannot be written as JSON", e);
        }
    }

    /** Fails now, in one line, rather than after a long run. */
    public static void checkWritable(final String option, final Path file) {
        if (file == null) {
            return;
        }
        final Path folder = file.toAbsolutePath().getParent();
        if (Files.isDirectory(file)) {
            throw ToolException.badArgument(option + "=" + file + " is a directory");
        }
        if (folder != null && Files.exists(folder) && !(Files.isDirectory(folder) && Files.isWritable(folder))) {
            throw ToolException.badArgument(option + "=" + file + " cannot be written: " + folder
                    + " is not a writable directory");
        }
        if (Files.exists(file) && !Files.isWritable(file)) {
            throw ToolException.badArgument(option + "=" + file + " cannot be written");
        }
    }
}
