package io.tiercel.replay.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.TimelineFixture;
import io.tiercel.replay.timeline.Tracks;
import java.io.IOException;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class TraceProperties {

    private static final int SESSIONS = 2;

    @Property(tries = 15)
    void shouldKeepToTheRulesOfTheFormatWhateverHappens(@ForAll final long seed) throws IOException {
        final RequestTimeline requests = TimelineFixture.random(seed, 200);

        final TraceRules rules = TraceRules.check(
                TraceWriterTest.trace(requests, Tracks.read(Path.of("none"), 0, 1), SESSIONS));

        assertEquals(requests.size(), rules.begun("#", 2), "each request is a slice of its session");
        assertEquals(requests.size(), rules.arrowCount(), "and has an arrow");
    }
}
