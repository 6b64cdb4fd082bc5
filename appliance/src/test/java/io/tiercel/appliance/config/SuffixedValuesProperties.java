package io.tiercel.appliance.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.StringLength;

class SuffixedValuesProperties {

    @Property
    void shouldReadBackWhatItPrints(@ForAll @LongRange(min = 0) final long value) {
        assertEquals(value, SuffixedValues.parseDurationNs(SuffixedValues.formatDuration(value)));
        assertEquals(value, SuffixedValues.parseBytes(SuffixedValues.formatBytes(value)));
    }

    @Property
    void shouldAgreeWithUnboundedArithmeticOrRefuse(@ForAll @LongRange(min = 0) final long digits) {
        final BigInteger exact = BigInteger.valueOf(digits).shiftLeft(30);
        try {
            assertEquals(exact, BigInteger.valueOf(SuffixedValues.parseBytes(digits + "g")));
        } catch (final IllegalArgumentException ex) {
            assertEquals(1, exact.compareTo(BigInteger.valueOf(Long.MAX_VALUE)), ex.getMessage());
        }
    }

    @Property
    void shouldReadOrRefuseAnyTextAndNothingElse(@ForAll @StringLength(max = 24) final String text) {
        try {
            final long durationNs = SuffixedValues.parseDurationNs(text);
            assertEquals(durationNs, SuffixedValues.parseDurationNs(SuffixedValues.formatDuration(durationNs)));
        } catch (final IllegalArgumentException ex) {
            assertEquals(1, ex.getMessage().lines().count());
        }
    }
}
