package io.tiercel.replay.latency;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.telemetry.Stage;
import io.tiercel.replay.JournalFixture;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalLatencyTest {

    private static final int COUNT = 120;

    @TempDir
    private Path directory;

    @BeforeEach
    void writeJournal() {
        JournalFixture.of(5, COUNT).write(directory);
    }

    @Test
    void shouldCountEveryOutcomeInEachViewWhenAJournalIsRead() {
        final JournalLatency latency = JournalLatency.read(directory, 0, Long.MAX_VALUE, count -> {
        });

        assertEquals(COUNT, latency.outcomeCount());
        assertEquals(COUNT, latency.statuses().values().stream().mapToLong(Long::longValue).sum());
        assertEquals(COUNT, latency.batches().values().stream().mapToLong(Long::longValue).sum());
        assertEquals(COUNT, latency.clients().values().stream().mapToLong(ClientLatency::requestCount).sum());
        assertEquals(latency.timedCount(),
                latency.models().values().stream().mapToLong(histogram -> histogram.getTotalCount()).sum());
        assertEquals(2, latency.models().size());
        assertTrue(latency.durationS() > 0);
        final double[] perSecond = latency.arrivals().rates("requests").ys();
        final double[] timesS = latency.arrivals().rates("requests").xs();
        assertEquals(COUNT, Arrays.stream(perSecond).sum() * 2 * timesS[0], 1e-6);
    }

    @Test
    void shouldHaveTheTimesOfTheOutcomes() {
        final JournalLatency latency = JournalLatency.read(directory, 0, Long.MAX_VALUE, count -> {
        });

        assertEquals(2_600, latency.stages().get(Stage.TOTAL).getMaxValue(), 2);
        assertEquals(2_100, latency.stages().get(Stage.INFER).getMaxValue(), 2);
        assertEquals(300, latency.stages().get(Stage.EGRESS).getMaxValue());
        assertArrayEquals(new double[] {200 / 2_600.0, 2_100 / 2_600.0, 0, 300 / 2_600.0},
                latency.shares().sharesAt(2_600), 1e-9);
        assertArrayEquals(new double[4], new StageShares().sharesAt(2_600));
    }

    @Test
    void shouldReadOnlyTheRange() {
        final JournalLatency latency = JournalLatency.read(directory, 30, 49, count -> {
        });

        assertEquals(20, latency.outcomeCount());
        assertEquals(30, latency.firstSequence());
        assertEquals(49, latency.lastSequence());
        assertTrue(JournalLatency.read(directory, 500, Long.MAX_VALUE, count -> {
        }).isEmpty());
    }
}
