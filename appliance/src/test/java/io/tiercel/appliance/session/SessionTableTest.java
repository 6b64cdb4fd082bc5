package io.tiercel.appliance.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class SessionTableTest {

    @Test
    void shouldNumberSessionsInTheOrderInWhichTheyAppear() {
        final SessionTable table = new SessionTable(8);

        assertEquals(0, table.indexOf(7, 0, 100));
        assertEquals(1, table.indexOf(7, 0, 101));
        assertEquals(0, table.indexOf(7, 0, 100));
        assertEquals(2, table.size());
    }

    @Test
    void shouldTellSessionsApartWhenOnlyOnePartOfTheNameDiffers() {
        final SessionTable table = new SessionTable(8);

        assertEquals(0, table.indexOf(1, 2, 3));
        assertEquals(1, table.indexOf(2, 2, 3));
        assertEquals(2, table.indexOf(1, 3, 3));
        assertEquals(3, table.indexOf(1, 2, 4));
        assertEquals(4, table.indexOf(1, 3, 2));
        assertEquals(5, table.indexOf(0, 0, 0));
    }

    @Test
    void shouldRefuseANewSessionAndKeepTheOldOnesWhenFull() {
        final SessionTable table = new SessionTable(2);
        table.indexOf(1, 0, 1);
        table.indexOf(1, 0, 2);

        assertEquals(SessionTable.FULL, table.indexOf(1, 0, 3));
        assertEquals(0, table.indexOf(1, 0, 1));
        assertEquals(1, table.indexOf(1, 0, 2));
        assertEquals(2, table.size());
    }

    @Test
    void shouldHoldOneSessionWhenTheLimitIsOne() {
        final SessionTable table = new SessionTable(1);

        assertEquals(0, table.indexOf(-1, 65_535, Long.MIN_VALUE));
        assertEquals(SessionTable.FULL, table.indexOf(-1, 65_535, Long.MAX_VALUE));
    }

    @Test
    void shouldKeepEveryIndexWhenTheLimitIsRaised() {
        final SessionTable table = new SessionTable(16);
        for (int i = 0; i < 16; i++) {
            table.indexOf(i % 3, i % 2, i * 1024L);
        }

        final SessionTable wider = table.withLimit(64);

        for (int i = 0; i < 16; i++) {
            assertEquals(i, wider.indexOf(i % 3, i % 2, i * 1024L));
        }
        assertEquals(16, wider.indexOf(9, 9, 9));
        assertThrows(IllegalArgumentException.class, () -> table.withLimit(15));
    }

    @Test
    void shouldNameTheLimitWhenItIsOutOfRange() {
        final var refused = assertThrows(IllegalArgumentException.class, () -> new SessionTable(0));

        assertEquals("maxSessions=0 is not from 1 to 67108864", refused.getMessage());
    }

    @Test
    void shouldGiveThePlaceOfTheOneUnusedForLongestWhenAskedTo() {
        final SessionTable table = new SessionTable(3);
        table.add(1, 0, 10);
        table.add(1, 0, 11);
        table.add(1, 0, 12);
        table.use(0);

        assertEquals(1, table.oldest());
        assertEquals(1, table.replaceOldest(2, 5, 10));
        assertEquals(SessionTable.ABSENT, table.find(1, 0, 11));
        assertEquals(1, table.find(2, 5, 10));
        assertEquals(5, table.modelId(1));
        assertEquals(2, table.oldest());
        assertEquals(3, table.size());
    }

    /** The map keeps the order of last use, and is told to forget its eldest by the same rule. */
    @Property(tries = 100)
    void shouldAgreeWithAMapInOrderOfUseWhenSessionsMakeRoom(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 60) final int limit) {
        final Random random = new Random(seed);
        SessionTable table = new SessionTable(limit);
        final LinkedHashMap<List<Long>, Integer> expected = new LinkedHashMap<>(16, 0.75f, true);
        for (int i = 0; i < 3_000; i++) {
            final List<Long> name =
                    List.of((long) random.nextInt(2), (long) random.nextInt(2), (long) random.nextInt(2 * limit));
            final int index = table.find(name.get(0), name.get(1).intValue(), name.get(2));
            assertEquals(expected.getOrDefault(name, SessionTable.ABSENT), index);
            if (index != SessionTable.ABSENT) {
                table.use(index);
            } else if (!table.isFull() && random.nextInt(8) > 0) {
                expected.put(name, table.add(name.get(0), name.get(1).intValue(), name.get(2)));
            } else if (!expected.isEmpty()) {
                final List<Long> eldest = expected.keySet().iterator().next();
                final int freed = expected.remove(eldest);
                assertEquals(freed, table.oldest());
                assertEquals(freed, table.replaceOldest(name.get(0), name.get(1).intValue(), name.get(2)));
                expected.put(name, freed);
            }
            assertEquals(expected.size(), table.size());
            if (random.nextInt(500) == 0) {
                table = table.withLimit(limit);
            }
        }
        for (final Map.Entry<List<Long>, Integer> entry : List.copyOf(expected.entrySet())) {
            final int index = entry.getValue();
            assertEquals(entry.getKey(),
                    List.of(table.principalId(index), (long) table.modelId(index), table.sessionKey(index)));
            assertEquals(index, table.find(table.principalId(index), table.modelId(index), table.sessionKey(index)));
        }
    }

    @Property(tries = 50)
    void shouldAgreeWithAPlainMap(@ForAll final long seed, @ForAll @IntRange(min = 1, max = 300) final int limit) {
        final Random random = new Random(seed);
        final SessionTable table = new SessionTable(limit);
        final Map<List<Long>, Integer> expected = new HashMap<>();
        for (int i = 0; i < 2_000; i++) {
            final long principalId = random.nextInt(4);
            final int modelIndex = random.nextInt(3);
            final long sessionKey = (long) random.nextInt(64) << (8 * random.nextInt(8));
            final List<Long> name = List.of(principalId, (long) modelIndex, sessionKey);
            if (!expected.containsKey(name) && expected.size() < limit) {
                expected.put(name, expected.size());
            }
            assertEquals(
                    expected.getOrDefault(name, SessionTable.FULL),
                    table.indexOf(principalId, modelIndex, sessionKey));
        }
    }
}
