package io.tiercel.appliance.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashMap;
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
