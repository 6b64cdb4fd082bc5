package io.tiercel.appliance.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tiercel.protocol.FuzzSeeds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Any bytes as a configuration: a context that concludes or is refused, or a refusal of one line. */
@Timeout(20)
class ConfigFuzzTest {

    @TempDir
    private static Path directory;

    private static Path file;

    @BeforeAll
    static void nameFile() {
        file = directory.resolve("any.yaml");
    }

    @FuzzTest
    void shouldReadOrRefuseAnyFile(final byte[] bytes) throws IOException {
        Files.write(file, bytes);
        try {
            final ApplianceContext context = ConfigReader.read(file);
            assertTrue(context.conclude().isConcluded(), "not concluded");
        } catch (final ConfigException ex) {
            assertEquals(1, ex.getMessage().lines().count(), ex.getMessage());
        }
    }

    @Test
    void shouldHaveSeedsOfEveryKeyAndEveryKindOfRefusal() {
        FuzzSeeds.of(ConfigFuzzTest.class, "shouldReadOrRefuseAnyFile")
                .add("smallest", text("journal:\n  directory: j\nmodels:\n  - alias: a\n    bundle: b\n"))
                .add("every-key", text(everyKey()))
                .add("flow", text("{journal: {directory: j}, models: [{alias: a, bundle: b, threads: 2}]}"))
                .add("gpu", text("{journal: {directory: j}, models: [{alias: a, bundle: b, gpu-mode: graphs,"
                        + " gpu-answer-limit: 250ms}]}"))
                .add("json", text("{\"limits\": {\"clients\": 8, \"steps\": 64}, \"echo\": true}"))
                .add("quoted", text("name: \"a\\u0041\"\naeron:\n  request-channel: 'aeron:udp?endpoint=h:1'\n"))
                .add("comment", text("# c\n--- # d\nname: a # e\n...\n"))
                .add("block", text("name: |-\n  a\njournal:\n  directory: >\n    folded\n    twice\n"))
                .add("bad-key", text("limts:\n  clients: 3\n"))
                .add("bad-value", text("limits:\n  clients: -1_0\n  frame-length: 64q\nlayout: sideways\n"))
                .add("twice", text("name: a\nname: b\n"))
                .add("anchor", text("name: &a b\nidle: *a\n"))
                .add("tag", text("name: !!str b\n"))
                .add("deep", text("[".repeat(12) + "]".repeat(12)))
                .add("two", text("name: a\n---\nname: b\n"))
                .add("complex-key", text("? [a, b]\n: c\n"))
                .add("not-utf8", new byte[] {'n', ':', ' ', (byte) 0xC3, 0x28})
                .add("mark", text("\uFEFFname: \u00e9\n"))
                .check();
    }

    /** Each key with its default, one block for each section. */
    private static String everyKey() {
        final ApplianceContext context = new ApplianceContext().journalDirectory(Path.of("j"));
        final StringBuilder yaml = new StringBuilder();
        String section = "";
        for (final ConfigKey<?> key : ConfigKey.all()) {
            final String value = key.print(context);
            if (!value.isEmpty()) {
                final String[] parts = key.name().split("\\.");
                if (parts.length == 2 && !parts[0].equals(section)) {
                    yaml.append(parts[0]).append(":\n");
                }
                section = parts.length == 2 ? parts[0] : "";
                yaml.append(parts.length == 2 ? "  " : "").append(parts[parts.length - 1]).append(": ")
                        .append(key.isList() ? "[" + value + "]" : value).append('\n');
            }
        }
        return yaml.toString();
    }

    private static byte[] text(final String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
