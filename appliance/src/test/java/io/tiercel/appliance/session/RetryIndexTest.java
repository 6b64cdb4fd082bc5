package io.tiercel.appliance.session;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

class RetryIndexTest {

    private static final long DESK = 7;

    @Test
    void shouldKnowTheNewestWhenThereAreMoreThanTheWindowHolds() {
        final RetryIndex index = new RetryIndex(2, 3);
        for (int id = 1; id <= 4; id++) {
            add(index, DESK, id, 100 + id, 1);
        }
        assertEquals(AnswerPosition.NONE, find(index, DESK, 1));
        for (int id = 2; id <= 4; id++) {
            assertEquals(100 + id, index.sequence(find(index, DESK, id)));
        }
    }

    @Test
    void shouldTakeASlotForEachStepWhenARequestIsStreamed() {
        final RetryIndex index = new RetryIndex(1, 8);
        add(index, DESK, 1, 0, 1);
        add(index, DESK, 2, 1, 4);
        add(index, DESK, 3, 2, 3);
        assertEquals(AnswerPosition.of(0, 0), find(index, DESK, 1));
        assertEquals(AnswerPosition.of(0, 1), find(index, DESK, 2));
        assertEquals(AnswerPosition.of(0, 5), find(index, DESK, 3));

        add(index, DESK, 4, 3, 2);
        assertEquals(AnswerPosition.NONE, find(index, DESK, 1));
        assertEquals(AnswerPosition.NONE, find(index, DESK, 2), "one of its slots is taken");
        assertEquals(AnswerPosition.of(0, 0), find(index, DESK, 4));
        assertEquals(AnswerPosition.of(0, 5), find(index, DESK, 3));
    }

    @Test
    void shouldKeepNothingOfARequestWhenItHasMoreStepsThanTheWindowHasSlots() {
        final RetryIndex index = new RetryIndex(1, 2);
        add(index, DESK, 1, 0, 1);
        assertEquals(AnswerPosition.NONE, index.nextPosition(0, 3));
        add(index, DESK, 2, 1, 3);
        assertEquals(AnswerPosition.NONE, find(index, DESK, 2));
        assertNotEquals(AnswerPosition.NONE, find(index, DESK, 1));
    }

    @Test
    void shouldGiveTheLongestSilentPrincipalsPlaceAwayWhenAnotherOneComes() {
        final RetryIndex index = new RetryIndex(2, 4);
        add(index, 1, 10, 0, 1);
        add(index, 2, 10, 1, 1);
        add(index, 1, 11, 2, 1);
        add(index, 3, 10, 3, 1);
        assertEquals(RetryIndex.NO_PLACE, index.placeOf(2, 1));
        assertEquals(0, index.sequence(find(index, 1, 10)));
        assertEquals(3, index.sequence(find(index, 3, 10)));
        assertEquals(AnswerPosition.NONE, find(index, 3, 11));
    }

    @Test
    void shouldSearchWhenTheHintIsAnothersPlace() {
        final RetryIndex index = new RetryIndex(4, 4);
        assertEquals(0, index.take(5, RetryIndex.NO_PLACE));
        assertEquals(1, index.take(6, 0));
        assertEquals(1, index.placeOf(6, 0));
        assertEquals(0, index.placeOf(5, 3));
        assertEquals(RetryIndex.NO_PLACE, index.placeOf(8, 2));
    }

    @Test
    void shouldKnowNothingWhenThereIsNoWindow() {
        final RetryIndex index = new RetryIndex(4, 0);
        assertEquals(RetryIndex.NO_PLACE, index.take(DESK, RetryIndex.NO_PLACE));
        assertEquals(AnswerPosition.NONE, index.nextPosition(RetryIndex.NO_PLACE, 1));
        index.add(RetryIndex.NO_PLACE, 1, 0, 1);
        assertEquals(AnswerPosition.NONE, index.find(RetryIndex.NO_PLACE, 1));
    }

    @Test
    void shouldKnowEveryIdWhenIdsAreTheExtremes() {
        final RetryIndex index = new RetryIndex(1, 4);
        final long[] ids = {Long.MIN_VALUE, 0, -1, Long.MAX_VALUE};
        for (int sequence = 0; sequence < ids.length; sequence++) {
            assertEquals(AnswerPosition.NONE, find(index, DESK, ids[sequence]));
            add(index, DESK, ids[sequence], sequence, 1);
        }
        for (int sequence = 0; sequence < ids.length; sequence++) {
            assertEquals(sequence, index.sequence(find(index, DESK, ids[sequence])));
        }
    }

