package io.tiercel.replay;

import org.agrona.DirectBuffer;

/**
 * One of the journal's two queues, read from the first record that there is. What is returned is good until the next
 * call of {@link #next}.
 */
interface RecordSource extends AutoCloseable {

    /**
     * Moves to the next record, checked: its checksum is right and its sequence follows the one before.
     *
     * @return false at the end of what has been written.
     * @throws DamageException if the record is not good.
     */
    boolean next();

    long sequence();

    long ingressNs();

    long principalId();

    /** The record's place in its queue: one more than the last one's, but for the first record of a file. */
    long index();

    /** SHA-256 of the bundle, in the first 32 bytes. */
    DirectBuffer modelVersion();

    DirectBuffer frame();

    int frameOffset();

    int frameLength();

    /**
     * Moves to just before a record, so that {@link #next} reads it; what is before it is not checked.
     *
     * @return false if the last record comes before it.
     * @throws DamageException if the record ought to be there and is not.
     */
    boolean seek(long sequence);

    /** The first sequence from which on both queues are whole; above 0 if older records have been removed. */
    long firstSequence();

    /** The sequence behind the last record; a lower one where damage is in the way. Does not move this source. */
    long endSequence();

    @Override
    void close();
}
