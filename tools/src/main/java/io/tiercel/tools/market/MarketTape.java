package io.tiercel.tools.market;

/**
 * Recorded market events, one after another, in the order in which they happened. There is no way to look ahead: what
 * reads a tape knows as much as a client that was connected on the day.
 *
 * @param <E> the event, a mutable object that the caller owns and the tape fills in.
 */
public interface MarketTape<E> extends AutoCloseable {

    /** What the tape is called in messages and provenance. */
    String name();

    /**
     * Reads the next row into {@code event}; false at the end.
     *
     * @throws TapeException if the row is malformed: file, line, field and value. The tape is of no use after it.
     */
    boolean next(E event);

    @Override
    void close();
}
