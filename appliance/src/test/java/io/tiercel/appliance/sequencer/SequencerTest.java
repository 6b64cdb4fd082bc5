package io.tiercel.appliance.sequencer;

import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class SequencerTest {

    private static final int CAPACITY = 4;
    private static final int FRAME_LENGTH = 100;
    private static final int OUTPUTS_LENGTH = 12;

    private final Sequencer sequencer = new Sequencer(CAPACITY, FRAME_LENGTH, OUTPUTS_LENGTH, 0);
    private final Sequence first = new Sequence();
    private final Sequence second = new Sequence();

    @Test
    void shouldShowAClaimedSlotOnlyWhenItIsPublished() {
        sequencer.gateOn(first);
        final SequenceBarrier barrier = sequencer.barrier();
        assertEquals(-1, sequencer.cursor());
        final RequestSlot slot = sequencer.claim();
        assertEquals(-1, barrier.getCursor());
        sequencer.publish();
        assertEquals(0, barrier.getCursor());
        assertSame(slot, sequencer.get(0));
    }

    @Test
    void shouldHaveNoSlotWhenTheSlowestOfThoseItWaitsForHasNotPassed() {
        sequencer.gateOn(first, second);
        for (int claim = 0; claim < CAPACITY; claim++) {
            assertNotNull(sequencer.claim());
            sequencer.publish();
        }
        assertNull(sequencer.claim());
        first.set(2);
        assertNull(sequencer.claim());
        second.set(0);
        assertNotNull(sequencer.claim());
        sequencer.publish();
        assertNull(sequencer.claim());
        assertEquals(CAPACITY, sequencer.cursor());
    }

    @Test
    void shouldCountWhatTheSlowestHasNotPassedWhenTheLimitIsReached() {
        sequencer.gateOn(first, second);
        assertEquals(0, sequencer.unfinishedCount(2));
        publishOne();
        assertEquals(1, sequencer.unfinishedCount(2));
        publishOne();
        assertEquals(2, sequencer.unfinishedCount(2));
        first.set(1);
        assertEquals(2, sequencer.unfinishedCount(2));
        second.set(0);
        assertEquals(1, sequencer.unfinishedCount(2));
        publishOne();
        second.set(1);
        assertEquals(1, sequencer.unfinishedCount(2));
    }

    @Test
    void shouldNeverCountTooFewWhenItHasNotLookedForAWhile() {
        sequencer.gateOn(first);
        publishOne();
        first.set(0);
        assertEquals(1, sequencer.unfinishedCount(3), "not worth a look");
        publishOne();
        publishOne();
        assertEquals(2, sequencer.unfinishedCount(3));
    }

    @Test
    void shouldShowTheLowestWhenABarrierFollowsSeveral() {
        final SequenceBarrier barrier = sequencer.barrier(first, second);
        first.set(5);
        second.set(3);
        assertEquals(3, barrier.getCursor());
    }

    @Test
    void shouldGiveEachSlotMemoryOfItsOwnWhenItIsMade() {
        final List<long[]> areas = new ArrayList<>();
        for (int sequence = 0; sequence < CAPACITY; sequence++) {
            final RequestSlot slot = sequencer.get(sequence);
            assertEquals(FRAME_LENGTH, slot.frame.capacity());
            assertEquals(OUTPUTS_LENGTH, slot.outputs.capacity());
            assertEquals(0, (slot.frame.addressOffset() + 48) % 64, "features stand on a cache line");
            assertEquals(0, slot.outputs.addressOffset() % 64);
            areas.add(new long[] {slot.frame.addressOffset(), FRAME_LENGTH});
            areas.add(new long[] {slot.outputs.addressOffset(), OUTPUTS_LENGTH});
        }
        for (int one = 0; one < areas.size(); one++) {
            for (int other = one + 1; other < areas.size(); other++) {
                final long[] low = areas.get(one)[0] < areas.get(other)[0] ? areas.get(one) : areas.get(other);
                final long[] high = low == areas.get(one) ? areas.get(other) : areas.get(one);
                assertTrue(low[0] + low[1] <= high[0]);
            }
        }
    }

    @Test
    void shouldNameTheSizesWhenTheRingIsTooLarge() {
        final IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> new Sequencer(1 << 20, 4096, 12, 0));
        assertTrue(refused.getMessage().startsWith("limits.ring=1048576 slots of 4224 bytes"), refused.getMessage());
    }

    private void publishOne() {
        assertNotNull(sequencer.claim());
        sequencer.publish();
    }
}
