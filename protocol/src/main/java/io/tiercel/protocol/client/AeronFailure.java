package io.tiercel.protocol.client;

import org.agrona.ErrorHandler;

/**
 * Keeps the first thing that went wrong in the client's own Aeron.
 *
 * <p>Aeron's default ends the process when the media driver is gone. Here the conductor closes its publications and
 * images, which is how a client notices; this is where it learns why.
 */
final class AeronFailure implements ErrorHandler {

    private Throwable first;

    @Override
    public void onError(final Throwable throwable) {
        if (first == null) {
            first = throwable;
        }
    }

    /** Or null. */
    Throwable first() {
        return first;
    }

    /** For what a fragment handler throws: that belongs to whoever polls. */
    static void rethrow(final Throwable throwable) {
        if (throwable instanceof RuntimeException) {
            throw (RuntimeException) throwable;
        }
        throw new IllegalStateException(throwable);
    }
}