    @Property(tries = 200)
    void shouldAgreeWithAPlainMapWhenRequestsOfManyPrincipalsComeAndGo(
            @ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 40) final int slotCount,
            @ForAll @IntRange(min = 1, max = 5) final int placeCount) {
        final Random random = new Random(seed);
        final RetryIndex index = new RetryIndex(placeCount, slotCount);
        final Model model = new Model(placeCount, slotCount);
        final int idShift = random.nextInt(56);
        for (int sequence = 0; sequence < 1_500; sequence++) {
            final long principalId = random.nextInt(4) == 0 ? random.nextInt(7) : random.nextInt(2);
            final long id = random.nextBoolean() ? (long) random.nextInt(80) << idShift : sequence;
            assertKnown(model, index, principalId, id);
            if (!model.knows(principalId, id)) {
                final int count = random.nextInt(4) == 0 ? 1 + random.nextInt(slotCount + 2) : 1;
                model.add(principalId, id, sequence, count);
                add(index, principalId, id, sequence, count);
            }
            if (sequence % 100 == 0) {
                for (int principal = 0; principal < 7; principal++) {
                    for (long other = 0; other < 80; other++) {
                        assertKnown(model, index, principal, other << idShift);
                    }
                }
            }
        }
    }

    private static void assertKnown(final Model model, final RetryIndex index, final long principalId, final long id) {
        final long position = find(index, principalId, id);
        assertEquals(model.knows(principalId, id), position != AnswerPosition.NONE);
        if (position != AnswerPosition.NONE) {
            final Model.Request known = model.find(principalId, id);
            assertEquals(known.sequence, index.sequence(position));
            assertEquals(known.slotIndex, AnswerPosition.slotIndex(position));
        }
    }

    private static long find(final RetryIndex index, final long principalId, final long id) {
        return index.find(index.placeOf(principalId, RetryIndex.NO_PLACE), id);
    }

    private static void add(
            final RetryIndex index, final long principalId, final long id, final long sequence, final int slotCount) {
        index.add(index.take(principalId, RetryIndex.NO_PLACE), id, sequence, slotCount);
    }

    /** The rule as it is written down: the newest requests of each principal whose slots fit, oldest out first. */
    private static final class Model {

        private record Request(long sequence, int slotIndex, int slotCount) {
        }

        private static final class Principal {
            private final LinkedHashMap<Long, Request> requests = new LinkedHashMap<>();
            private long lastSequence;
            private int nextIndex;
        }

        private final Map<Long, Principal> principals = new HashMap<>();
        private final int placeCount;
        private final int slotCount;

        Model(final int placeCount, final int slotCount) {
            this.placeCount = placeCount;
            this.slotCount = slotCount;
        }

        boolean knows(final long principalId, final long id) {
            return find(principalId, id) != null;
        }

        Request find(final long principalId, final long id) {
            final Principal principal = principals.get(principalId);
            return principal == null ? null : principal.requests.get(id);
        }

        void add(final long principalId, final long id, final long sequence, final int count) {
            if (!principals.containsKey(principalId) && principals.size() == placeCount) {
                principals.remove(longestSilent());
            }
            final Principal principal = principals.computeIfAbsent(principalId, key -> new Principal());
            principal.lastSequence = sequence;
            if (count > slotCount) {
                return;
            }
            int used = principal.requests.values().stream().mapToInt(Request::slotCount).sum();
            final Iterator<Request> oldest = principal.requests.values().iterator();
            while (used + count > slotCount) {
                used -= oldest.next().slotCount();
                oldest.remove();
            }
            principal.requests.put(id, new Request(sequence, principal.nextIndex, count));
            principal.nextIndex = (principal.nextIndex + count) % slotCount;
        }

        private long longestSilent() {
            return principals.entrySet().stream()
                    .min((one, other) -> Long.compare(one.getValue().lastSequence, other.getValue().lastSequence))
                    .orElseThrow().getKey();
        }
    }
}
