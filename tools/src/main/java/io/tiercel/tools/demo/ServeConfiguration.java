package io.tiercel.tools.demo;

import io.tiercel.tools.ToolException;
import io.tiercel.tools.YamlText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Writes the configuration with which the demo starts its appliance; it stays beside the journal, to run again. */
final class ServeConfiguration {

    private ServeConfiguration() {
    }

    static Path write(final DemoPlan plan, final String aeronDirectoryName) {
        final Path file = plan.folder().resolve("serve.yaml");
        try {
            Files.writeString(file, text(plan, aeronDirectoryName), StandardCharsets.UTF_8);
            return file;
        } catch (final IOException e) {
            throw ToolException.environment("cannot write " + file + ": " + e, e);
        }
    }

    static String text(final DemoPlan plan, final String aeronDirectoryName) {
        return """
                name: demo
                layout: %s
                aeron:
                  directory: %s
                journal:
                  directory: %s
                  durability: %s
                models:
                  - alias: %s
                    bundle: %s
                    backend: %s
                foreseen-tokens: %d
                diagnostics:
                  echo: true
                """.formatted(
                plan.layout().name().toLowerCase(Locale.ROOT),
                YamlText.quoted(aeronDirectoryName),
                YamlText.quoted(plan.journal()),
                plan.durability().name().toLowerCase(Locale.ROOT),
                DemoPlan.ALIAS,
                YamlText.quoted(plan.bundle()),
                YamlText.quoted(plan.backend()),
                plan.foreseenTokens());
    }
}
