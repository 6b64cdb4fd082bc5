package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class InFlightTableProperties {

    @Property(tries = 200)
    void shouldBehaveAsAMapWhateverTheOrderOfAnswers(
            @ForAll @IntRange(min = 1, max = 64) final int capacity, @ForAll final long seed) {
        final Random random = new Random(seed);
        final InFlightTable table = new InFlightTable(capacity);
        final Map<Long, Long> model = new HashMap<>();
        for (int i = 0; i < 1_000; i++) {
            final long id = 1 + random.nextInt(200) * (random.nextBoolean() ? 1L : 128L);
            if (random.nextBoolean() && model.size() < capacity && !model.containsKey(id)) {
                table.put(id, i, 3L * i, 5L * i);
                model.put(id, (long) i);
            } else {
                final Long expected = model.remove(id);
                assertEquals(expected == null ? -1 : expected, table.remove(id));
                if (expected != null) {
                    assertEquals(3 * expected, table.removedDueNs());
                    assertEquals(5 * expected, table.removedSentNs());
                }
            }
            assertEquals(model.size(), table.size());
            assertEquals(model.size() == capacity, table.isFull());
        }
    }

    @Test
    void shouldRefuseAnIdThatIsInFlightOrNotPositive() {
        final InFlightTable table = new InFlightTable(4);
        table.put(7, 0, 0, 0);
        assertThrows(IllegalStateException.class, () -> table.put(7, 1, 0, 0));
        assertThrows(IllegalStateException.class, () -> table.put(0, 1, 0, 0));
    }
}
