package io.tiercel.tools.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.load.Measurement;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One turn, and no look at the figures: what is measured is for a quiet machine. */
@Timeout(120)
class DeskBenchTest {

    @TempDir
    private Path folder;

    @Test
    void shouldAnswerEveryRequestWhateverBecomesOfTheDesk() {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final Map<DeskBench.Desk, Measurement> measured = new DeskBench(
                new DeskBench.Plan(Layout.COMPACT, IdleMode.BACKOFF, 200, 300, 1, folder, false),
                SystemNanoClock.INSTANCE, new PrintStream(out, true, StandardCharsets.UTF_8)).run();
        assertEquals(List.of(DeskBench.Desk.values()), List.copyOf(measured.keySet()));
        measured.forEach((desk, part) -> {
            assertTrue(part.counts().allAnswered(), () -> desk + ": " + part.counts());
            assertEquals(300, part.counts().answered(), desk.toString());
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"--rate=0", "--requests=1", "--turns=0", "--turns=1001"})
    void shouldRefuseWhatCannotBe(final String argument) {
        final CapturedCommand command = CapturedCommand.run(List.of("bench", "desk"), argument);
        assertEquals(ExitCode.BAD_ARGUMENTS, command.exitCode());
        assertFalse(command.err().contains("Exception"), command.err());
    }
}
