package io.tiercel.appliance.telemetry;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What the operator's desk hears of stalls and pauses. */
class StallsToldTest {

    private static final long MS = 1_000_000;
    private static final String COLLECTION = "[7200000ns] GC(3) Pause Young (Normal) 24M->2M(256M) 2.6ms\n";

    @TempDir
    Path directory;
    private final Counters counters = Counters.inMemory();
    private final HiccupRecorder io = new HiccupRecorder(true, counters);
    private final HiccupRecorder infer = new HiccupRecorder(true, counters);
    private RunDirectory run;
    private StallWriter writer;

    @BeforeEach
    void begin() throws IOException {
        run = RunDirectory.create(directory, 0, 0, List.of("io", "infer"), 1);
        final Map<String, HiccupRecorder> hiccups = new LinkedHashMap<>();
        hiccups.put("io", io);
        hiccups.put("infer", infer);
        writer = new StallWriter(hiccups, run, counters.happenings());
    }

    @Test
    void shouldTellWhichThreadWasHeldUpWhenItWasForAMillisecond() throws IOException {
        io.onIdleRound(100, 100 + MS - 1);
        io.onIdleRound(200, 200 + MS);
        infer.onBusyRound(300, 300 + 20 * MS, 1);
        writer.doWork();
        assertEquals(List.of("THREAD_STALLED at=200 ns=1000000 value=0 io",
                "THREAD_STALLED at=300 ns=20000000 value=0 infer"), told());
    }

    @Test
    void shouldTellAFewASecondAndTheLongestOfTheRestWhenThereAreMany() throws IOException {
        for (int stall = 1; stall <= 100; stall++) {
            (stall % 2 == 0 ? io : infer).onIdleRound(stall, stall + (stall == 42 ? 50 * MS : 2 * MS));
        }
        writer.doWork();
        assertEquals(SparingTeller.MAX_TOLD, told().size());
        for (int round = 2; round < SparingTeller.ROUNDS; round++) {
            io.onIdleRound(1_000, 1_000 + 3 * MS);
            writer.doWork();
        }
        assertEquals(List.of(), told(), "its second is not over");
        writer.doWork();
        final int leftOut = 100 - SparingTeller.MAX_TOLD - 1 + SparingTeller.ROUNDS - 2;
        assertEquals(List.of("THREAD_STALLED at=42 ns=50000000 value=" + leftOut + " io"), told());
        io.onIdleRound(2_000, 2_000 + MS);
        writer.doWork();
        assertEquals(List.of("THREAD_STALLED at=2000 ns=1000000 value=0 io"), told(), "they are told already");
    }

    @Test
    void shouldTellWhatItHoldsWhenItEnds() throws IOException {
        writer.doWork();
        for (int stall = 0; stall < SparingTeller.MAX_TOLD + 3; stall++) {
            io.onIdleRound(stall, stall + MS);
        }
        Files.writeString(run.jvmLog(), safepoint(10 * MS, MS));
        writer.onClose();
        final List<String> told = told();
        assertEquals(SparingTeller.MAX_TOLD + 2, told.size());
        assertEquals("THREAD_STALLED at=4 ns=1000000 value=2 io", told.get(SparingTeller.MAX_TOLD));
        assertEquals("JVM_PAUSED at=9000000 ns=1000000 value=0 Cleanup", told.get(SparingTeller.MAX_TOLD + 1));
    }

    @Test
    void shouldTellThePausesOfTheJvmWhenTheirLinesAreWhole() throws IOException {
        writer.doWork();
        assertEquals(List.of(), told(), "there is no log yet");
        append(safepoint(5 * MS, MS - 1) + COLLECTION + safepoint(8 * MS, 3 * MS).substring(0, 40));
        writer.doWork();
        assertEquals(List.of(), told());
        append(safepoint(8 * MS, 3 * MS).substring(40));
        writer.doWork();
        assertEquals(List.of("JVM_PAUSED at=5000000 ns=3000000 value=0 Cleanup, " +
                "Pause Young (Normal) 24M->2M(256M) 2.6ms"), told());
        append(safepoint(30 * MS, 4 * MS) + COLLECTION + safepoint(40 * MS, 4 * MS));
        writer.doWork();
        assertEquals(List.of("JVM_PAUSED at=26000000 ns=4000000 value=0 Cleanup",
                "JVM_PAUSED at=36000000 ns=4000000 value=0 Cleanup"), told(), "that collection was before it");
    }

    @Test
    void shouldGoOnInTheNextFileWhenTheJvmGivesAFullOneAnotherName() throws IOException {
        append(safepoint(5 * MS, MS));
        writer.doWork();
        append(safepoint(6 * MS, MS));
        final Path full = Files.move(run.jvmLog(), run.path().resolve("jvm.log.0"));
        writer.doWork();
        Files.writeString(full, safepoint(7 * MS, MS) + "[8000000ns] Safepo", StandardOpenOption.APPEND);
        append(safepoint(9 * MS, MS));
        writer.doWork();
        assertEquals(List.of("JVM_PAUSED at=4000000 ns=1000000 value=0 Cleanup",
                "JVM_PAUSED at=5000000 ns=1000000 value=0 Cleanup", "JVM_PAUSED at=6000000 ns=1000000 value=0 Cleanup",
                "JVM_PAUSED at=8000000 ns=1000000 value=0 Cleanup"), told());
    }

    @Test
    void shouldGoOnWithStallsWhenTheJvmsLogCannotBeRead() throws IOException {
        Files.createDirectory(run.jvmLog());
        for (int round = 0; round < 2; round++) {
            io.onIdleRound(200, 200 + MS);
            writer.doWork();
        }
        writer.onClose();
        assertEquals(2, told().size());
    }

    /** Whatever JVM this is. */
    @Test
    void shouldUnderstandWhatThisJvmLogsOfItsPauses() throws IOException {
        final JvmLog log = JvmLog.open(run.jvmLog());
        System.gc();
        System.gc(); // By then the line of the first one's safepoint, which comes when threads go on, is there.
        log.close();
        final List<String> heard = new ArrayList<>();
        final JvmLog.Handler handler = new JvmLog.Handler() {
            @Override
            public void onSafepoint(final long endTickNs, final long durationNs, final String operation) {
                assertTrue(endTickNs > durationNs && durationNs > 0, operation);
                heard.add("safepoint");
            }

            @Override
            public void onCollection(final long tickNs, final String what) {
                assertTrue(what.startsWith("Pause "), what);
                heard.add("collection");
            }
        };
        Files.readAllLines(run.jvmLog(), StandardCharsets.ISO_8859_1).forEach(line -> JvmLog.read(line, handler));
        assertTrue(heard.contains("safepoint") && heard.indexOf("collection") < heard.lastIndexOf("safepoint"),
                heard::toString);
    }

    private void append(final String text) throws IOException {
        Files.writeString(run.jvmLog(), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static String safepoint(final long endTickNs, final long durationNs) {
        return "[" + endTickNs + "ns] Safepoint \"Cleanup\", Time since last: 1000 ns, Reaching safepoint: 9 ns, " +
                "At safepoint: " + (durationNs - 9) + " ns, Total: " + durationNs + " ns\n";
    }

    private List<String> told() {
        final List<String> lines = new ArrayList<>();
        counters.happenings().drain((kind, startTickNs, durationNs, value, subject) -> lines.add(
                kind + " at=" + startTickNs + " ns=" + durationNs + " value=" + value + " " + subject));
        return lines;
    }
}
