package io.tiercel.appliance;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A fixed budget of seeds. A failure says how to run its seed again; {@code tools/simulate.sh} has the long run. */
class SimulationTest {

    private static final int SEEDS = 100;
    private static final long FIRST_SEED = 1;
    private static Simulation simulation;

    @BeforeAll
    static void setUp() {
        simulation = new Simulation();
    }

    @AfterAll
    static void tearDown() {
        simulation.close();
    }

    @Test
    void shouldKeepEveryPromiseWhenAnythingGoesWrong() {
        RunsOnce.orSkip("the simulation of " + SEEDS + " fixed seeds");
        final int[] counts = new int[SimulationEvent.values().length];
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
            final SimulationTrace trace = simulation.run(seed, null);
            for (final SimulationEvent event : SimulationEvent.values()) {
                counts[event.ordinal()] += trace.countOf(event);
            }
        }
        for (final SimulationEvent event : SimulationEvent.values()) {
            assertTrue(counts[event.ordinal()] > 0, () -> "a run does not meet this any more: " + event);
        }
    }

    @Test
    void shouldRunTheSameWayWhenTheSeedIsTheSame() {
        for (long seed = 1001; seed <= 1010; seed++) {
            assertEquals(simulation.run(seed, null).hash(), simulation.run(seed, null).hash(), "seed=" + seed);
        }
    }

    @Test
    void shouldSayHowToRunItAgainWhenSomethingDoesNotHold() {
        final SimulationTrace trace = new SimulationTrace(null);
        trace.say("client=3 asks id=7");
        final String message = Simulation.failure(42, trace, new AssertionError("answered twice")).getMessage();
        assertTrue(message.contains("answered twice") && message.contains("client=3 asks id=7"), message);
        assertTrue(message.endsWith("tools/simulate.sh --seed 42"), message);
    }
}
