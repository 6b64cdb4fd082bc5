package io.tiercel.appliance.ingress;

import io.tiercel.appliance.session.ClientConnection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class RateLimitTest {

    private static final long SECOND_NS = 1_000_000_000L;
    /** Of a clock that may begin anywhere. */
    private static final long START_NS = Long.MAX_VALUE - 5 * SECOND_NS;

    private final ClientConnection client = new ClientConnection(0);

    @ParameterizedTest
    @CsvSource({"1, 1", "9, 1", "10, 1", "15, 1", "20, 2", "1000, 100", "999999, 99999", "1000000000, 100000000"})
    void shouldAdmitWhatAHundredMillisecondsBringWhenTheyComeAtOnce(final int rate, final int burst) {
        final RateLimit limit = new RateLimit(rate);
        limit.begin(client, START_NS);
        for (int request = 0; request < burst; request++) {
            assertTrue(limit.admits(client, START_NS));
            limit.take(client);
        }
        assertFalse(limit.admits(client, START_NS));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 7, 1_000, 333_333, 299_999_999, 1_000_000_000})
    void shouldAdmitExactlyTheRateWhenTheClientAsksAllTheTime(final int rate) {
        final RateLimit limit = new RateLimit(rate);
        limit.begin(client, START_NS);
        while (limit.admits(client, START_NS)) {
            limit.take(client);
        }
        final Random random = new Random(rate);
        final long lengthNs = Math.max(10 * SECOND_NS / rate, 1_000_000);
        final int maxStepNs = (int) Math.max(lengthNs / 1_000, 2);
        long nowNs = 0;
        long admitted = 0;
        while (nowNs < lengthNs) {
            nowNs = Math.min(lengthNs, nowNs + random.nextInt(maxStepNs));
            while (limit.admits(client, START_NS + nowNs)) {
                limit.take(client);
                admitted++;
            }
        }
        assertEquals(lengthNs * rate / SECOND_NS, admitted, 1.0);
    }

    @Test
    void shouldHoldNoMoreThanABurstWhenTheClientWasSilentForLong() {
        final RateLimit limit = new RateLimit(1_000);
        limit.begin(client, START_NS);
        final long laterNs = START_NS + Long.MAX_VALUE / 2;
        for (int request = 0; request < 100; request++) {
            assertTrue(limit.admits(client, laterNs));
            limit.take(client);
        }
        assertFalse(limit.admits(client, laterNs));
    }

    @Test
    void shouldCostNothingWhenARequestIsOnlyLookedAt() {
        final RateLimit limit = new RateLimit(1);
        limit.begin(client, START_NS);
        for (int look = 0; look < 10; look++) {
            assertTrue(limit.admits(client, START_NS + look));
        }
    }

    @Test
    void shouldBeginWithAFullBucketWhenThePlaceIsGivenToAnother() {
        final RateLimit limit = new RateLimit(1);
        limit.begin(client, START_NS);
        limit.take(client);
        assertFalse(limit.admits(client, START_NS));
        limit.begin(client, START_NS);
        assertTrue(limit.admits(client, START_NS));
    }

    @Test
    void shouldAdmitEverythingWhenThereIsNoLimit() {
        final RateLimit limit = new RateLimit(0);
        limit.begin(client, START_NS);
        for (int request = 0; request < 1_000; request++) {
            assertTrue(limit.admits(client, START_NS));
            limit.take(client);
        }
    }
}
