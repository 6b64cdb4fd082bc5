package io.tiercel.appliance.transport;

import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentInvoker;

/**
 * Lets the Aeron client's conductor, and the media driver where it has no thread of its own, do their work on this
 * thread, once in so many duty cycles: messages over IPC do not need them, only flow control and housekeeping do.
 */
public final class TransportAgent implements Agent {

    private final AgentInvoker driver;
    private final AgentInvoker conductor;
    private final int cycleInterval;
    private final AeronErrors errors;
    private int cyclesLeft;

    /**
     * @param driver null if the driver runs on threads of its own.
     * @param errors of the client that the conductor belongs to.
     */
    public TransportAgent(
            final AgentInvoker driver,
            final AgentInvoker conductor,
            final int cycleInterval,
            final AeronErrors errors) {
        this.driver = driver;
        this.conductor = conductor;
        this.cycleInterval = cycleInterval;
        this.errors = errors;
    }

    /** Its work is not counted: a conductor's timers are not what a hot thread would stay awake for. */
    @Override
    public int doWork() {
        if (--cyclesLeft > 0) {
            return 0;
        }
        cyclesLeft = cycleInterval;
        if (driver != null) {
            driver.invoke();
        }
        conductor.invoke();
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
