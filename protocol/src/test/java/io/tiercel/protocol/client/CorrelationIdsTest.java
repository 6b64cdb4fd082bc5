package io.tiercel.protocol.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class CorrelationIdsTest {

    private static final long EPOCH_NS = 1_795_000_000_000_000_000L;
    /** Requests of a connection that lives for a day at a million a second. */
    private static final long CONNECTION_IDS = 86_400L * 1_000_000;

    @Property
    void shouldLeaveRoomToCountUpWhateverItIsMadeOf(
            @ForAll final long epochNs, @ForAll final long clientId, @ForAll final int sessionId) {
        final long first = CorrelationIds.first(epochNs, clientId, sessionId);
        assertTrue(first > 0 && first <= 1L << 62, "first=" + first);
    }

    @Test
    void shouldBeginFarApartWhenConnectionsDifferInOneThingOnly() {
        final Set<Long> ranges = new HashSet<>();
        int count = 0;
        for (int step = 1; step <= 1_000; step++) {
            ranges.add(CorrelationIds.first(EPOCH_NS + step, 7, -5) / CONNECTION_IDS);
            ranges.add(CorrelationIds.first(EPOCH_NS, 7 + step, -5) / CONNECTION_IDS);
            ranges.add(CorrelationIds.first(EPOCH_NS, 7, -5 + step) / CONNECTION_IDS);
            count += 3;
        }
        assertEquals(count, ranges.size());
    }

    @Test
    void shouldBeginAtTheSameIdWhenEverythingIsTheSame() {
        assertEquals(CorrelationIds.first(EPOCH_NS, 7, -5), CorrelationIds.first(EPOCH_NS, 7, -5));
    }
}
