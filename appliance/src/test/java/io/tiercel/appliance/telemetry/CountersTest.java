package io.tiercel.appliance.telemetry;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
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

    /** Were the file touched still, this JVM would not live to tell. */
    @Test
    void shouldGoOnInMemoryWhenAeronHasUnmappedItsFile(@TempDir final Path directory) {
        final Counters counters;
        try (MediaDriver driver = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(directory.resolve("aeron").toString()).threadingMode(ThreadingMode.SHARED)
                .dirDeleteOnShutdown(true));
                Aeron aeron = Aeron.connect(new Aeron.Context()
                        .aeronDirectoryName(driver.aeronDirectoryName()).useConductorAgentInvoker(true))) {
            counters = Counters.inDriver(aeron);
            counters.get(CounterId.SESSIONS).setRelease(7);
            counters.increment(CounterId.SNAPSHOTS);
            assertEquals(7, counters.value(CounterId.SESSIONS));
            assertEquals(1, counters.value(CounterId.SNAPSHOTS));
        }
        counters.increment(CounterId.SNAPSHOTS);
        assertEquals(7, counters.value(CounterId.SESSIONS));
        assertEquals(2, counters.value(CounterId.SNAPSHOTS));
    }
}
