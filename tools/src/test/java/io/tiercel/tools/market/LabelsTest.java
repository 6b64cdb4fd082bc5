package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LabelsTest {

    private static final double UNIT = 0.01;

    @Test
    void shouldCompareMeanOfNextPricesWithPresentOneWhenLabelled() {
        final Labels labels = new Labels(2, 3.0);
        final double[] prices = {100, 100.05, 100.05, 99.9, 99.9, 100, 99.9};
        assertEquals(Labels.UP, labels.label(prices, 0, 7, UNIT));
        assertEquals(Labels.DOWN, labels.label(prices, 1, 7, UNIT));
        assertEquals(Labels.DOWN, labels.label(prices, 2, 7, UNIT));
        assertEquals(Labels.UP, labels.label(prices, 3, 7, UNIT));
        assertEquals(Labels.UP, labels.label(prices, 4, 7, UNIT));
    }

    @Test
    void shouldBeFlatWhenMeanIsWithinThreshold() {
        final Labels labels = new Labels(2, 3.0);
        assertEquals(Labels.FLAT, labels.label(new double[] {64, 64, 64}, 0, 3, UNIT));
        assertEquals(Labels.FLAT, labels.label(new double[] {100, 101, 99}, 0, 3, UNIT));
        assertEquals(Labels.FLAT, new Labels(1, 2.0).label(new double[] {64, 65}, 0, 2, 0.5));
        assertEquals(Labels.FLAT, new Labels(1, 2.0).label(new double[] {64, 63}, 0, 2, 0.5));
        assertEquals(Labels.UP, new Labels(1, 1.75).label(new double[] {64, 65}, 0, 2, 0.5));
        assertEquals(Labels.DOWN, new Labels(1, 1.75).label(new double[] {64, 63}, 0, 2, 0.5));
    }

    @Test
    void shouldHaveNoLabelWhenHorizonRunsPastTheEnd() {
        final Labels labels = new Labels(2, 3.0);
        final double[] prices = {1, 1, 1, 1, 1};
        assertEquals(Labels.FLAT, labels.label(prices, 2, 5, UNIT));
        assertEquals(Labels.NONE, labels.label(prices, 3, 5, UNIT));
        assertEquals(Labels.NONE, labels.label(prices, 2, 4, UNIT));
    }
}
