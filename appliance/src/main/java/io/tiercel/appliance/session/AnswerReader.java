package io.tiercel.appliance.session;

import org.agrona.BitUtil;
import org.agrona.BufferUtil;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Reads the kept answers up to a sequence while egress goes on writing: for snapshots. An answer that is overwritten
 * meanwhile is left out, and so is one that belongs to a principal that has lost its place.
 *
 * <p>One use, any thread; allocates.
 */
final class AnswerReader {

    private final AnswerStore store;
    private final long lastSequence;
    private final AnswerSlot slot;
    private final KnownAnswer answer = new KnownAnswer();

    /** What a place holds, as it was when it was looked at first. */
    private record Extent(AnswerStore.Place place, int slotCount, int oldestIndex, long newestSequence) {
    }

    AnswerReader(final AnswerStore store, final long lastSequence) {
        this.store = store;
        this.lastSequence = lastSequence;
        slot = store.newSlot();
    }

    /** The principal whose last answer is the oldest comes first, so that a smaller index keeps the others. */
    void forEach(final RetryWindow.Visitor visitor) {
        final List<Extent> extents = new ArrayList<>();
        for (int index = 0; index < store.placeCount(); index++) {
            final AnswerStore.Place place = store.place(index);
            final Extent extent = place == null ? null : extentOf(place);
            if (extent != null) {
                extents.add(extent);
            }
        }
        extents.sort(Comparator.comparingLong(Extent::newestSequence));
        for (final Extent extent : extents) {
            visit(extent, visitor);
        }
    }

    /** The sequences of a place grow from the oldest slot on, all around; null if it holds nothing. */
    private Extent extentOf(final AnswerStore.Place place) {
        final int slotCount = (int) place.preparedCount.get();
        long oldestSequence = Long.MAX_VALUE;
        long newestSequence = AnswerSlot.NOTHING;
        int oldestIndex = 0;
        for (int index = 0; index < slotCount; index++) {
            final long sequence = firstFrameAt(place, index);
            if (sequence != AnswerSlot.NOTHING && sequence < oldestSequence) {
                oldestSequence = sequence;
                oldestIndex = index;
            }
            newestSequence = Math.max(newestSequence, sequence);
        }
        return newestSequence == AnswerSlot.NOTHING
                ? null
                : new Extent(place, slotCount, oldestIndex, newestSequence);
    }

    private void visit(final Extent extent, final RetryWindow.Visitor visitor) {
        long lastVisited = AnswerSlot.NOTHING;
        for (int count = 0; count < extent.slotCount(); count++) {
            final int index = (extent.oldestIndex() + count) % extent.slotCount();
            final long sequence = firstFrameAt(extent.place(), index);
            if (sequence > lastVisited && copy(extent.place(), index, sequence)) {
                lastVisited = sequence;
                visitor.onAnswer(answer);
            }
        }
    }

    /** Sequence of the answer whose first frame stands in the slot, if it is one to read. */
    private long firstFrameAt(final AnswerStore.Place place, final int slotIndex) {
        slot.wrap(store.address(place, slotIndex));
        final long sequence = slot.sequence();
        final boolean isFirstFrame = sequence >= place.firstSequence.get() && sequence <= lastSequence &&
                slot.stepIndex() == 0 && slot.isStill(sequence);
        return isFirstFrame ? sequence : AnswerSlot.NOTHING;
    }

    /** Copies the whole answer; false if one of its frames was overwritten before it was copied. */
    private boolean copy(final AnswerStore.Place place, final int firstIndex, final long sequence) {
        slot.wrap(store.address(place, firstIndex));
        copyHead(sequence);
        if (!slot.isStill(sequence)) {
            return false;
        }
        final int outputsLength = answer.outputCount * Float.BYTES;
        final int frameCount = answer.frameCount();
        ensureCapacity(frameCount * outputsLength);
        for (int step = 0; step < frameCount; step++) {
            slot.wrap(store.address(place, store.slotIndex(firstIndex, step)));
            if (slot.sequence() != sequence) {
                return false;
            }
            answer.outputs.putBytes(step * outputsLength, slot.outputs(), 0, outputsLength);
            if (!slot.isStill(sequence)) {
                return false;
            }
        }
        return true;
    }

    private void copyHead(final long sequence) {
        answer.sequence = sequence;
        answer.principalId = slot.principalId();
        answer.correlationId = slot.correlationId();
        answer.sessionKey = slot.sessionKey();
        answer.modelId = slot.modelId();
        answer.frameChecksum = slot.frameChecksum();
        answer.status = slot.status();
        answer.hasSessionBegun = slot.hasSessionBegun();
        answer.batchSize = slot.batchSize();
        answer.applianceNs = slot.applianceNs();
        answer.slotCount = slot.slotCount();
        answer.outputCount = slot.outputCount();
    }

    private void ensureCapacity(final int length) {
        if (answer.outputs.capacity() < length) {
            answer.outputs.wrap(BufferUtil.allocateDirectAligned(BitUtil.findNextPositivePowerOfTwo(length),
                    BitUtil.CACHE_LINE_LENGTH));
        }
    }
}
