package io.tiercel.appliance.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.CachedNanoClock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When the driver and the conductor have their turn. */
class TransportAgentTest {

    private static final int CYCLE_INTERVAL = 64;
    private static final long MILLISECOND_NS = 1_000_000;

    private final CachedNanoClock clock = new CachedNanoClock();
    private final Turns driver = new Turns();
    private final Turns conductor = new Turns();
    private TransportAgent transport;

    private static final class Turns implements Agent {
        private int count;

        @Override
        public int doWork() {
            count++;
            return 0;
        }

        @Override
        public String roleName() {
            return "turns";
        }
    }

    @BeforeEach
    void setUp() {
        clock.update(Long.MAX_VALUE - MILLISECOND_NS / 2);
        transport = new TransportAgent(
                invoker(driver), invoker(conductor), CYCLE_INTERVAL, clock, new AeronErrors());
        transport.doWork();
        assertEquals(1, driver.count);
    }

    @Test
    void shouldWorkOnceInSoManyCycles() {
        for (int cycle = 0; cycle < 3 * CYCLE_INTERVAL; cycle++) {
            transport.doWork();
        }
        assertEquals(1 + 3, driver.count);
        assertEquals(1 + 3, conductor.count);
    }

    /** Also where the clock's readings overflow. */
    @Test
    void shouldWorkAfterAMillisecondWhateverTheCycles() {
        clock.advance(MILLISECOND_NS - 1);
        transport.doWork();
        assertEquals(1, driver.count);
        clock.advance(1);
        transport.doWork();
        assertEquals(2, driver.count);
        assertEquals(2, conductor.count);
        transport.doWork();
        assertEquals(2, driver.count);
    }

    @Test
    void shouldCountCyclesAnewAfterATurn() {
        clock.advance(MILLISECOND_NS);
        transport.doWork();
        for (int cycle = 1; cycle < CYCLE_INTERVAL; cycle++) {
            transport.doWork();
        }
        assertEquals(2, conductor.count);
        transport.doWork();
        assertEquals(3, conductor.count);
    }

    private static AgentInvoker invoker(final Agent agent) {
        final AgentInvoker invoker = new AgentInvoker(failure -> {
            throw new AssertionError(failure);
        }, null, agent);
        invoker.start();
        return invoker;
    }
}
