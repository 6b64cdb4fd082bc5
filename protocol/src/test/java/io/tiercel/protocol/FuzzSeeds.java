package io.tiercel.protocol;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * The seeds of a fuzz test: sound inputs that code makes, committed as files because that is what the fuzzer reads.
 * They lie where its JUnit integration looks for them, beside what was found on the way ({@code found-…}), and stay
 * what the code makes of them: after a change of format, {@code -Dtiercel.fuzz.write-seeds=true} writes them anew.
 */
public final class FuzzSeeds {

    private static final String PREFIX = "seed-";
    private static final String WRITE = "tiercel.fuzz.write-seeds";

    private final Path directory;
    private final Map<String, byte[]> inputs = new TreeMap<>();

    private FuzzSeeds(final Path directory) {
        this.directory = directory;
    }

    /** @param method of the class, annotated as a fuzz test. */
    public static FuzzSeeds of(final Class<?> fuzzTest, final String method) {
        return new FuzzSeeds(Path.of("src/test/resources", fuzzTest.getPackageName().replace('.', '/'),
                fuzzTest.getSimpleName() + "Inputs", method));
    }

    public FuzzSeeds add(final String name, final byte[] input) {
        inputs.put(PREFIX + name, input);
        return this;
    }

    /** Fails if a committed seed is not what was added, or is missing, or is one too many. */
    public void check() {
        try {
            if (Boolean.getBoolean(WRITE)) {
                write();
            }
            final Map<String, byte[]> committed = read();
            assertEquals(inputs.keySet(), committed.keySet(), this::toString);
            inputs.forEach((name, input) -> assertArrayEquals(input, committed.get(name), () -> this + " " + name));
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    @Override
    public String toString() {
        return "seeds in " + directory + " are not those of this version: run this test with -D" + WRITE + "=true";
    }

    private void write() throws IOException {
        Files.createDirectories(directory);
        for (final String name : read().keySet()) {
            Files.delete(directory.resolve(name));
        }
        for (final Map.Entry<String, byte[]> input : inputs.entrySet()) {
            Files.write(directory.resolve(input.getKey()), input.getValue());
        }
    }

    private Map<String, byte[]> read() throws IOException {
        final Map<String, byte[]> committed = new TreeMap<>();
        if (Files.isDirectory(directory)) {
            try (var files = Files.newDirectoryStream(directory, PREFIX + "*")) {
                for (final Path file : files) {
                    committed.put(file.getFileName().toString(), Files.readAllBytes(file));
                }
            }
        }
        return committed;
    }
}
