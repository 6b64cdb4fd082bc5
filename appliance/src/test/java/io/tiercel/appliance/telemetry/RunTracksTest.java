package io.tiercel.appliance.telemetry;

import com.sun.management.ThreadMXBean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class RunTracksTest {

    private static final long OFFSET_NS = 1_700_000_000_000_000_000L;
    private static final long STALL_NS = StallTrack.FLOOR_NS;
    private static final int RUNS_KEPT = 16;

    private final Counters counters = Counters.inMemory();
    private final HiccupRecorder hiccups = new HiccupRecorder(true, counters);

    @TempDir
    Path directory;

    @Test
    void shouldWriteEachLongRoundWithItsTimeWhenItWasLongEnough() throws IOException {
        final StallWriter writer = writer();
        hiccups.onIdleRound(100, 100 + STALL_NS - 1);
        hiccups.onIdleRound(200, 200 + STALL_NS);
        assertEquals(1, writer.doWork());
        assertEquals(0, writer.doWork());
        hiccups.onIdleRound(300, 300 + 7 * STALL_NS);
        writer.onClose();
        assertEquals(List.of(
                "startNs,durationNs,thread,work,waitedNs",
                OFFSET_NS + 200 + ",20000,io,0,",
                OFFSET_NS + 300 + ",140000,io,0,"), lines("stalls.csv"));
    }

    @Test
    void shouldSayWhatTheThreadWaitedForACoreWhenTheSystemCounts() throws IOException {
        hiccups.stalls().onStart();
        final StallWriter writer = writer();
        writer.doWork();
        hiccups.onIdleRound(200, 200 + STALL_NS);
        writer.onClose();
        final String waited = lines("stalls.csv").get(1).split(",", -1)[4];
        assertEquals(Files.isReadable(Path.of("/proc/thread-self/schedstat")), !waited.isEmpty());
        assertTrue(waited.isEmpty() || Long.parseLong(waited) <= STALL_NS, waited);
    }

    @Test
    void shouldTakeARoundForLongOnlyWhenItIsFarLongerThanItsWork() throws IOException {
        final StallWriter writer = writer();
        long nowNs = 0;
        for (int round = 0; round < 1_000; round++) {
            hiccups.onBusyRound(nowNs, nowNs += 30_000, 10);
        }
        hiccups.onBusyRound(nowNs, nowNs += 300_000, 50);
        assertEquals(0, writer.doWork(), "fifty are many times the work of ten, not a stall");
        hiccups.onBusyRound(nowNs, nowNs += 300_000, 10);
        hiccups.onBusyRound(nowNs, nowNs += 300_000, 10);
        assertEquals(2, writer.doWork(), "one does not hide the next");
        for (int round = 0; round < 1_000; round++) {
            hiccups.onBusyRound(nowNs, nowNs += 300_000, 10);
        }
        assertTrue(writer.doWork() < 50, "what is always so is no stall");
        writer.onClose();
    }

    @Test
    void shouldCountWhatIsLostWhenNobodyReads() throws IOException {
        final StallWriter writer = writer();
        final int count = 10_000;
        for (int stall = 0; stall < count; stall++) {
            hiccups.onIdleRound(0, STALL_NS);
        }
        writer.onClose();
        final List<String> lines = lines("stalls.csv");
        final int kept = lines.size() - 2;
        assertTrue(kept > 1_000, "kept=" + kept);
        assertEquals("# io lost=" + (count - kept), lines.get(lines.size() - 1));
    }

    @Test
    void shouldAllocateNothingOnTheThreadThatIsMeasured() {
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocatedBytes = Long.MAX_VALUE;
        for (int tries = 0; tries < 20 && allocatedBytes > 0; tries++) {
            final long beforeBytes = threads.getCurrentThreadAllocatedBytes();
            for (int round = 0; round < 10_000; round++) {
                hiccups.onIdleRound(0, STALL_NS + round);
                hiccups.onBusyRound(0, 1_000 * STALL_NS, 1);
            }
            allocatedBytes = threads.getCurrentThreadAllocatedBytes() - beforeBytes;
        }
        assertEquals(0, allocatedBytes);
    }

    @Test
    void shouldKeepTheNewestWhenAFileIsFull() throws IOException {
        final TrackFile file = new TrackFile(directory.resolve("track.csv"), "head", 20);
        for (int line = 100; line < 110; line++) {
            file.append("line " + line);
        }
        file.close();
        assertEquals(List.of("head", "line 106", "line 107"), Files.readAllLines(directory.resolve("track.csv.1")));
        assertEquals(List.of("head", "line 108", "line 109"), Files.readAllLines(directory.resolve("track.csv")));
    }

    @Test
    void shouldLeaveEarlierRunsAloneUntilThereAreTooMany() throws IOException {
        Files.createDirectory(directory.resolve("other"));
        for (int run = 0; run < RUNS_KEPT + 3; run++) {
            run(run);
        }
        final List<String> names;
        try (Stream<Path> found = Files.list(directory)) {
            names = found.map(path -> path.getFileName().toString()).sorted().toList();
        }
        assertEquals(RUNS_KEPT + 1, names.size());
        assertEquals("other", names.get(0));
        assertEquals("run-20231114T221320.000000003Z", names.get(1));
    }

    @Test
    void shouldSayHowTheClocksHangTogetherWhenARunBegins() throws IOException {
        final Properties properties = new Properties();
        properties.load(Files.newBufferedReader(run(5).path().resolve("run.properties")));
        assertEquals("1", properties.getProperty("formatVersion"));
        assertEquals(String.valueOf(OFFSET_NS + 5), properties.getProperty("startNs"));
        assertEquals(String.valueOf(OFFSET_NS), properties.getProperty("epochOffsetNs"));
        assertEquals("io,infer", properties.getProperty("threads"));
        assertEquals("2", properties.getProperty("inferWorkers"));
    }

    @Test
    void shouldWriteSnapshotsWithTheirTimesWhenTheyAreTold() throws IOException {
        try (EventTrack events = EventTrack.in(run(5))) {
            events.add(EventTrack.SNAPSHOT_COPY, 10, 30, 7);
        }
        EventTrack.none().add(EventTrack.SNAPSHOT_COPY, 10, 30, 7);
        assertEquals(List.of("startNs,durationNs,what,sequence", OFFSET_NS + 10 + ",20,snapshot-copy,7"),
                lines("events.csv"));
    }

    @Test
    void shouldLogThePausesOfThisJvmWhileItIsOn() throws IOException {
        final RunDirectory run = run(5);
        final JvmLog log = JvmLog.open(run.jvmLog());
        System.gc();
        System.gc(); // By then the line of the first one's safepoint, which comes when threads go on, is there.
        log.close();
        final long length = Files.size(run.jvmLog());
        assertTrue(Files.readString(run.jvmLog()).contains("Safepoint \""), "no safepoint");
        System.gc();
        assertEquals(length, Files.size(run.jvmLog()), "it goes on after it was closed");
    }

    @Test
    void shouldDoWithoutTheJvmsLogWhenItsPathCannotBeSaid() {
        final Path path = directory.resolve("100%/jvm.log");
        JvmLog.open(path).close();
        assertFalse(Files.exists(path));
    }

    private StallWriter writer() throws IOException {
        return new StallWriter(Map.of("io", hiccups), run(5), counters.happenings());
    }

    private RunDirectory run(final long nowTickNs) throws IOException {
        return RunDirectory.create(directory, nowTickNs, OFFSET_NS, List.of("io", "infer"), 2);
    }

    private List<String> lines(final String name) throws IOException {
        try (Stream<Path> runs = Files.list(directory)) {
            return Files.readAllLines(runs.findFirst().orElseThrow().resolve(name));
        }
    }
}
