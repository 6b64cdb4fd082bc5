package io.tiercel.appliance.transport;

/** Aeron has closed the appliance's client: nobody can be heard or answered again. */
public final class TransportException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    TransportException(final String message) {
        super(message);
    }
}
