package io.tiercel.appliance.cycle;

import io.tiercel.appliance.sequencer.PipelineState;
import io.tiercel.appliance.telemetry.CounterId;
import io.tiercel.appliance.telemetry.Counters;
import io.tiercel.appliance.telemetry.HiccupRecorder;
import io.tiercel.appliance.telemetry.RunDirectory;
import io.tiercel.appliance.telemetry.StallWriter;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentTerminationException;
import org.agrona.concurrent.CachedNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

class DutyCycleTest {

    private static final long STALL_NS = 1_000_000;

    private final CachedNanoClock clock = new CachedNanoClock();
    private final CycleClock cycleClock = new CycleClock(clock);
    private final Counters counters = Counters.inMemory();
    private final PipelineState state = new PipelineState();
    private final List<String> calls = new ArrayList<>();

    /** Says what it is asked to do, and does as much work as it is told. */
    private final class Stage implements Agent {
        private final String name;
        private int work;
        private Throwable failure;

        private Stage(final String name) {
            this.name = name;
        }

        @Override
        public void onStart() {
            calls.add("start " + name);
        }

        @Override
        public int doWork() throws Exception {
            calls.add(name + "@" + cycleClock.nanoTime());
            if (failure instanceof Exception) {
                throw (Exception) failure;
            }
            if (failure != null) {
                throw (Error) failure;
            }
            return work;
        }

        @Override
        public void onClose() {
            calls.add("close " + name);
        }

        @Override
        public String roleName() {
            return name;
        }
    }

    private final Stage first = new Stage("first");
    private final Stage second = new Stage("second");

    @Test
    void shouldShowTheLastReadingWhenTheClockHasGoneOn() {
        assertEquals(0, cycleClock.nanoTime());
        clock.update(5);
        assertEquals(0, cycleClock.nanoTime());
        assertEquals(5, cycleClock.read());
        assertEquals(5, cycleClock.nanoTime());
    }

    @Test
    void shouldRunTheStagesInOrderOnOneTimeWhenItWorks() {
        first.work = 2;
        second.work = 3;
        final DutyCycle cycle = cycle();
        clock.update(7);
        assertEquals(5, cycle.doWork());
        assertEquals(List.of("first@7", "second@7"), calls);
    }

    @Test
    void shouldStartAndCloseEachStageWhenItDoes() {
        final DutyCycle cycle = cycle();
        cycle.onStart();
        cycle.onClose();
        assertEquals(List.of("start first", "start second", "close first", "close second"), calls);
        assertEquals("io", cycle.roleName());
    }

    @Test
    void shouldEndAndSayWhyWhenAStageThrows() {
        final DutyCycle cycle = cycle();
        first.failure = new IllegalStateException("broken invariant");
        final AgentTerminationException end = assertThrows(AgentTerminationException.class, cycle::doWork);
        assertSame(first.failure, end.getCause());
        assertSame(first.failure, state.failure());
        assertEquals(PipelineState.Phase.DRAINING, state.phase());
        assertEquals(List.of("first@0"), calls);
    }

    @Test
    void shouldEndAndSayWhyWhenAStageThrowsAnError() {
        final DutyCycle cycle = cycle();
        second.failure = new AssertionError("broken");
        assertThrows(AgentTerminationException.class, cycle::doWork);
        assertSame(second.failure, state.failure());
    }

    @Test
    void shouldCountAHiccupWhenAnIdleRoundIsLong() {
        final DutyCycle cycle = cycle();
        cycle.doWork();
        clock.update(STALL_NS);
        cycle.doWork();
        assertEquals(1, counters.value(CounterId.STALLS_OVER_1MS));
        clock.update(2 * STALL_NS - 1);
        cycle.doWork();
        assertEquals(1, counters.value(CounterId.STALLS_OVER_1MS));
        assertNull(state.failure());
    }

    @Test
    void shouldCountNoHiccupWhenTheRoundBeforeWorked() {
        final DutyCycle cycle = cycle();
        first.work = 1;
        cycle.doWork();
        clock.update(10 * STALL_NS);
        cycle.doWork();
        assertEquals(0, counters.value(CounterId.STALLS_OVER_1MS));
    }

    @Test
    void shouldMeasureARoundWithWorkFromItsBeginningToThatOfTheNext(@TempDir final Path directory) throws IOException {
        final HiccupRecorder hiccups = new HiccupRecorder(true, counters);
        final StallWriter writer = new StallWriter(
                Map.of("io", hiccups), RunDirectory.create(directory, 0, 0, List.of("io"), 1),
                counters.happenings());
        final DutyCycle cycle = new DutyCycle("io", List.of(first, second), cycleClock, hiccups, state);
        first.work = 3;
        clock.update(1_000);
        cycle.doWork();
        clock.update(2_000);
        cycleClock.read();
        clock.update(1_000 + STALL_NS);
        cycle.doWork();
        writer.onClose();
        try (Stream<Path> runs = Files.list(directory)) {
            assertEquals("1000,1000000,io,3,",
                    Files.readAllLines(runs.findFirst().orElseThrow().resolve("stalls.csv")).get(1));
        }
    }

    private DutyCycle cycle() {
        return new DutyCycle("io", List.of(first, second), cycleClock, new HiccupRecorder(true, counters),
                state);
    }
}
