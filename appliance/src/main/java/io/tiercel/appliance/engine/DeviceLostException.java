package io.tiercel.appliance.engine;

/**
 * The device that an executor computes on cannot go on, or not begin: it does not answer, or its driver says so. The
 * executor is not to be used again but for {@link ModelExecutor#close}. Where neither {@link ModelExecutor#hash} nor
 * {@link ModelExecutor#ahead} has returned after a step, the canonical part of the state is still that from before the
 * step; outputs hold anything. A {@link TokenExecutor} makes the whole of a {@link TokenExecutor#stepTentatively}, or
 * of {@link ModelExecutor#steps} up to {@link TokenExecutor#MAX_DRAFT}, or nothing of it, and its
 * {@link TokenExecutor#keep} never throws this.
 */
public final class DeviceLostException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param message one line: which call, which device, what it said. */
    public DeviceLostException(final String message, final Throwable cause) {
        super(message, cause);
    }
}
