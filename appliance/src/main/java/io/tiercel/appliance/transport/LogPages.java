package io.tiercel.appliance.transport;

import io.aeron.ExclusivePublication;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.logbuffer.Header;
import io.aeron.logbuffer.LogBufferDescriptor;
import org.agrona.BitUtil;
import org.agrona.DirectBuffer;
import org.agrona.UnsafeApi;

import java.io.File;

/**
 * The pages of an Aeron log, touched a few at a time by a thread that has nothing better to do, so that nobody who
 * writes or reads there later waits for the operating system. Aeron itself would touch each log whole, as soon as it
 * comes: on a hot thread, and whoever's it is; how long it is a stranger says.
 *
 * <p>One thread: the one that uses the log. It must {@link #forget} a log when that goes, which it hears seconds before
 * Aeron unmaps it. Allocates nothing.
 */
public final class LogPages {

    private static final int PAGE_BYTES = 4096;
    /** As far as Linux looks around a page that is read first, by default: the others cost next to nothing. */
    private static final long BYTES_AT_ONCE = 16 * PAGE_BYTES;
    /** Of a log that is longer, whose first round takes its time anyway, no page is touched. */
    private static final long MAX_BYTES = 64L << 20;

    /** Others who touch theirs at the same time need memory too. */
    private static final long SPARE_FACTOR = 4;

    private long next;
    private long end;
    /** Of no use to anybody: the compiler leaves out what is read for nothing, even if it is read as a volatile. */
    private byte seen;

    /** Of the log that a fragment lies in; not of one that came in several pieces, which lies elsewhere. */
    public void begin(final DirectBuffer buffer, final Header header) {
        if (buffer == header.buffer()) {
            final int termCount = header.termId() - header.initialTermId();
            begin(buffer.addressOffset(), LogBufferDescriptor.indexByTermCount(termCount), buffer.capacity());
        }
    }

    /** Of the log of a publication that has just had a claim, in the first of its terms. */
    public void begin(final ExclusivePublication publication, final BufferClaim claim) {
        final int frameLength = BitUtil.align(claim.buffer().capacity(), FrameDescriptor.FRAME_ALIGNMENT);
        final long offset = publication.position() - frameLength;
        if (publication.position() <= publication.termBufferLength()) {
            begin(claim.buffer().addressOffset() - offset, 0, publication.termBufferLength());
        }
    }

    private void begin(final long termAddress, final int termIndex, final int termLength) {
        final long bytes = (long) LogBufferDescriptor.PARTITION_COUNT * termLength;
        forget();
        if (bytes <= MAX_BYTES) {
            next = termAddress - (long) termIndex * termLength;
            end = next + bytes;
        }
    }

    /** Whether there are pages that have not been touched. */
    public boolean hasMore() {
        return next < end;
    }

    /** The next few. */
    public void touchSome() {
        final long until = Math.min(end, next + BYTES_AT_ONCE);
        byte sum = 0;
        for (; next < until; next += PAGE_BYTES) {
            sum += UnsafeApi.getByte(next);
        }
        seen = sum;
    }

    /**
     * Leaves the log as it is if its pages may not be there and there is little memory left for them: whoever touches
     * one for which there is none is ended by the system. Not for a hot moment.
     *
     * @param logDirectory where it lies.
     */
    public void forgetIfScarce(final File logDirectory) {
        if (hasMore() && logDirectory.getUsableSpace() < SPARE_FACTOR * (end - next)) {
            forget();
        }
    }

    /** The log goes. */
    public void forget() {
        next = 0;
        end = 0;
    }
}
