package io.tiercel.appliance.session;

/**
 * Where an answer is kept: the principal's place, and the first of the place's slots that the answer takes. One
 * number, so that it travels in a request's slot and in a command.
 *
 * <pre>
 *   63             32 31              0
 *   +----------------+----------------+
 *   | place          | slot index     |
 *   +----------------+----------------+
 * </pre>
 */
public final class AnswerPosition {

    /** The answer is not kept: repeats are off, or it has more steps than the window has slots. */
    public static final long NONE = -1;

    private AnswerPosition() {
    }

    static long of(final int place, final int slotIndex) {
        return (long) place << Integer.SIZE | slotIndex;
    }

    static int place(final long position) {
        return (int) (position >>> Integer.SIZE);
    }

    static int slotIndex(final long position) {
        return (int) position;
    }
}
