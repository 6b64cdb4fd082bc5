package io.tiercel.appliance.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.nio.file.Path;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.CachedNanoClock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** When the driver and the conductor have their turn. */
class TransportAgentTest {

    private static final int CYCLE_INTERVAL = 64;
    private static final long MILLISECOND_NS = 1_000_000;
    private static final int COUNTER_TYPE_ID = 9_999;

    private final CachedNanoClock clock = new CachedNanoClock();
    private final Turns driver = new Turns();
    private final Turns conductor = new Turns();
    private TransportAgent transport;

    private static final class Turns implements Agent {
        private int count;
        private int openCount;

        @Override
        public int doWork() {
            count++;
            return openCount > 0 ? openCount-- : 0;
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

    /** In each turn a message is taken, and there are as many as the last millisecond has brought. */
    @Test
    void shouldWorkUntilThereIsNothingToDoWhenItComesLate() {
        driver.openCount = 3;
        conductor.openCount = 20;
        clock.advance(MILLISECOND_NS);
        transport.doWork();
        assertEquals(1 + 4, driver.count);
        assertEquals(1 + 21, conductor.count);
    }

    @Test
    void shouldNotWorkForEverWhenItComesLate() {
        driver.openCount = 1_000;
        conductor.openCount = 1_000;
        clock.advance(MILLISECOND_NS);
        transport.doWork();
        assertEquals(1 + 8, driver.count);
        assertEquals(1 + 64, conductor.count);
    }

    /** A message a turn, so that a request waits for no more; there is another turn soon. */
    @Test
    void shouldWorkOnceWhenItIsNotLate() {
        conductor.openCount = 20;
        for (int cycle = 0; cycle < CYCLE_INTERVAL; cycle++) {
            transport.doWork();
        }
        assertEquals(1 + 1, conductor.count);
    }

    /** The driver tells each client of each counter, and gives up one that does not listen. */
    @Test
    @Timeout(60)
    void shouldKeepUpWithTheDriverAtATurnAMillisecond(@TempDir final Path directory) {
        try (MediaDriver realDriver = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(directory.toString()).dirDeleteOnStart(true).threadingMode(ThreadingMode.INVOKER));
                Aeron others = connect(realDriver);
                Aeron aeron = connect(realDriver)) {
            final TransportAgent polite = new TransportAgent(realDriver.sharedAgentInvoker(),
                    aeron.conductorAgentInvoker(), CYCLE_INTERVAL, clock, new AeronErrors());
            for (int millisecond = 0; millisecond < 15_000; millisecond++) {
                for (int i = 0; i < 3; i++) {
                    others.addCounter(COUNTER_TYPE_ID, "x").close();
                }
                clock.advance(MILLISECOND_NS);
                polite.doWork();
            }
            assertFalse(aeron.isClosed());
        }
    }

    private static Aeron connect(final MediaDriver realDriver) {
        return Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(realDriver.aeronDirectoryName())
                .driverAgentInvoker(realDriver.sharedAgentInvoker())
                .errorHandler(failure -> {})
                .useConductorAgentInvoker(true));
    }

    private static AgentInvoker invoker(final Agent agent) {
        final AgentInvoker invoker = new AgentInvoker(failure -> {
            throw new AssertionError(failure);
        }, null, agent);
        invoker.start();
        return invoker;
    }
}
