package io.tiercel.tools.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.config.IdleMode;
import io.tiercel.appliance.config.Layout;
import io.tiercel.tools.CapturedCommand;
import io.tiercel.tools.ExitCode;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Few strangers, and no look at the figures: what is measured is for a quiet machine. */
@Timeout(120)
class AccessBenchTest {

    private static final int STRANGERS = 41;

    @TempDir
    private Path folder;

    @Test
    void shouldLetNobodyInAndAnswerEveryRequestInside() {
        final AccessPlan plan = new AccessPlan(
                Layout.COMPACT, IdleMode.BACKOFF, 200, STRANGERS, 100, 2, folder, false, folder.resolve("a.hlog"));
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final AccessReport report = new AccessBench(
                plan, SystemNanoClock.INSTANCE, new PrintStream(out, true, StandardCharsets.UTF_8)).run();
        assertTrue(report.holds(), report::toString);
        assertEquals(STRANGERS, report.strangers().knocked());
        assertEquals(0, report.strangers().unsent());
        assertEquals(0, report.strangers().challenged());
        assertEquals(0, report.strangers().letIn());
        assertTrue(report.strangers().refused() > 0, report::toString);
        assertEquals(STRANGERS, report.denied());
        assertEquals(1, report.welcomed());
        assertEquals(plan.requestCount(), report.quiet().counts().answered());
        assertEquals(plan.requestCount(), report.nextDoor().counts().answered());
        assertEquals(plan.requestCount(), report.attacked().counts().answered());
        assertTrue(report.toString().contains("let-in=0"), report::toString);
    }

    @Test
    void shouldSplitTheStrangersAmongTheTurns() {
        final AccessPlan plan =
                new AccessPlan(Layout.COMPACT, IdleMode.SPIN, 5_000, 10_001, 200, 5, folder, true, null);
        long count = 0;
        for (int turn = 0; turn < plan.turns(); turn++) {
            count += plan.strangersOf(turn);
        }
        assertEquals(10_001, count);
        assertEquals(50_000, plan.requestsOf(1));
        assertEquals(50_025, plan.requestsOf(0));
    }

    @Test
    void shouldReadTheCountsThatItWrote() {
        final StrangerCounts counts = new StrangerCounts(10, 1, 3, 2, 1);
        assertEquals(counts, StrangerCounts.parse(Strangers.DONE + " " + counts));
        assertEquals(4, counts.unanswered());
        assertEquals(new StrangerCounts(20, 2, 6, 4, 2), counts.plus(counts));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--rate=0", "--strangers=0", "--stranger-rate=251", "--turns=0", "--turns=10001"})
    void shouldRefuseWhatCannotBe(final String argument) {
        final CapturedCommand command = CapturedCommand.run(List.of("bench", "access"), argument);
        assertEquals(ExitCode.BAD_ARGUMENTS, command.exitCode());
        assertFalse(command.err().contains("Exception"), command.err());
    }
}
