package io.tiercel.appliance.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class ConfigReaderProperties {

    private static Path directory;

    @BeforeContainer
    static void createDirectory() throws IOException {
        directory = Files.createTempDirectory("tiercel-config");
    }

    @AfterContainer
    static void deleteDirectory() throws IOException {
        Files.deleteIfExists(directory.resolve("any.yaml"));
        Files.delete(directory);
    }

    @Property(tries = 300)
    void shouldReadOrRefuseAnyBytesAndNothingElse(@ForAll final byte[] bytes) {
        readOrRefuse(bytes);
    }

    @Property(tries = 1000)
    void shouldReadOrRefuseAnyArrangementOfTokens(@ForAll("documents") final String yaml) {
        readOrRefuse(yaml.getBytes(StandardCharsets.UTF_8));
    }

    @Property(tries = 200)
    void shouldReadBackWhatAContextPrints(
            @ForAll @LongRange(min = 0, max = 1_000_000_000) final long windowNs,
            @ForAll @LongRange(min = 64, max = 131_072) final long frameLength,
            @ForAll final boolean echo,
            @ForAll final Layout layout) {
        final ApplianceContext written = new ApplianceContext()
                .batchWindowNs(windowNs)
                .maxFrameLength((int) frameLength)
                .echo(echo)
                .layout(layout)
                .journalDirectory(directory.resolve("journal"));
        for (final ConfigKey<?> key : ConfigKey.all()) {
            final String value = key.print(written);
            if (!value.isEmpty()) {
                final String yaml = nested(key.name(), key.isList() ? "[" + value + "]" : value);
                assertEquals(value, key.print(read(yaml.getBytes(StandardCharsets.UTF_8))), yaml);
            }
        }
    }

    @Provide
    Arbitrary<String> documents() {
        final List<String> tokens = new ArrayList<>(List.of(
                ": ", "\n", "  ", "- ", "[", "]", "{", "}", ", ", "#", "'", "\"", "|", ">", "&a ", "*a", "!!str ", "? ",
                "---\n", "...\n", "%", "~", "null", "1", "1s", "1m", "true", "\t", "\r\n", "\u0085", "\u2028", "alias",
                "bundle", "models", "limits", "aeron"));
        ConfigKey.all().forEach(key -> tokens.addAll(List.of(key.name().split("\\."))));
        return Arbitraries.of(tokens).list().ofMaxSize(24).map(list -> String.join("", list));
    }

    private static String nested(final String name, final String value) {
        final String[] parts = name.split("\\.");
        return parts.length == 1 ? name + ": " + value : parts[0] + ": {" + parts[1] + ": " + value + "}";
    }

    private static void readOrRefuse(final byte[] bytes) {
        try {
            read(bytes);
        } catch (final ConfigException ex) {
            assertEquals(1, ex.getMessage().lines().count(), ex.getMessage());
        }
    }

    private static ApplianceContext read(final byte[] bytes) {
        try {
            return ConfigReader.read(Files.write(directory.resolve("any.yaml"), bytes));
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }
}
