package io.tiercel.tools.chaos;

import io.tiercel.tools.ToolException;
import io.tiercel.tools.YamlText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Writes the configuration of the appliance that is killed: one thread that gives way when idle, a journal that makes
 * little memory ready, a short warm-up. It is to start often, beside its clients, on a small machine.
 */
final class ChaosConfiguration {

    /** Requests of a client that may be on their way when the appliance dies; the retry window holds them all. */
    static final int MAX_IN_FLIGHT = 256;

    private ChaosConfiguration() {
    }

    static Path write(final ChaosPlan plan, final String aeronDirectoryName) {
        final Path file = plan.directory().resolve("serve.yaml");
        try {
            return Files.writeString(file, text(plan, aeronDirectoryName), StandardCharsets.UTF_8);
        } catch (final IOException e) {
            throw ToolException.environment("cannot write " + file + ": " + e, e);
        }
    }

    static String text(final ChaosPlan plan, final String aeronDirectoryName) {
        return """
                name: chaos
                layout: compact
                idle: backoff
                aeron:
                  directory: %s
                journal:
                  directory: %s
                  durability: %s
                  block-size: 16m
                  populate-ahead: 1m
                snapshot:
                  interval: %dms
                models:
                  - alias: chaos
                    bundle: %s
                limits:
                  clients: %d
                  in-flight: %d
                warm-up:
                  requests: 1000
                """.formatted(
                YamlText.quoted(aeronDirectoryName),
                YamlText.quoted(plan.journal()),
                plan.durability().name().toLowerCase(Locale.ROOT),
                plan.snapshotInterval().toMillis(),
                YamlText.quoted(plan.bundle()),
                plan.clientCount() + 1,
                MAX_IN_FLIGHT);
    }
}
