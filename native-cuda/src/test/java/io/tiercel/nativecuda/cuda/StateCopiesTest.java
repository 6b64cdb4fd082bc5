package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

class StateCopiesTest {

    private static final int FIRST = 1;
    private static final int COUNT = 4;

    private final StateCopies copies = new StateCopies(FIRST, COUNT);
    private final UnsafeBuffer notes = new UnsafeBuffer(ByteBuffer.allocateDirect(3 * StateCopies.NOTE_BYTES));

    @Test
    void shouldFindWhatWasNotedUntilTheCopyIsAnothers() {
        assertEquals(StateCopies.NONE, copies.find(note(0)));
        final int copy = copies.take();
        copies.note(note(0), copy);
        assertEquals(copy, copies.find(note(0)));
        for (int i = 0; i < COUNT; i++) {
            copies.beginBatch();
            copies.note(note(1), copies.take());
        }
        assertEquals(StateCopies.NONE, copies.find(note(0)));
    }

    @Test
    void shouldBeTheCopyOfBothStatesThatHaveItsNoteUntilOneGoesOn() {
        final int copy = copies.take();
        copies.note(note(0), copy);
        notes.putBytes(StateCopies.NOTE_BYTES, notes, 0, StateCopies.NOTE_BYTES);
        assertEquals(copy, copies.find(note(1)));
        copies.note(note(1), copy);
        assertEquals(StateCopies.NONE, copies.find(note(0)));
        copies.forget(copy);
        assertEquals(StateCopies.NONE, copies.find(note(1)));
    }

    @Test
    void shouldTakeNoCopyTwiceForABatchNorTheSpareOne() {
        copies.takeSpare();
        final Set<Integer> taken = new HashSet<>();
        for (int i = 0; i < COUNT - 1; i++) {
            final int copy = copies.take();
            assertTrue(copy >= FIRST && copy < FIRST + COUNT && copy != copies.spare() && taken.add(copy));
        }
        assertThrows(IllegalStateException.class, copies::take);
        copies.release(2);
        assertEquals(2, copies.take());
        copies.beginBatch();
        copies.exchangeSpare(2);
        for (int i = 0; i < COUNT - 1; i++) {
            assertNotEquals(2, copies.take());
        }
    }

    /** Notes of one executor say nothing to another. */
    @Test
    void shouldNotBeMistakenForAnothers() {
        copies.note(note(0), copies.take());
        final StateCopies others = new StateCopies(FIRST, COUNT);
        others.note(note(2), others.take());
        assertEquals(StateCopies.NONE, others.find(note(0)));
        StateCopies.erase(note(0));
        assertEquals(StateCopies.NONE, copies.find(note(0)));
    }

    private long note(final int index) {
        return notes.addressOffset() + (long) index * StateCopies.NOTE_BYTES;
    }
}
