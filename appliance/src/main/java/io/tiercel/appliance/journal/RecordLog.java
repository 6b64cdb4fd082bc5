package io.tiercel.appliance.journal;

import org.agrona.DirectBuffer;

/**
 * The writing side of one of the journal's queues. One writing thread; allocates nothing in steady state.
 *
 * <p>An append either is in the log when the method returns {@code true}, or is not in it at all. After a
 * {@link JournalException} nothing more is ever appended: the log has failed for good, and the appliance stops
 * answering.
 */
public interface RecordLog extends AutoCloseable {

    /**
     * Appends one record: the 64-byte header of {@code tiercel-journal.xml}, checksum included, then the frame.
     *
     * @param modelVersion a buffer whose first 32 bytes are the SHA-256 of the model's bundle.
     * @return false if the memory ahead is not prepared yet: nothing was written, try again. Expected after a burst
     *         that outran the preparing thread.
     * @throws JournalException if the record cannot be written: no space, i/o error, log closed.
     */
    boolean append(
            long sequence,
            long ingressNs,
            long principalId,
            DirectBuffer modelVersion,
            DirectBuffer frame,
            int frameOffset,
            int frameLength);

    /** Called by the writing thread when it has had nothing to do: the moment to roll, if a roll is due. */
    int onIdle();

    /** Writes through to the device (fdatasync). Not on a hot path. */
    void sync();

    @Override
    void close();
}
