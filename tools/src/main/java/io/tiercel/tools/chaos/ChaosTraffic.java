package io.tiercel.tools.chaos;

import io.tiercel.tools.ToolException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SleepingIdleStrategy;

/**
 * The thread of all clients, and what the harness tells it. The volatile fields are the harness's to write but
 * {@code isDetached} and {@code isSettled}, which are this thread's answers, written after the clients' own state.
 */
final class ChaosTraffic implements Agent, AutoCloseable {

    private static final long IDLE_NS = 100_000;
    private static final long CHECK_NS = 1_000_000;

    private final List<ChaosClient> clients;
    private final NanoClock clock;
    private final AgentRunner runner;
    private volatile Appliance appliance;
    private volatile boolean isSending;
    private volatile int wantedBurstCount;
    private int burstCount;
    private volatile boolean isDetached = true;
    private volatile boolean isSettled;
    private volatile Throwable failure;

    /** One life of the appliance. */
    private record Appliance(String aeronDirectoryName, int life) {
    }

    ChaosTraffic(final List<ChaosClient> clients, final NanoClock clock) {
        this.clients = clients;
        this.clock = clock;
        runner = new AgentRunner(new SleepingIdleStrategy(IDLE_NS), this::onError, null, this);
        AgentRunner.startOnThread(runner);
    }

    /** There is an appliance, or will be: connect to it. */
    void attach(final String aeronDirectoryName, final int life) {
        appliance = new Appliance(aeronDirectoryName, life);
    }

    /** The appliance is dead: let go of it. Returns when the clients have. */
    void detach() {
        appliance = null;
        await("the clients did not let go of an appliance that is dead", () -> isDetached);
    }

    /** Whether new requests are sent. */
    void send(final boolean isWanted) {
        isSending = isWanted;
    }

    /** All clients send many requests at once, from now on. */
    void burst() {
        wantedBurstCount++; // one thread writes it
    }

    /** Returns when every request has been answered or refused. No new ones may be wanted. */
    void awaitSettled(final String otherwise) {
        isSettled = false;
        await(otherwise, () -> isSettled);
    }

    @Override
    public int doWork() {
        final Appliance current = appliance;
        final boolean isWanted = isSending;
        final long nowNs = clock.nanoTime();
        int work = 0;
        boolean isAttached = false;
        boolean isOpen = current == null;
        if (burstCount != wantedBurstCount) {
            burstCount = wantedBurstCount;
            clients.forEach(ChaosClient::burst);
        }
        for (final ChaosClient client : clients) {
            work += current == null
                    ? client.doWork(null, 0, false, nowNs)
                    : client.doWork(current.aeronDirectoryName(), current.life(), isWanted, nowNs);
            isAttached |= client.isAttached();
            isOpen |= !client.isSettled();
        }
        isDetached = current == null && !isAttached;
        isSettled = !isWanted && !isOpen;
        return work;
    }

    @Override
    public String roleName() {
        return "chaos-clients";
    }

    @Override
    public void close() {
        CloseHelper.close(runner);
        CloseHelper.closeAll(clients);
        requireAlive();
    }

    private void onError(final Throwable error) {
        if (failure == null) {
            failure = error;
        }
    }

    /** @throws ToolException if the clients' thread has met what it does not expect. */
    void requireAlive() {
        if (failure != null) {
            throw ToolException.environment("a client failed: " + failure, failure);
        }
    }

    private void await(final String otherwise, final BooleanSupplier condition) {
        final long deadlineNs = clock.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            requireAlive();
            if (clock.nanoTime() - deadlineNs > 0) {
                throw ToolException.environment(otherwise);
            }
            LockSupport.parkNanos(CHECK_NS);
        }
    }
}
