package io.tiercel.ops.doctor;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The files of a host's kernel, below a root: {@code /}, or a folder that a test has filled. */
public final class HostFiles {

    private static final int MAX_BYTES = 1 << 20;

    private final Path root;

    public HostFiles(final Path root) {
        this.root = root;
    }

    /** The lines of a file; none if it is not there or cannot be read. Kernels' files may hold any bytes. */
    List<String> lines(final String path) {
        try (InputStream in = Files.newInputStream(resolve(path))) {
            // By a large buffer: the kernel gives a setting to one reading, and nothing to a second one behind it.
            return List.of(new String(in.readNBytes(MAX_BYTES), StandardCharsets.ISO_8859_1).split("\n"));
        } catch (final IOException ex) {
            return List.of();
        }
    }

    /** The first line of a file without white space around it; null if there is none. */
    String line(final String path) {
        final List<String> lines = lines(path);
        return lines.isEmpty() ? null : lines.get(0).strip();
    }

    /** A whole number in the first line; {@code missing} if there is none. */
    long number(final String path, final long missing) {
        final String line = line(path);
        try {
            return line == null ? missing : Long.parseLong(line);
        } catch (final NumberFormatException ex) {
            return missing;
        }
    }

    /**
     * The value of the first line that begins with a key, without the key, colons and white space; null if none does.
     */
    String value(final String path, final String key) {
        for (final String line : lines(path)) {
            if (line.startsWith(key)) {
                return line.substring(key.length()).replaceFirst("^[\\s:]+", "").strip();
            }
        }
        return null;
    }

    /** The names in a folder, in order; none if it is not there. */
    List<String> names(final String path) {
        try (Stream<Path> files = Files.list(resolve(path))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (final IOException | UncheckedIOException ex) {
            return List.of();
        }
    }

    /** Of {@code CPU0}, {@code CPU1}, … in order of their numbers. */
    List<String> processors() {
        return names("/sys/devices/system/cpu").stream()
                .filter(name -> name.matches("cpu\\d+"))
                .sorted((one, other) -> Integer.compare(
                        Integer.parseInt(one.substring(3)), Integer.parseInt(other.substring(3))))
                .toList();
    }

    void write(final Setting setting) throws IOException {
        Files.writeString(resolve(setting.file()), setting.value() + "\n", StandardCharsets.US_ASCII);
    }

    Path resolve(final String path) {
        return root.resolve(path.startsWith("/") ? path.substring(1) : path);
    }
}
