package io.tiercel.replay.timeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TracksTest {

    private static final long BASE_NS = TimelineFixture.BASE_NS;

    @TempDir
    Path directory;

    @Test
    void shouldPutThePausesOfBothJdksOnTheJournalsClock() {
        final Tracks tracks = files().safepoint(1_000, 1_500).collection(5_000, 9_000).read();

        assertEquals(List.of(
                new Pause(BASE_NS + 1_000, 500, "ThreadDump", null),
                new Pause(BASE_NS + 5_000, 4_000, "SerialCollectForAllocation",
                        "Pause Young (Allocation Failure) 66M->1M(247M) 1.234ms")),
                tracks.pauses());
        assertFalse(tracks.pauses().get(0).isCollection());
        assertTrue(tracks.pauses().get(1).isCollection());
    }

    @Test
    void shouldKnowACollectionByItsNameWhenItsOwnLineIsGone() {
        for (final String name : List.of("GenCollectFull", "G1CollectForAllocation", "ParallelGCFailedAllocation",
                "ZMarkStartYoung", "ShenandoahInitMark", "SerialGCCollect")) {
            assertTrue(new Pause(0, 1, name, null).isCollection(), name);
        }
        assertFalse(new Pause(0, 1, "ICBufferFull", null).isCollection());
    }

    @Test
    void shouldReadOnlyWhatTouchesTheTimeThatIsAskedFor() {
        final TrackFiles files = files().stall(100, 200, "io", 0, "").stall(300, 400, "io", 5, "70")
                .stall(500, 600, "io", 0, "0").append("stalls.csv", "# io lost=12\n").snapshot(150, 350);

        final Tracks tracks = files.read(250, 450);

        final Stall stall = tracks.stalls().get(0);
        assertEquals(1, tracks.stalls().size());
        assertEquals(BASE_NS + 300, stall.startNs());
        assertEquals(5, stall.work());
        assertTrue(stall.isPreemption());
        assertEquals(12, tracks.lostStallCount());
        assertEquals(1, tracks.events().size());
        assertEquals(-1, files.read(0, 150).stalls().get(0).waitedNs());
        assertSame(tracks.runs().get(0), tracks.runAt(BASE_NS));
        assertNull(tracks.runAt(BASE_NS - 2));
    }

    @Test
    void shouldReadAFileThatIsBeingWritten() {
        assertEquals(1, files().stall(100, 200, "io", 0, "").append("stalls.csv", "17000000").read().stalls().size());
    }

    @Test
    void shouldReadBothHalvesOfAFileThatWasFull() {
        final TrackFiles files = files().stall(300, 400, "io", 0, "")
                .append("stalls.csv.1", "startNs,durationNs,thread,work,waitedNs\n" + (BASE_NS + 100) + ",50,io,0,\n");
        assertEquals(List.of(BASE_NS + 100, BASE_NS + 300),
                files.read().stalls().stream().map(Stall::startNs).toList());
    }

    @Test
    void shouldSayWhichLineIsNotOneOfATrack() {
        final TrackException ex =
                assertThrows(TrackException.class, files().append("stalls.csv", "1,2,io,x,\n")::read);
        assertTrue(ex.getMessage().startsWith("not a line of a track: file=" + directory), ex.getMessage());
        assertTrue(ex.getMessage().endsWith("stalls.csv line=1,2,io,x,"), ex.getMessage());
    }

    @Test
    void shouldRefuseARunOfALaterVersion() throws IOException {
        final Path run = Files.createDirectories(directory.resolve("run-1"));
        assertEquals(0, Tracks.read(directory, 0, 1).runs().size(), "it died before it could describe itself");
        Files.writeString(run.resolve("run.properties"), "formatVersion=2\n");
        final TrackException ex = assertThrows(TrackException.class, () -> Tracks.read(directory, 0, 1));
        assertTrue(ex.getMessage().endsWith("formatVersion=2 supported=1"), ex.getMessage());
    }

    @Test
    void shouldFindNothingWhereThereIsNoTelemetry() {
        assertEquals(0, Tracks.read(directory.resolve("none"), 0, 1).runs().size());
    }

    @Test
    void shouldKnowWhichThreadDoesWhatInEachLayout() {
        final Run compact = new Run(directory, 0, 0, List.of("io"), 1);
        assertTrue(compact.infers("io", 0) && compact.journals("io") && compact.sends("io"));
        final Run paired = new Run(directory, 0, 0, List.of("io", "infer"), 1);
        assertTrue(paired.infers("infer", 0) && !paired.infers("io", 0) && paired.journals("io"));
        final Run dedicated =
                new Run(directory, 0, 0, List.of("io", "journal", "infer-0", "infer-1", "egress", "outcome"), 2);
        assertTrue(dedicated.infers("infer-1", 1) && !dedicated.infers("infer-1", 0));
        assertTrue(dedicated.journals("journal") && !dedicated.journals("io") && !dedicated.sends("outcome"));
    }

    private TrackFiles files() {
        return new TrackFiles(directory, "io,infer", 1);
    }
}
