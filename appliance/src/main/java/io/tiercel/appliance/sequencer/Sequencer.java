package io.tiercel.appliance.sequencer;

import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;

import java.nio.ByteBuffer;

/**
 * The ring of {@link RequestSlot}s and the memory behind it. Ingress alone claims and publishes; every other stage
 * follows with a {@link Sequence} of its own and polls a barrier, so no stage ever blocks another thread.
 *
 * <p>The ring's sequence is the truth: it is the sequence of the journal's records. A journal that is continued is
 * continued here too: the ring begins with the sequence behind its last record.
 */
public final class Sequencer {

    private static final int SLOT_ALIGNMENT = 64;
    /** So that a frame's features, 48 bytes in, stand on a cache line's boundary after the 16 that are left free. */
    private static final int FRAME_LEAD = 16;
    private static final long MAX_SLAB_BYTES = Integer.MAX_VALUE - 2L * SLOT_ALIGNMENT;

    private final RingBuffer<RequestSlot> ring;
    private final ByteBuffer slab;
    private final long firstSequence;
    private long claimedSequence;
    /** What all stages had passed when ingress last looked. */
    private long finishedSequence = -1;

    /**
     * @param capacity         slots, a power of two.
     * @param maxFrameLength   bytes of the longest frame.
     * @param maxOutputsLength bytes of the largest answer, all steps of a streamed one included.
     * @param firstSequence    what the first request gets; 0 for a new journal.
     */
    public Sequencer(
            final int capacity, final int maxFrameLength, final int maxOutputsLength, final long firstSequence) {
        this.firstSequence = firstSequence;
        final int frameStride = BitUtil.align(FRAME_LEAD + maxFrameLength, SLOT_ALIGNMENT);
        final int outputsStride = BitUtil.align(Math.max(maxOutputsLength, 1), SLOT_ALIGNMENT);
        final long stride = (long) frameStride + outputsStride;
        if (stride * capacity > MAX_SLAB_BYTES) {
            throw new IllegalArgumentException("limits.ring=" + capacity + " slots of " + stride +
                    " bytes (maxFrameLength=" + maxFrameLength + " maxOutputsLength=" + maxOutputsLength +
                    ") are more than " + MAX_SLAB_BYTES + " bytes");
        }
        slab = BufferUtil.allocateDirectAligned((int) (stride * capacity), SLOT_ALIGNMENT);
        ring = RingBuffer.createSingleProducer(RequestSlot::new, capacity, new BusySpinWaitStrategy());
        for (int index = 0; index < capacity; index++) {
            final RequestSlot slot = ring.get(index);
            slot.frame.wrap(slab, (int) (index * stride) + FRAME_LEAD, maxFrameLength);
            slot.outputs.wrap(slab, (int) (index * stride) + frameStride, Math.max(maxOutputsLength, 1));
        }
        beginBehind(firstSequence - 1);
    }

    /** Slots that ingress may not reuse before all of {@code last} have passed them. Once, before the first claim. */
    public void gateOn(final Sequence... last) {
        ring.addGatingSequences(last);
    }

    /** The first sequence that is ever claimed. */
    public long firstSequence() {
        return firstSequence;
    }

    /** A stage's own sequence, which stands before the first request. */
    public Sequence newSequence() {
        return new Sequence(firstSequence - 1);
    }

    /** What a stage polls: the lowest of the sequences it follows, or ingress itself if there is none. */
    public SequenceBarrier barrier(final Sequence... followed) {
        return ring.newBarrier(followed);
    }

    /** A free slot for ingress to fill, or null if the ring is full. Each claim is ended by one {@link #publish}. */
    public RequestSlot claim() {
        if (!ring.hasAvailableCapacity(1)) {
            return null;
        }
        claimedSequence = ring.next();
        return ring.get(claimedSequence);
    }

    /** Publishes the slot of the last {@link #claim} (release; its partner is the acquire in each barrier). */
    public void publish() {
        ring.publish(claimedSequence);
    }

    public RequestSlot get(final long sequence) {
        return ring.get(sequence);
    }

    /**
     * Requests that are published and that some last stage has not passed. Ingress only.
     *
     * <p>From {@code limit} on the count is as it is now. Below, it may be too high by what was finished since the
     * last look: the stages' sequences, which are in other cores' caches, are read again only when that matters.
     */
    public long unfinishedCount(final long limit) {
        final long cursor = ring.getCursor();
        if (cursor - finishedSequence >= limit) {
            finishedSequence = ring.getMinimumGatingSequence();
        }
        return cursor - finishedSequence;
    }

    /** The last published sequence; before the first it is the one before it. */
    public long cursor() {
        return ring.getCursor();
    }

    /** As if everything up to {@code sequence} had been claimed and published; before any stage is there. */
    private void beginBehind(final long sequence) {
        if (sequence >= 0) {
            ring.claimAndGetPreallocated(sequence);
            ring.publish(sequence);
        }
    }
}
