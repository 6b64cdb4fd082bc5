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

    /**
     * Writes through to the device. When it returns, every record whose append returned before is there, also those
     * before a roll. By the writing thread, once for a batch; takes what the device takes, and allocates nothing.
     *
     * @throws JournalException if the device could not take it. That is final: the log has failed, and is not synced
     *                          again, because after a failure the pages may be marked clean that are not on the device.
     */
    void sync();

    /** Whether requests are to be refused, because the file system is nearly full. Any thread. */
    boolean isSpaceLow();

    /** What is usable on the file system, as of half a second ago at most. Any thread. */
    long freeBytes();

    @Override
    void close();
}
