package io.tiercel.tools.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ToolException;
import io.tiercel.tools.load.LiveReport.IntervalLog;
import java.nio.file.Path;
import java.util.Set;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StageLogTest {

    @Test
    void shouldAddUpTheIntervalsOfEachStageAndKeepHiccupsApart(@TempDir final Path folder) {
        try (IntervalLog log = IntervalLog.create(folder.resolve("stages.hlog"), "a test")) {
            log.write("infer", interval(2_000, 10));
            log.write("total", interval(5_000, 10));
            log.write("infer", interval(3_000, 30));
            log.write("hiccup-main", interval(4_000_000, 2));
        }

        final StageLog read = StageLog.read(folder);

        assertEquals(Set.of("infer", "total"), read.stages().keySet());
        assertEquals(40, read.stages().get("infer").getTotalCount());
        assertEquals(3_000, read.stages().get("infer").getValueAtPercentile(50), 10);
        assertEquals(2, read.hiccups().get("main").getTotalCount());
    }

    @Test
    void shouldSayWhichDirectoryWhenThereIsNone(@TempDir final Path folder) {
        final Path missing = folder.resolve("telemetry");
        final ToolException error = assertThrows(ToolException.class, () -> StageLog.read(missing));
        assertTrue(error.getMessage().contains(missing.toString()), error.getMessage());
    }

    private static Histogram interval(final long valueNs, final long count) {
        final Histogram histogram = new Histogram(3_600_000_000_000L, 3);
        histogram.setStartTimeStamp(1_000);
        histogram.setEndTimeStamp(2_000);
        histogram.recordValueWithCount(valueNs, count);
        return histogram;
    }
}
