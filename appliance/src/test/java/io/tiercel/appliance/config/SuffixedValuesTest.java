package io.tiercel.appliance.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SuffixedValuesTest {

    @ParameterizedTest
    @CsvSource({"0ns, 0", "1ns, 1", "10us, 10000", "5ms, 5000000", "1s, 1000000000", "1_000us, 1000000",
        "9223372036s, 9223372036000000000"})
    void shouldReadADurationWhenItHasAUnit(final String text, final long durationNs) {
        assertEquals(durationNs, SuffixedValues.parseDurationNs(text));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "4096, 4096", "64k, 65536", "64m, 67108864", "1g, 1073741824", "1G, 1073741824",
        "8589934591g, 9223372035781033984"})
    void shouldReadASizeWithOrWithoutAUnit(final String text, final long bytes) {
        assertEquals(bytes, SuffixedValues.parseBytes(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "s", "ms", "-1s", "+1s", "1.5s", "1 s", "1m", "1h", "1sec", "_1s", "1_s", "1__0s", "0x1s",
                "1S", "9223372037s", "99999999999999999999ns", "١s"})
    void shouldRefuseADurationWhenItIsNone(final String text) {
        assertThrows(IllegalArgumentException.class, () -> SuffixedValues.parseDurationNs(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "k", "-1", "1.5m", "1 k", "1kb", "1t", "8589934592g", "9223372036854775808"})
    void shouldRefuseASizeWhenItIsNone(final String text) {
        assertThrows(IllegalArgumentException.class, () -> SuffixedValues.parseBytes(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1k", "1.0", "1e3", "one", "9223372036854775808"})
    void shouldRefuseACountWhenItIsNone(final String text) {
        assertThrows(IllegalArgumentException.class, () -> SuffixedValues.parseCount(text));
    }

    @Test
    void shouldAskForTheUnitWhenADurationIsABareNumber() {
        final Exception ex =
                assertThrows(IllegalArgumentException.class, () -> SuffixedValues.parseDurationNs("500"));
        assertEquals("a duration needs its unit: ns, us, ms or s", ex.getMessage());
    }

    @Test
    void shouldPrintInTheLargestExactUnit() {
        assertEquals("1s", SuffixedValues.formatDuration(1_000_000_000));
        assertEquals("1500ms", SuffixedValues.formatDuration(1_500_000_000));
        assertEquals("0ns", SuffixedValues.formatDuration(0));
        assertEquals("1g", SuffixedValues.formatBytes(1 << 30));
        assertEquals("1025", SuffixedValues.formatBytes(1025));
        assertEquals("0", SuffixedValues.formatBytes(0));
    }
}
