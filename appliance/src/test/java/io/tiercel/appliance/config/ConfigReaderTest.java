package io.tiercel.appliance.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigReaderTest {

    private static final String MODELS = "models:\n  - alias: trades\n    bundle: trades.safetensors\n";

    @TempDir
    private Path directory;

    @Test
    void shouldReadEachKindOfValue() throws IOException {
        final ApplianceContext context = read("""
                # an appliance
                name: desk-1
                layout: compact
                aeron:
                  directory: /dev/shm/desk-1
                  response-channels: [aeron:ipc, 'aeron:udp?endpoint=10.0.0.']
                journal: {directory: j, populate-ahead: 16m}
                models:
                  - alias: trades
                    bundle: models/trades.safetensors
                  - {alias: book, bundle: /b.safetensors, backend: reference, threads: 8}
                  - {alias: big, bundle: /c.safetensors, gpu-mode: graphs, gpu-answer-limit: 250ms}
                limits:
                  clients: 1_000
                batch:
                  window: 10us
                clients:
                  principals: []
                diagnostics:
                  echo: true
                """).conclude();
        assertEquals("desk-1", context.name());
        assertEquals(Layout.COMPACT, context.layout());
        assertEquals("/dev/shm/desk-1", context.aeronDirectoryName());
        assertEquals(List.of("aeron:ipc", "aeron:udp?endpoint=10.0.0."), context.responseChannels());
        assertEquals(directory.resolve("j"), context.journalDirectory());
        assertEquals(directory.resolve("j/telemetry"), context.telemetryDirectory());
        assertEquals(16L << 20, context.journalPopulateAheadBytes());
        assertEquals(List.of(
                new ModelConfig("trades", directory.resolve("models/trades.safetensors"), "auto", 1),
                new ModelConfig("book", Path.of("/b.safetensors"), "reference", 8),
                new ModelConfig("big", Path.of("/c.safetensors"), "auto", 1, "graphs", 250_000_000)),
                context.models());
        assertEquals(1_000, context.maxClients());
        assertEquals(10_000, context.batchWindowNs());
        assertTrue(context.echo());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "name: a\\nlimit:\\n  clients: 1 | 2 | unknown key limit: did you mean limits?",
        "limits:\\n  client: 12 | 2 | unknown key limits.client=12: did you mean limits.clients?",
        "limits:\\n  window: 1us | 2 | unknown key limits.window=1us: did you mean batch.window?",
        "limits.clients: 3 | 1 | unknown key limits.clients=3: write its parts nested, not dotted",
        "zzzzzz: 3 | 1 | unknown key zzzzzz=3: known here are name, layout, idle, infer-workers, aeron, journal, "
                + "snapshot, models, limits, overload, batch, foreseen-tokens, foreseen-generated-tokens, "
                + "rehearse-after, clients, access, telemetry, warm-up, diagnostics",
        "name: a\\nname: b | 2 | name=b: is there already, in line 1",
        "limits: {ring: 8}\\nbatch: {}\\nlimits: {ring: 16} | 3 | limits: is there already, in line 1",
        "limits:\\n  clients: 1\\n  clients: 1 | 3 | limits.clients=1: is there already, in line 2",
        "limits:\\n\\n  clients: many | 3 | limits.clients=many: must be a whole number",
        "limits:\\n  clients: 99999 | 2 | limits.clients=99999: must be 1 to 4096",
        "limits:\\n  clients: [1] | 2 | limits.clients: must be a single value, not a list",
        "limits:\\n  clients: {a: 1} | 2 | limits.clients: must be a single value, not a mapping",
        "limits:\\n  clients: | 2 | limits.clients=: must have a value",
        "limits: 3 | 1 | limits: must be a mapping of keys to values, not a single value",
        "limits: | 1 | limits: must be a mapping of keys to values, not nothing",
        "batch:\\n  window: 10 | 2 | batch.window=10: a duration needs its unit: ns, us, ms or s",
        "clients:\\n  principals: desk | 2 | clients.principals=desk: must be a list, not a single value",
        "clients:\\n  principals: ['a,b'] | 2 | clients.principals=a,b: a comma cannot stand in a value",
        "[a, b] | 1 | the file: must be a mapping of keys to values, not a list",
        "hello | 1 | the file: must be a mapping of keys to values, not a single value",
        "models: {a: b} | 1 | models: must be a list, not a mapping",
        "models:\\n  - alias: a | 2 | models[].bundle is missing",
        "models:\\n  - trades.safetensors | 2 | models[]: must be a mapping of keys to values, not a single value",
        "models:\\n  - alias: a\\n    bundel: b | 3 | unknown key models[].bundel=b: did you mean models[].bundle?",
        "models:\\n  - {alias: a b, bundle: c} | 2 | models[].alias=a b: must be 1 to 32 of A-Z a-z 0-9 . _ -",
        "models:\\n  - {alias: a, bundle: b, threads: 0} | 2 | models[].threads=0: must be 1 to 64",
        "models:\\n  - {alias: a, bundle: b, threads: -1} | 2 | models[].threads=-1: must be 1 to 64",
        "models:\\n  - alias: a\\n    bundle: b\\n    threads: 65 | 4 | models[].threads=65: must be 1 to 64",
        "models:\\n  - {alias: a, bundle: b, threads: all} | 2 | models[].threads=all: must be a whole number",
        "models:\\n  - {alias: a, bundle: b, threads: } | 2 | models[].threads=: must have a value",
        "models:\\n  - {alias: a, bundle: b, threads: [2]} | 2 | models[].threads: must be a single value, not a list",
        "models:\\n  - {alias: a, bundle: b, gpu-mode: fast} | 2 | models[].gpu-mode=fast: must be auto, resident or"
                + " graphs",
        "models:\\n  - {alias: a, bundle: b, gpu-answer-limit: 61s} | 2 | models[].gpu-answer-limit=61s: must be 1ms"
                + " to 60s",
        "models:\\n  - {alias: a, bundle: b, thread: 2} | 2 | unknown key models[].thread=2: did you mean"
                + " models[].threads?",
        "? [a]\\n: b | 1 | a key must be a name, not a list",
        "name: a\\n---\\nname: b | 2 | a second document begins: only one is read",
        "name: &x a\\nlayout: *x | 1 | anchors and aliases are not used here",
        "name: !!java.lang.ProcessBuilder a | 1 | tags are not used here",
    })
    void shouldNameFileLineKeyAndValueWhenRefusing(final String yaml, final int line, final String message)
            throws IOException {
        final Path path = write(yaml.replace("\\n", "\n"));
        final ConfigException ex = assertThrows(ConfigException.class, () -> ConfigReader.read(path));
        assertEquals(path + ":" + line + ": " + message, ex.getMessage());
        assertEquals(line, ex.line());
        assertEquals(path.toString(), ex.file());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n\n", "# nothing\n", "---\n", "null\n", "\uFEFF"})
    void shouldRefuseWhenTheFileIsEmpty(final String yaml) throws IOException {
        assertEquals(directory.resolve("a.yaml") + ": the file is empty", message(yaml));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a: b: c", "name: [", "name: 'x", "name: \"\\u", "\tname: a", "name: a\n  b: c",
        "%YAML 9.9\n---\nname: a", "name: \"\\q\"", "name: a\u0000b", "name: @a", "- - -\n -", "{", "}",
        "name: a\u001Bb"})
    void shouldRefuseInOneLineWhenTheFileIsNotYaml(final String yaml) throws IOException {
        final String message = message(yaml);
        assertTrue(message.startsWith(directory.resolve("a.yaml").toString()), message);
        assertEquals(1, message.lines().count(), message);
    }

    @Test
    void shouldSayWhereWhenTheFileIsNotUtf8() throws IOException {
        final Path path = directory.resolve("latin1.yaml");
        Files.write(path, "layout: compact\nname: caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
        final ConfigException ex = assertThrows(ConfigException.class, () -> ConfigReader.read(path));
        assertEquals(path + ":2: not UTF-8 at byte 25", ex.getMessage());
    }

    @Test
    void shouldAcceptAByteOrderMark() throws IOException {
        assertEquals("a", read("\uFEFFname: a\n").name());
    }

    /** The YAML parser fails where its own buffer ends within a pair; where that is, it does not say. */
    @Test
    void shouldAcceptACharacterOfTwoHalvesWherever() throws IOException {
        for (int length = 1_000; length < 1_050; length++) {
            assertEquals("desk-1", read("#" + "x".repeat(length) + "\uD83D\uDE80\nname: desk-1\n").name());
        }
    }

    @Test
    void shouldRefuseWhenNestedWithoutEnd() throws IOException {
        final String suffix = ": nested deeper than " + ConfigReader.MAX_DEPTH;
        assertTrue(message("name: " + "[".repeat(100_000)).endsWith(suffix));
        assertTrue(message("{a: ".repeat(50_000)).endsWith(suffix));
        assertTrue(message("- ".repeat(100_000)).endsWith(suffix));
    }

    @Test
    void shouldRefuseAnAliasBombBeforeItIsBuilt() throws IOException {
        final StringBuilder bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int level = 1; level < 40; level++) {
            bomb.append("a").append(level).append(": &a").append(level).append(" [*a").append(level - 1)
                    .append(", *a").append(level - 1).append("]\n");
        }
        assertTrue(message(bomb.toString()).endsWith("anchors and aliases are not used here"));
    }

    @Test
    void shouldRefuseWhenTheFileIsTooLong() throws IOException {
        assertTrue(message("#".repeat(ConfigReader.MAX_FILE_LENGTH + 1)).endsWith("at most 262144 bytes"));
        assertTrue(message("k".repeat(200_000) + ": 1").length() < 600);
    }

    @Test
    void shouldRefuseWhatIsNoFile() {
        final Path missing = directory.resolve("missing.yaml");
        assertEquals(missing + ": no such file",
                assertThrows(ConfigException.class, () -> ConfigReader.read(missing)).getMessage());
        assertEquals(directory + ": not a regular file",
                assertThrows(ConfigException.class, () -> ConfigReader.read(directory)).getMessage());
    }

    @Test
    void shouldRememberTheLineWhenOnlyConcludingFindsTheFault() throws IOException {
        final ApplianceContext context = read(MODELS + "limits:\n  ring: 1000\n");
        final ConfigException ex = assertThrows(ConfigException.class, context::conclude);
        assertEquals(directory.resolve("a.yaml") + ":5: limits.ring=1000: must be a power of two", ex.getMessage());
    }

    @Test
    void shouldNotBlameTheFileWhenCodeHasChangedTheValue() throws IOException {
        final ApplianceContext context = read(MODELS + "limits:\n  ring: 1024\n").ringCapacity(1000);
        final ConfigException ex = assertThrows(ConfigException.class, context::conclude);
        assertEquals("limits.ring=1000: must be a power of two", ex.getMessage());
    }

    private ApplianceContext read(final String yaml) throws IOException {
        return ConfigReader.read(write(yaml));
    }

    private String message(final String yaml) throws IOException {
        final Path path = write(yaml);
        return assertThrows(ConfigException.class, () -> ConfigReader.read(path)).getMessage();
    }

    private Path write(final String yaml) throws IOException {
        return Files.writeString(directory.resolve("a.yaml"), yaml);
    }
}
