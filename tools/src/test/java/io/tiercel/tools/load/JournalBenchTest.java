package io.tiercel.tools.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.journal.JournalSettings;
import java.nio.file.Path;
import java.util.Map;
import org.agrona.concurrent.SystemNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The benchmark in small, so that it keeps running. */
class JournalBenchTest {

    @TempDir
    private Path directory;

    @Test
    @Timeout(60)
    void shouldAppendAllRecordsAndReadThemBackWhenRunInSmall() {
        final long recordCount = 2_000;
        final long warmUpCount = 500;
        final Map<String, Object> result = new JournalBench(
                SystemNanoClock.INSTANCE, recordCount, warmUpCount, 256, 1_000_000, true)
                .run(directory.resolve("journal"),
                        new JournalSettings().blockBytes(8 << 20).populateAheadBytes(4 << 20).minimumFreeBytes(0));
        assertEquals(recordCount, result.get("records"));
        assertEquals(recordCount + warmUpCount, result.get("readBack"));
        assertEquals(recordCount, ((Map<?, ?>) result.get("appendUs")).get("count"));
        assertTrue(result.containsKey("appendsOver1Ms") && result.containsKey("hiccupsOver1Ms"));
    }
}
