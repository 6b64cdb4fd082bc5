package io.tiercel.replay.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.TimelineFixture;
import io.tiercel.replay.timeline.TrackFiles;
import io.tiercel.replay.timeline.Tracks;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceWriterTest {

    private static final int SESSIONS = 2;

    @TempDir
    Path directory;

    @Test
    void shouldWriteMicrosecondsWithTheirNanoseconds() {
        assertEquals("0.000", TraceEvents.microseconds(0));
        assertEquals("0.007", TraceEvents.microseconds(7));
        assertEquals("1234.567", TraceEvents.microseconds(1_234_567));
    }

    @Test
    void shouldHaveATrackForEachStageSessionAndThingThatTheMachineDid() throws IOException {
        final RequestTimeline requests = new TimelineFixture(false).traffic(0, 100, 10_000)
                .batch(2_000_000, 5, 1, 4_000).roll(100).request(3_000_000).timeline();
        final Tracks tracks = new TrackFiles(directory, "io,infer", 1).collection(100_000, 200_000)
                .snapshot(300_000, 400_000).stall(-50_000, 50_000, "io", 0, "100").read(0, 4_000_000);

        final JsonNode trace = trace(requests, tracks, SESSIONS);

        final TraceRules rules = TraceRules.check(trace);
        assertEquals(Set.of("journal", "infer", "egress", "session 0", "session 1", "other sessions", "JVM pauses",
                "snapshots", "journal rolls", "stalls of io"), rules.names());
        assertEquals(1, rules.begun("batch of 5", 1));
        assertEquals(1, rules.begun("SerialCollectForAllocation", 3));
        assertEquals("2023-11-14T22:13:20Z", trace.get("otherData").get("beginUtc").asText());
        assertEquals("x", trace.get("otherData").get("label").asText());
        assertEquals(1_000, trace.get("otherData").get("firstSequence").asInt());
    }

    static JsonNode trace(final RequestTimeline requests, final Tracks tracks, final int sessions)
            throws IOException {
        final StringWriter writer = new StringWriter();
        TraceWriter.write(requests, tracks, sessions, Map.of("label", "x"), writer);
        return new ObjectMapper().readTree(writer.toString());
    }
}
