package io.tiercel.ops.desk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.tiercel.ops.desk.DeskEvent.Severity;
import io.tiercel.protocol.telemetry.EventKind;
import io.tiercel.protocol.wire.RejectCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The words that the event log has. */
class DeskEventTest {

    @Test
    void shouldSayWhichThreadWasHeldUpAndForHowLong() {
        assertEquals("thread io held up for 3.2 ms", event(EventKind.THREAD_STALLED, 0, "io").describe());
        assertEquals("thread io held up for 3.2 ms; 17 more, none of them longer",
                event(EventKind.THREAD_STALLED, 17, "io").describe());
        assertEquals(Severity.WARNING, event(EventKind.THREAD_STALLED, 0, "io").severity());
    }

    @Test
    void shouldSayWhatTheJvmPausedFor() {
        assertEquals("JVM paused for 3.2 ms: Cleanup", event(EventKind.JVM_PAUSED, 0, "Cleanup").describe());
        assertEquals("JVM paused for 3.2 ms: Cleanup; 1 more, none of them longer",
                event(EventKind.JVM_PAUSED, 1, "Cleanup").describe());
        assertEquals(Severity.WARNING, event(EventKind.JVM_PAUSED, 0, "Cleanup").severity());
        assertEquals("command PROMOTE tape 8508afd6 by chief, sequence 17",
                event(EventKind.COMMAND_APPLIED, 17, "PROMOTE tape 8508afd6 by chief").describe());
        final DeskEvent refused = event(
                EventKind.COMMAND_REFUSED, RejectCode.VERSION_ROUTED.value(), "DRAIN tape 8508afd6 by chief");
        assertEquals("command DRAIN tape 8508afd6 by chief refused: VERSION_ROUTED", refused.describe());
        assertEquals(Severity.WARNING, refused.severity());
    }

    @Test
    void shouldCountThoseThatWereLeftOutWhenOneStandsForThem() {
        assertEquals(18, event(EventKind.THREAD_STALLED, 17, "io").count());
        assertEquals(1, event(EventKind.JVM_PAUSED, 0, "Cleanup").count());
        assertEquals(1, event(EventKind.CLIENT_WELCOMED, 17, "desk-7").count());
    }

    @Test
    void shouldSayTheNumberWhenARefusalIsOfALaterVersion() {
        assertEquals("client desk-7 refused: ACCESS_DENIED",
                event(EventKind.CLIENT_REFUSED, RejectCode.ACCESS_DENIED.value(), "desk-7").describe());
        assertEquals("client desk-7 refused: code 4711",
                event(EventKind.CLIENT_REFUSED, 4_711, "desk-7").describe());
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveWordsForEveryKind(final EventKind kind) {
        assertFalse(event(kind, 1, "subject").describe().isBlank());
    }

    private static DeskEvent event(final EventKind kind, final long value, final String subject) {
        return new DeskEvent(kind, 5, 3_210_000, value, subject);
    }
}
