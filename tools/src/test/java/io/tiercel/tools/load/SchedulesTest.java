package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SchedulesTest {

    @Test
    void shouldNotDriftWhenTheIntervalIsNoWholeNumber() {
        final Schedule schedule = Schedules.constant(3);
        long dueNs = 0;
        for (int i = 0; i <= 3_000_000; i++) {
            dueNs = schedule.nextNs();
        }
        assertEquals(1_000_000_000_000_000L, dueNs, 1.0);
    }

    @Test
    void shouldMakeABurstDueAtOneInstantAndKeepTheMeanRate() {
        final Schedule schedule = Schedules.burst(1_000, 4);
        final long[] due = new long[9];
        for (int i = 0; i < due.length; i++) {
            due[i] = schedule.nextNs();
        }
        assertEquals(0, due[3]);
        assertEquals(4_000_000, due[4]);
        assertEquals(4_000_000, due[7]);
        assertEquals(8_000_000, due[8]);
    }

    @Test
    void shouldSendOnceASecondWhenOneHertz() {
        final Schedule schedule = Schedules.oneHertz(1);
        assertEquals(0, schedule.nextNs());
        assertEquals(1_000_000_000, schedule.nextNs());
        assertEquals(2_000_000_000, schedule.nextNs());
    }

    @Test
    void shouldKeepTheMeanRateAndRepeatFromTheSeedWhenPoisson() {
        final Schedule schedule = Schedules.poisson(1_000, 42);
        final Schedule again = Schedules.poisson(1_000, 42);
        long previousNs = 0;
        for (int i = 0; i < 100_000; i++) {
            final long dueNs = schedule.nextNs();
            assertTrue(dueNs >= previousNs);
            assertEquals(dueNs, again.nextNs());
            previousNs = dueNs;
        }
        assertEquals(100.0, previousNs / 1e9, 2.0);
    }

    @Test
    void shouldRefuseWhatIsNoRateOrBurst() {
        assertThrows(IllegalArgumentException.class, () -> Schedules.constant(0));
        assertThrows(IllegalArgumentException.class, () -> Schedules.constant(Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> Schedules.poisson(-1, 0));
        assertThrows(IllegalArgumentException.class, () -> Schedules.burst(10, 0));
        assertThrows(IllegalArgumentException.class, () -> Schedules.oneHertz(0));
    }
}
