package io.tiercel.appliance.transport;

import io.aeron.exceptions.ConductorServiceTimeoutException;
import io.aeron.exceptions.DriverTimeoutException;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.AgentTerminationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What goes wrong in the appliance's own Aeron client. Aeron's default prints a stack trace, ends the process when the
 * driver is gone, and otherwise leaves a client behind that is closed and says nothing; here the reason is kept for
 * {@link TransportAgent}, which ends the appliance in order.
 *
 * <p>Called by the conductor, on the thread that invokes it.
 */
public final class AeronErrors implements ErrorHandler {

    private static final Logger LOGGER = LoggerFactory.getLogger(AeronErrors.class);

    private String fatal;

    @Override
    public void onError(final Throwable error) {
        if (error instanceof ConductorServiceTimeoutException) {
            fatal = "this process did not run for longer than Aeron allows: " + withoutNoise(error);
        } else if (error instanceof DriverTimeoutException) {
            fatal = "the media driver is gone: " + withoutNoise(error);
        } else if (!(error instanceof AgentTerminationException)) {
            LOGGER.error("aeron", error);
        }
    }

    /** Why Aeron has closed the client, as far as it has said so. */
    String fatal() {
        return fatal == null ? "Aeron closed its client" : fatal;
    }

    private static String withoutNoise(final Throwable error) {
        return error.getMessage().replaceFirst("^FATAL - (service interval exceeded: )?", "");
    }
}
