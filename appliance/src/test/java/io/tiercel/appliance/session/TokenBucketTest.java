package io.tiercel.appliance.session;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TokenBucketTest {

    private static final long SECOND_NS = 1_000_000_000L;
    /** Of a clock that may begin anywhere. */
    private static final long START_NS = Long.MAX_VALUE - 5 * SECOND_NS;

    @ParameterizedTest
    @CsvSource({"1, 1", "9, 1", "10, 1", "15, 1", "20, 2", "1000, 100", "999999, 99999", "1000000000, 100000000"})
    void shouldAdmitWhatAHundredMillisecondsBringWhenTheyComeAtOnce(final int rate, final int burst) {
        final TokenBucket limit = new TokenBucket();
        limit.begin(rate, START_NS);
        for (int request = 0; request < burst; request++) {
            assertTrue(limit.admits(START_NS));
            limit.take();
        }
        assertFalse(limit.admits(START_NS));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 7, 1_000, 333_333, 299_999_999, 1_000_000_000})
    void shouldAdmitExactlyTheRateWhenTheClientAsksAllTheTime(final int rate) {
        final TokenBucket limit = new TokenBucket();
        limit.begin(rate, START_NS);
        while (limit.admits(START_NS)) {
            limit.take();
        }
        final Random random = new Random(rate);
        final long lengthNs = Math.max(10 * SECOND_NS / rate, 1_000_000);
        final int maxStepNs = (int) Math.max(lengthNs / 1_000, 2);
        long nowNs = 0;
        long admitted = 0;
        while (nowNs < lengthNs) {
            nowNs = Math.min(lengthNs, nowNs + random.nextInt(maxStepNs));
            while (limit.admits(START_NS + nowNs)) {
                limit.take();
                admitted++;
            }
        }
        assertEquals(lengthNs * rate / SECOND_NS, admitted, 1.0);
    }

    @Test
    void shouldHoldNoMoreThanABurstWhenTheClientWasSilentForLong() {
        final TokenBucket limit = new TokenBucket();
        limit.begin(1_000, START_NS);
        final long laterNs = START_NS + Long.MAX_VALUE / 2;
        for (int request = 0; request < 100; request++) {
            assertTrue(limit.admits(laterNs));
            limit.take();
        }
        assertFalse(limit.admits(laterNs));
    }

    @Test
    void shouldCostNothingWhenARequestIsOnlyLookedAt() {
        final TokenBucket limit = new TokenBucket();
        limit.begin(1, START_NS);
        for (int look = 0; look < 10; look++) {
            assertTrue(limit.admits(START_NS + look));
        }
    }

    @Test
    void shouldBeginWithAFullBucketWhenThePlaceIsGivenToAnother() {
        final TokenBucket limit = new TokenBucket();
        limit.begin(1, START_NS);
        limit.take();
        assertFalse(limit.admits(START_NS));
        limit.begin(1, START_NS);
        assertTrue(limit.admits(START_NS));
    }

    @Test
    void shouldAdmitEverythingWhenThereIsNoLimit() {
        final TokenBucket limit = new TokenBucket();
        limit.begin(0, START_NS);
        for (int request = 0; request < 1_000; request++) {
            assertTrue(limit.admits(START_NS));
            limit.take();
        }
    }
}
