package io.tiercel.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.tools.market.TradeFeatures;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class TiercelCommandTest {

    private static final int TRADE_FEATURES = new TradeFeatures().names().size();

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "|Missing required command",
        "nonsense|nonsense",
        "demo --nonsense|--nonsense",
        "demo --events x|--events",
        "demo --events -1|--events=-1",
        "demo --rate 0|--rate=0",
        "demo --rate NaN|--rate=NaN",
        "demo --layout wide|--layout=wide",
        "demo --weights int2|--weights=int2",
        "demo --model /no/such/file|--model=/no/such/file",
        "demo --input /no/such/file.zip|/no/such/file.zip",
        "demo --sessions -3|sessions=-3",
        "demo --json /proc/version/none|--json=/proc/version/none",
        "serve|--config",
        "serve --config /no/such/file|--config=/no/such/file",
        "load --rate 0|--rate=0",
        "load --sessions 0|--sessions=0",
        "load --duration 10|--duration",
        "load --duration 0|--duration=0",
        "load --pattern sine|--pattern=sine",
        "load --features none|--features=none",
        "load --burst-size 0 --pattern burst|--burst-size=0",
        "load --find-sustainable --pattern 1hz|1hz",
        "load --overload 0|--overload=0",
        "load --overload --pattern 1hz|1hz",
        "backends extra|extra",
    })
    void shouldSayInOneLineWhatIsWrongAndExitWithTwo(final String arguments, final String expected) {
        final int exitCode = execute(arguments == null ? new String[0] : arguments.split(" "));

        assertEquals(ExitCode.BAD_ARGUMENTS, exitCode, err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(err.toString().startsWith("tiercel"), err.toString());
        assertTrue(err.toString().contains(expected), err.toString());
    }

    @Test
    void shouldRefuseAJournalDirectoryThatIsNotEmpty(
            @TempDir final Path folder, @TempDir final Path models) throws Exception {
        Files.writeString(folder.resolve("something"), "");
        final Path model = RandomModels.lstm(1).features(TRADE_FEATURES).write(models);
        assertEquals(ExitCode.BAD_ARGUMENTS, execute(
                "demo", "--events", "100", "--model", model.toString(), "--journal", folder.toString()));
        assertTrue(err.toString().contains("--journal=" + folder + " is not empty"), err.toString());
    }

    @Test
    void shouldRefuseAModelThatTakesOtherFeatures(@TempDir final Path folder) {
        final Path model = RandomModels.lstm(1).features(TRADE_FEATURES + 1).write(folder);
        assertEquals(ExitCode.BAD_ARGUMENTS, execute("demo", "--events", "100", "--model", model.toString(),
                "--journal", folder.resolve("journal").toString()));
        assertTrue(err.toString().contains("takes " + (TRADE_FEATURES + 1) + " features"), err.toString());
        assertFalse(Files.exists(folder.resolve("journal")), "nothing is made for a demo that cannot run");
    }

    @Test
    void shouldRefuseABackendThatIsNotThere(@TempDir final Path folder) {
        final Path model = RandomModels.lstm(1).features(TRADE_FEATURES).write(folder);
        assertEquals(ExitCode.BAD_ARGUMENTS, execute("demo", "--events", "100", "--model", model.toString(),
                "--backend", "abacus", "--journal", folder.resolve("journal").toString()));
        assertTrue(err.toString().contains("--backend=abacus"), err.toString());
    }

    @Test
    void shouldSayFileLineAndKeyWhenTheConfigurationIsBad(@TempDir final Path folder) throws Exception {
        final Path config = Files.writeString(folder.resolve("bad.yaml"), "name: a\nlimits:\n  cleints: 3\n");
        assertEquals(ExitCode.BAD_ARGUMENTS, execute("serve", "--config", config.toString()));
        assertTrue(err.toString().contains(config + ":3"), err.toString());
        assertTrue(err.toString().contains("limits.cleints"), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
    }

    @Test
    void shouldSayThatThereIsNoDriverWhenLoadHasNoneToConnectTo(@TempDir final Path folder) {
        assertEquals(ExitCode.ENVIRONMENT, execute("load", "--aeron-dir", folder.toString()));
        assertTrue(err.toString().contains("aeron-dir=" + folder), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
    }

    @Test
    void shouldPrintItsVersionAndCommit() {
        assertEquals(ExitCode.OK, execute("--version"));
        assertTrue(out.toString().startsWith("tiercel "), out.toString());
        assertTrue(out.toString().contains("commit "), out.toString());
    }

    @Test
    void shouldHaveHelpForEveryCommandAndEveryOption() {
        final CommandLine tiercel = TiercelCommand.commandLine(new PrintWriter(out), new PrintWriter(err));
        checkHelp(tiercel, "--help");
        for (final Map.Entry<String, CommandLine> command : tiercel.getSubcommands().entrySet()) {
            if (!"help".equals(command.getKey())) {
                checkHelp(command.getValue(), command.getKey() + " --help");
            }
        }
    }

    private void checkHelp(final CommandLine command, final String arguments) {
        assertEquals(ExitCode.OK, execute(arguments.split(" ")), arguments);
        assertTrue(command.getCommandSpec().usageMessage().description().length > 0, arguments);
        command.getCommandSpec().options().forEach(
                option -> assertFalse(option.description().length == 0, arguments + " " + option.longestName()));
    }

    private int execute(final String... arguments) {
        err.getBuffer().setLength(0);
        out.getBuffer().setLength(0);
        return TiercelCommand.commandLine(new PrintWriter(out, true), new PrintWriter(err, true)).execute(arguments);
    }
}
