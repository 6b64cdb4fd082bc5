package io.tiercel.appliance.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The document and the table in code are two copies of one thing; here they are held together. */
class ConfigurationDocumentTest {

    private static final Path DOCUMENT = Path.of("CONFIGURATION.md");

    @Test
    void shouldListEachKeyWithItsValuesAndDefaultInTheOrderOfTheTable() throws IOException {
        final List<String> documented = Files.readAllLines(DOCUMENT).stream()
                .filter(line -> line.startsWith("| `"))
                .toList();
        assertEquals(String.join("\n", rows()), String.join("\n", documented));
    }

    private static List<String> rows() {
        final List<String> rows = new ArrayList<>();
        for (final ConfigKey<?> key : ConfigKey.all()) {
            rows.add(row(key.name(), key.typeDescription(), defaultText(key), key.doc()));
            if (key == ConfigKey.MODELS) {
                for (final ModelKey element : ModelKey.values()) {
                    rows.add(row(
                            element.dottedName(), element.typeDescription(), code(element.defaultText()),
                            element.doc()));
                }
            }
        }
        return rows;
    }

    private static String row(final String name, final String values, final String defaultText, final String doc) {
        return "| `" + name + "` | " + values + " | " + defaultText + " | " + doc + " |";
    }

    private static String defaultText(final ConfigKey<?> key) {
        return key.isList() && key.defaultText().isEmpty() ? "empty" : code(key.defaultText());
    }

    private static String code(final String text) {
        return text == null ? "–" : "`" + text + "`";
    }
}
