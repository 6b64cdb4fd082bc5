package io.tiercel.appliance.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApplianceContextTest {

    private static final ModelConfig MODEL = new ModelConfig("trades", Path.of("trades.safetensors"));

    @Test
    void shouldHaveTheDocumentedDefaults() {
        final ApplianceContext context = new ApplianceContext();
        for (final ConfigKey<?> key : ConfigKey.all()) {
            final String defaultText = key.defaultText() == null ? "" : key.defaultText();
            assertEquals(canonical(key, defaultText), key.print(context), key.name());
        }
        assertEquals(7001, context.requestStreamId());
        assertEquals(4096, context.maxFrameLength());
        assertEquals(64L << 20, context.journalPopulateAheadBytes());
        assertEquals(10_000_000_000L, context.heartbeatTimeoutNs());
        assertEquals(List.of("aeron:ipc"), context.responseChannels());
    }

    @Test
    void shouldConcludeWhenOnlyAModelIsGiven() {
        final ApplianceContext context = new ApplianceContext().addModel(MODEL).conclude();
        assertTrue(context.isConcluded());
        assertNotEquals(Layout.AUTO, context.layout());
        assertNotNull(context.aeronDirectoryName());
        assertEquals(Path.of("journal", "telemetry"), context.telemetryDirectory());
    }

    @Test
    void shouldKeepItsValuesWhenConcluded() {
        final ApplianceContext context = new ApplianceContext().addModel(MODEL).conclude();
        assertThrows(IllegalStateException.class, () -> context.maxClients(1));
        assertThrows(IllegalStateException.class, context::conclude);
    }

    @Test
    void shouldTakeTheSystemPropertyAsDefaultAndCodeAsOverride() {
        final String property = ConfigKey.PROPERTY_PREFIX + "limits.clients";
        System.setProperty(property, "7");
        try {
            assertEquals(7, new ApplianceContext().maxClients());
            assertEquals(9, new ApplianceContext().maxClients(9).maxClients());
            System.setProperty(property, "seven");
            final ConfigException ex = assertThrows(ConfigException.class, ApplianceContext::new);
            assertEquals("system property tiercel.limits.clients=seven: must be a whole number", ex.getMessage());
        } finally {
            System.clearProperty(property);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "limits.clients | 0 | limits.clients=0: must be 1 to 4096",
        "limits.clients | -1 | limits.clients=-1: must be 1 to 4096",
        "limits.retries | 1023 | limits.retries=1023: must be 0, or at least limits.in-flight=1024",
        "limits.steps | 4096 | limits.retries=2048: must be 0, or at least limits.steps=4096",
        "limits.ring | 1000 | limits.ring=1000: must be a power of two",
        "limits.ring | 16 | limits.batch=32: must be at most limits.ring=16",
        "limits.ring | 1_048_576 | limits.ring=1048576: times limits.frame-length=8k must be at most 4g",
        "limits.frame-length | 1m | "
                + "limits.frame-length=1m: must be at most an eighth of aeron.response-term-length=1m",
        "limits.frame-length | 1t | limits.frame-length=1t: must be a size like 4096, 64k, 16m or 1g",
        "layout | fast | layout=fast: must be auto, compact, paired or dedicated",
        "layout | COMPACT | layout=COMPACT: must be auto, compact, paired or dedicated",
        "idle | '' | idle=: must be spin, yield, backoff or sleep",
        "journal.roll | weekly | journal.roll=weekly: must be daily or hourly",
        "journal.directory | '' | journal.directory=: must have a value",
        "aeron.request-channel | udp | aeron.request-channel=udp: must be an Aeron channel, like aeron:ipc",
        "aeron.response-channels | '' | "
                + "aeron.response-channels=: must have at least one channel, or no client can be answered",
        "batch.window | 5 | batch.window=5: a duration needs its unit: ns, us, ms or s",
        "batch.window | 2s | batch.window=2s: must be 0ns to 1s",
        "clients.principals | desk 1 | clients.principals=desk 1: must be 1 to 64 of A-Z a-z 0-9 . _ -",
        "diagnostics.echo | yes | diagnostics.echo=yes: must be true or false",
        "models | a=b | models=a=b: models are given in a file or in code",
    })
    void shouldNameKeyAndValueWhenAValueCannotBe(final String key, final String text, final String message) {
        final ApplianceContext context = new ApplianceContext().addModel(MODEL);
        if ("1_048_576".equals(text)) {
            context.maxFrameLength(8_192);
        }
        final ConfigException ex = assertThrows(ConfigException.class, () -> {
            ConfigKey.find(key).orElseThrow().set(context, text);
            context.conclude();
        });
        assertEquals(message, ex.getMessage());
    }

    @Test
    void shouldCheckWhatCodeHasSetWhenConcluded() {
        final ConfigException ex = assertThrows(
                ConfigException.class, () -> new ApplianceContext().addModel(MODEL).maxSteps(0).conclude());
        assertEquals("limits.steps=0: must be 1 to 65535", ex.getMessage());
        assertEquals("limits.steps", ex.key());
        assertThrows(ConfigException.class, () -> new ApplianceContext().addModel(MODEL).layout(null).conclude());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 65})
    void shouldRefuseWhenCodeGivesAModelThreadsThatCannotBe(final int threads) {
        final ModelConfig model = new ModelConfig("trades", Path.of("t"), "auto", threads);
        final ConfigException ex = assertThrows(
                ConfigException.class, () -> new ApplianceContext().addModel(model).conclude());
        assertEquals("models=trades=t@auto threads=" + threads + ": must be 1 to 64", ex.getMessage());
    }

    @Test
    void shouldRefuseWhenThereIsNoModelOrAnAliasTwice() {
        assertThrows(ConfigException.class, () -> new ApplianceContext().conclude());
        final ConfigException ex = assertThrows(
                ConfigException.class, () -> new ApplianceContext().addModel(MODEL).addModel(MODEL).conclude());
        assertTrue(ex.getMessage().endsWith("alias=trades is there twice"), ex.getMessage());
    }

    @Test
    void shouldRefuseSeveralWorkersWhenTheLayoutHasOne() {
        final ConfigException ex = assertThrows(ConfigException.class,
                () -> new ApplianceContext().addModel(MODEL).layout(Layout.PAIRED).inferWorkers(2).conclude());
        assertEquals("infer-workers=2: needs layout=dedicated, and layout=paired", ex.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"1, COMPACT", "3, COMPACT", "4, PAIRED", "7, PAIRED", "8, DEDICATED", "192, DEDICATED"})
    void shouldResolveAutoByCores(final int coreCount, final Layout expected) {
        assertEquals(expected, Layout.AUTO.resolve(coreCount));
        assertEquals(Layout.COMPACT, Layout.COMPACT.resolve(coreCount));
    }

    @Test
    void shouldPrintEachValueAsItsKeyTakesIt() {
        final ApplianceContext context = new ApplianceContext().batchWindowNs(1_500).principals(List.of("a", "b"));
        final String text = context.toString();
        assertTrue(text.contains("batch.window=1500ns\n"), text);
        assertTrue(text.contains("clients.principals=a,b\n"), text);
        assertEquals(ConfigKey.all().size(), text.lines().count());
    }

    /** A default such as {@code 50000} or {@code 4k}, printed as the type prints it. */
    private static String canonical(final ConfigKey<?> key, final String text) {
        if (text.isEmpty()) {
            return text;
        }
        final ApplianceContext other = new ApplianceContext();
        key.set(other, text);
        return key.print(other);
    }
}
