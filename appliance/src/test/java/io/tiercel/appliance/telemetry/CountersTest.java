package io.tiercel.appliance.telemetry;

import org.junit.jupiter.api.Test;

import java.util.HashSet;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class CountersTest {

    @Test
    void shouldHaveEveryCounterApartFromTheOthersWhenInMemory() {
        try (Counters counters = Counters.inMemory()) {
            for (final CounterId id : CounterId.values()) {
                for (int count = 0; count <= id.ordinal(); count++) {
                    counters.get(id).incrementRelease();
                }
            }
            for (final CounterId id : CounterId.values()) {
                assertEquals(id.ordinal() + 1, counters.value(id));
            }
        }
    }

    @Test
    void shouldBeTellableApartInTheDriversFileWhenLabelsAreRead() {
        final Set<String> labels = new HashSet<>();
        for (final CounterId id : CounterId.values()) {
            assertTrue(id.typeId() >= CounterId.FIRST_TYPE_ID);
            assertTrue(id.label().startsWith("tiercel "), id.label());
            assertTrue(labels.add(id.label()));
        }
        assertTrue(CounterId.JOURNAL_WAITS.label().startsWith("tiercel journal-waits: "));
    }
}
