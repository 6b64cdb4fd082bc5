package io.tiercel.appliance.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.StateMemory;
import io.tiercel.appliance.engine.StatePages;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SharedPagesTest {

    private static final int PAGE_BYTES = 64;
    private static final int COUNT = 2;
    /** Pages, then the table. */
    private static final int STATE_BYTES = COUNT * PAGE_BYTES + StatePages.tableBytes(COUNT);
    private static final StatePages PAGES = new StatePages(COUNT, PAGE_BYTES, 0, COUNT * PAGE_BYTES) {
        @Override
        public boolean isFull(final long stateAddress, final int page) {
            return true;
        }
    };
    private static final int CAPACITY = 100;

    private final SharedPages shared =
            new SharedPages(StateMemory.plain(SharedPages.bytesOf(PAGES, CAPACITY)), PAGES, CAPACITY);
    private final List<UnsafeBuffer> states = new ArrayList<>();

    @AfterEach
    void tearDown() {
        shared.close();
    }

    @Test
    void shouldHoldOnePageForAllThatHaveItAndLetGoOfItWithTheLast() {
        final long source = state(1);
        final long second = state(0);
        final long third = state(0);
        assertTrue(shared.share(source, 0, second));
        assertTrue(shared.share(source, 0, third));
        assertEquals(1, shared.heldCount());
        assertEquals(PAGES.address(source, 0), PAGES.address(second, 0));
        assertEquals(PAGES.address(source, 0), PAGES.address(third, 0));
        assertNotEquals(PAGES.ownAddress(source, 0), PAGES.address(source, 0));

        PAGES.own(source, 0);
        PAGES.release(third);
        assertEquals(1, shared.heldCount());
        assertEquals(1, states.get(0).getByte(0));
        PAGES.own(second, 0);
        assertEquals(0, shared.heldCount());
        assertEquals(PAGES.ownAddress(second, 0), PAGES.address(second, 0));
        assertEquals(1, states.get(1).getByte(PAGE_BYTES - 1));
    }

    @Test
    void shouldChangeNothingWhenThereIsNoRoom() {
        for (int i = 0; i < CAPACITY; i++) {
            assertTrue(shared.share(state(i), i % COUNT, state(0)));
        }
        final long source = state(1);
        final long other = state(2);
        assertFalse(shared.share(source, 0, other));
        assertEquals(PAGES.ownAddress(source, 0), PAGES.address(source, 0));
        assertEquals(PAGES.ownAddress(other, 0), PAGES.address(other, 0));
        assertEquals(CAPACITY, shared.heldCount());
    }

    @Test
    void shouldGiveNoPageToTwoWhenThreadsTakeAndLetGoAtOnce() throws InterruptedException {
        final List<Thread> threads = new ArrayList<>();
        final List<Throwable> failures = new ArrayList<>();
        for (int thread = 0; thread < 3; thread++) {
            final int mark = thread + 1;
            final long source = state(mark);
            final long other = state(0);
            final UnsafeBuffer page = new UnsafeBuffer(0, PAGE_BYTES);
            final SplittableRandom random = new SplittableRandom(mark);
            threads.add(new Thread(() -> {
                for (int round = 0; round < 20_000; round++) {
                    if (!shared.share(source, 0, other)) {
                        throw new IllegalStateException("no room for three pages");
                    }
                    page.wrap(PAGES.address(other, 0), PAGE_BYTES);
                    for (int i = 0; i < PAGE_BYTES; i++) {
                        if (page.getByte(i) != mark) {
                            throw new IllegalStateException("another thread's page");
                        }
                    }
                    PAGES.release(other);
                    if (random.nextBoolean()) {
                        PAGES.own(source, 0);
                    }
                }
            }));
            threads.get(thread).setUncaughtExceptionHandler((of, failure) -> failures.add(failure));
        }
        threads.forEach(Thread::start);
        for (final Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), failures);
    }

    private long state(final int mark) {
        final UnsafeBuffer state =
                new UnsafeBuffer(BufferUtil.allocateDirectAligned(STATE_BYTES, BitUtil.CACHE_LINE_LENGTH));
        state.setMemory(0, COUNT * PAGE_BYTES, (byte) mark);
        states.add(state);
        return state.addressOffset();
    }
}
