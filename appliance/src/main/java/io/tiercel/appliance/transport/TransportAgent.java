package io.tiercel.appliance.transport;

import io.tiercel.protocol.client.AeronTurns;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.NanoClock;

/**
 * Lets the Aeron client's conductor, and the media driver where it has no thread of its own, do their work on this
 * thread, once in so many duty cycles: messages over IPC do not need them, only flow control, housekeeping and who
 * comes and goes do. A thread that idles politely, or is kept from its core, makes few duty cycles: so a turn is due
 * after a millisecond too, and then there are as many as there is work for, since in each of them the driver takes one
 * command and the conductor one message.
 */
public final class TransportAgent implements Agent {

    private static final long MAX_GAP_NS = 1_000_000;
    /** In a row. The driver has work as long as there is traffic over UDP, and is not to have the thread for good. */
    private static final int MAX_DRIVER_TURNS = 8;
    private static final int MAX_CONDUCTOR_TURNS = 64;

    private final AgentInvoker driver;
    private final AgentInvoker conductor;
    private final int cycleInterval;
    private final NanoClock cycleClock;
    private final AeronErrors errors;
    private int cyclesLeft;
    private long dueNs;

    /**
     * @param driver        null if the driver runs on threads of its own.
     * @param cycleInterval duty cycles from one turn to the next.
     * @param cycleClock    of this thread: its last reading, since a reading a cycle would be too dear.
     * @param errors        of the client that the conductor belongs to.
     */
    public TransportAgent(
            final AgentInvoker driver,
            final AgentInvoker conductor,
            final int cycleInterval,
            final NanoClock cycleClock,
            final AeronErrors errors) {
        this.driver = driver;
        this.conductor = conductor;
        this.cycleInterval = cycleInterval;
        this.cycleClock = cycleClock;
        this.errors = errors;
        dueNs = cycleClock.nanoTime();
    }

    /** Its work is not counted: a conductor's timers are not what a hot thread would stay awake for. */
    @Override
    public int doWork() {
        final long nowNs = cycleClock.nanoTime();
        final boolean isLate = nowNs - dueNs >= 0;
        if (--cyclesLeft > 0 && !isLate) {
            return 0;
        }
        cyclesLeft = cycleInterval;
        dueNs = nowNs + MAX_GAP_NS;
        AeronTurns.take(driver, isLate ? MAX_DRIVER_TURNS : 1);
        AeronTurns.take(conductor, isLate ? MAX_CONDUCTOR_TURNS : 1);
        if (conductor.isClosed()) {
            throw new TransportException(errors.fatal());
        }
        return 0;
    }

    @Override
    public String roleName() {
        return "transport";
    }
}
