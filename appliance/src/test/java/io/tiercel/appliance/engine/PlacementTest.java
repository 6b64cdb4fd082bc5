package io.tiercel.appliance.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which backend wins, by a clock of which every look takes a microsecond, and a device's step more or less. */
class PlacementTest {

    private static final int NEVER = Integer.MAX_VALUE;
    private static final long LOOK_NS = 1_000;

    private final Bundle bundle = RandomModels.lstm(3).hidden(8).bundle();
    private long nowNs;

    @Test
    void shouldTakeTheDeviceWhenItIsFaster() {
        final Placement placement = choose(new LosableBackend(NEVER, () -> nowNs -= LOOK_NS / 2));
        assertEquals("losable", placement.backend().name());
        assertEquals("backend=losable has the smallest median: " +
                "losable p50=0.50us p99=0.50us p99.9=0.50us max=0.50us steps=4000; " +
                "reference p50=1.00us p99=1.00us p99.9=1.00us max=1.00us steps=4000", placement.rationale());
        placement.model().close();
    }

    @Test
    void shouldKeepToTheProcessorWhenTheDeviceIsNotFaster() {
        final Placement placement = choose(new LosableBackend(NEVER, () -> nowNs += 5 * LOOK_NS));
        assertEquals("reference", placement.backend().name());
        assertTrue(placement.rationale().startsWith("backend=reference has the smallest median: losable p50=6.00us"),
                placement.rationale());
    }

    @Test
    void shouldMakeFewerStepsWhenTheyTakeLong() {
        final Placement placement = choose(new LosableBackend(NEVER, () -> nowNs += 10_000_000_000L));
        assertEquals("reference", placement.backend().name());
        assertTrue(placement.rationale().contains("steps=1;"), placement.rationale());
    }

    @Test
    void shouldKeepToTheProcessorWhenTheDeviceIsLostMeanwhile() {
        for (final int calls : new int[] {0, 1, 100}) {
            final Placement placement = choose(new LosableBackend(calls));
            assertEquals("reference", placement.backend().name());
            assertTrue(placement.rationale().contains("losable has lost its device; reference p50="),
                    placement.rationale());
        }
    }

    @Test
    void shouldMeasureNothingWhenThereIsNoChoice() {
        final Placement placement = Placement.choose(
                List.of(new ReferenceBackend()), bundle, 1, DeviceSettings.DEFAULTS, () -> {
                    throw new AssertionError("nobody looks at the clock");
                });
        assertEquals("reference", placement.backend().name());
        assertEquals("", placement.rationale());
    }

    /** The reference is preferred, as the CPU is to a GPU. */
    private Placement choose(final Backend device) {
        return Placement.choose(List.of(new ReferenceBackend(), device), bundle, 1, DeviceSettings.DEFAULTS,
                () -> nowNs += LOOK_NS);
    }
}
