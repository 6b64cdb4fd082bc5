package io.tiercel.appliance;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import org.agrona.CloseHelper;
import org.agrona.LangUtil;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.EpochClock;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A media driver that runs on the simulation's thread and clock, with one Aeron client for everybody who talks to the
 * appliance. It outlives the appliance, whose own Aeron client goes with each of its lives.
 *
 * <p>Nothing in it runs by itself, so the same calls in the same order give the same run. What the network does to
 * frames is done in front of it, by {@link SimulatedClient}.
 */
final class SimulatedNetwork implements AutoCloseable {

    private static final int TERM_LENGTH = 64 * 1024;
    /** Two of these after a publication has gone so has its file: no conductor may need longer to have seen it. */
    private static final long TIMER_NS = TimeUnit.MILLISECONDS.toNanos(5);

    private final SimulatedTime time;
    private final String directoryName;
    private final MediaDriver driver;
    private final Aeron clients;

    SimulatedNetwork(final SimulatedTime time, final Path directory) {
        this.time = time;
        directoryName = directory.resolve("aeron").toString();
        driver = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(directoryName)
                .threadingMode(ThreadingMode.INVOKER)
                .asyncExecutorEnabled(false)
                .nanoClock(time.ticks())
                .epochClock(epochClock())
                .timerIntervalNs(TIMER_NS)
                .publicationLingerTimeoutNs(TimeUnit.MILLISECONDS.toNanos(1))
                .imageLivenessTimeoutNs(TimeUnit.MILLISECONDS.toNanos(10))
                .ipcMtuLength(TERM_LENGTH / 8)
                .ipcTermBufferLength(TERM_LENGTH)
                .counterValuesBufferLength(1024 * 1024)
                .dirDeleteOnShutdown(true));
        clients = connect();
    }

    /** An Aeron client of its own, whose conductor its owner runs. */
    Aeron connect() {
        return Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(directoryName)
                .nanoClock(time.ticks())
                .epochClock(epochClock())
                .useConductorAgentInvoker(true)
                .driverAgentInvoker(driver.sharedAgentInvoker())
                .errorHandler(LangUtil::rethrowUnchecked)
                .subscriberErrorHandler(LangUtil::rethrowUnchecked));
    }

    Aeron clients() {
        return clients;
    }

    AgentInvoker driverInvoker() {
        return driver.sharedAgentInvoker();
    }

    String directoryName() {
        return directoryName;
    }

    /** A turn of the driver and of the clients' side. */
    void turn() {
        driver.sharedAgentInvoker().invoke();
        clients.conductorAgentInvoker().invoke();
    }

    @Override
    public void close() {
        CloseHelper.quietCloseAll(clients, driver);
    }

    private EpochClock epochClock() {
        return () -> TimeUnit.NANOSECONDS.toMillis(time.ticks().nanoTime());
    }
}
