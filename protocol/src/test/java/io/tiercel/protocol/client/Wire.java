package io.tiercel.protocol.client;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.agrona.CloseHelper;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;

/**
 * A media driver, a fake appliance and a client's context, all run by the test's own thread: nothing here waits for
 * another thread, so nothing depends on how busy the machine is. The client's clock is the test's, and stands still
 * unless moved.
 */
final class Wire implements AutoCloseable {

    private static final long WATCHDOG_NS = TimeUnit.SECONDS.toNanos(30);

    final MediaDriver driver = MediaDriver.launchEmbedded(new MediaDriver.Context()
            .threadingMode(ThreadingMode.INVOKER)
            .ipcTermBufferLength(64 * 1024)
            .termBufferSparseFile(true)
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true));
    final FakeAppliance appliance = new FakeAppliance(
            Aeron.connect(aeronContext()), ClientContext.DEFAULT_REQUEST_STREAM_ID);
    final SettableClock clock = new SettableClock();
    final ClientContext context = new ClientContext()
            .aeronDirectoryName(driver.aeronDirectoryName())
            .driverInvoker(driver.sharedAgentInvoker())
            .requestTermLength(64 * 1024)
            .firstCorrelationId(1)
            .principal("desk-7")
            .nanoClock(clock);

    Aeron.Context aeronContext() {
        return new Aeron.Context()
                .aeronDirectoryName(driver.aeronDirectoryName())
                .driverAgentInvoker(driver.sharedAgentInvoker())
                .useConductorAgentInvoker(true)
                .errorHandler(new AeronFailure())
                .subscriberErrorHandler(AeronFailure::rethrow);
    }

    TiercelClient connect() {
        final TiercelClient[] client = new TiercelClient[1];
        try (AsyncConnect connecting = TiercelClient.asyncConnect(context)) {
            await("a connection", () -> (client[0] = connecting.poll()) != null);
        }
        return client[0];
    }

    /** Runs the driver and the appliance until the condition holds; the watchdog is for a test that hangs. */
    void await(final String what, final BooleanSupplier condition) {
        final NanoClock watch = SystemNanoClock.INSTANCE;
        final long deadlineNs = watch.nanoTime() + WATCHDOG_NS;
        while (!condition.getAsBoolean()) {
            run();
            if (watch.nanoTime() - deadlineNs > 0) {
                throw new AssertionError("waited in vain for " + what);
            }
        }
    }

    void run() {
        driver.sharedAgentInvoker().invoke();
        appliance.poll();
        Thread.onSpinWait();
    }

    @Override
    public void close() {
        CloseHelper.closeAll(appliance, driver);
    }

    static final class SettableClock implements NanoClock {

        private long nowNs = 1_000_000_000L;

        @Override
        public long nanoTime() {
            return nowNs;
        }

        void advance(final long ns) {
            nowNs += ns;
        }
    }
}
