package io.tiercel.appliance.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ToleranceTest {

    @Test
    void shouldAdmitUpToTheSumOfBothParts() {
        final Tolerance tolerance = new Tolerance(0.25, 0.5);
        assertTrue(tolerance.admits(2, 3.25f));
        assertTrue(tolerance.admits(-2, -0.75f));
        assertFalse(tolerance.admits(2, Math.nextUp(3.25f)));
        assertFalse(tolerance.admits(2, Math.nextDown(0.75f)));
        assertTrue(tolerance.admits(0, 0.25f));
        assertFalse(tolerance.admits(0, -0.2500001f));
    }

    @Test
    void shouldNotOverflowWhereFloatsWould() {
        assertFalse(new Tolerance(0, 1).admits(Float.MAX_VALUE, -Float.MAX_VALUE));
        assertTrue(new Tolerance(2 * (double) Float.MAX_VALUE, 0).admits(Float.MAX_VALUE, -Float.MAX_VALUE));
    }

    @Test
    void shouldAdmitWhatIsNotFiniteOnlyToTheSame() {
        final Tolerance wide = new Tolerance(Double.MAX_VALUE, 1);
        assertTrue(wide.admits(Float.NaN, Float.intBitsToFloat(0xFFC0_0001)));
        assertTrue(wide.admits(Float.POSITIVE_INFINITY, Float.POSITIVE_INFINITY));
        assertFalse(wide.admits(Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY));
        assertFalse(wide.admits(Float.POSITIVE_INFINITY, Float.MAX_VALUE));
        assertFalse(wide.admits(0, Float.NaN));
        assertFalse(wide.admits(Float.NaN, 0));
    }

    @Test
    void shouldAdmitTheSameNumberOnlyWhenThereIsNone() {
        assertTrue(Tolerance.NONE.admits(1, 1));
        assertTrue(Tolerance.NONE.admits(0f, -0f));
        assertFalse(Tolerance.NONE.admits(1, Math.nextUp(1f)));
    }

    @Test
    void shouldRefuseWhatIsNoTolerance() {
        assertEquals("absolute=-1.0 is not a finite number of 0 or more", refusal(-1, 0));
        assertEquals("absolute=NaN is not a finite number of 0 or more", refusal(Double.NaN, 0));
        assertEquals("absolute=Infinity is not a finite number of 0 or more", refusal(Double.POSITIVE_INFINITY, 0));
        assertEquals("relative=-0.5 is not in 0..1", refusal(0, -0.5));
        assertEquals("relative=1.5 is not in 0..1", refusal(0, 1.5));
        assertEquals("relative=NaN is not in 0..1", refusal(0, Double.NaN));
    }

    private static String refusal(final double absolute, final double relative) {
        return assertThrows(IllegalArgumentException.class, () -> new Tolerance(absolute, relative)).getMessage();
    }
}
