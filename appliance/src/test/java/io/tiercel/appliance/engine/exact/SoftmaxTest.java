package io.tiercel.appliance.engine.exact;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SoftmaxTest {

    @Test
    void shouldAgreeWithDoublePrecisionWhenScoresAreOrdinary() {
        final float[] scores = {0.3f, -2f, 4.75f, 4.5f};
        final double[] exact = new double[scores.length];
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            exact[i] = Math.exp(scores[i]);
            sum += exact[i];
        }
        Softmax.apply(scores, new int[scores.length], scores.length);
        for (int i = 0; i < scores.length; i++) {
            assertEquals(exact[i] / sum, scores[i], 3e-7);
        }
    }

    @Test
    void shouldGiveEqualSharesWhenScoresAreEqual() {
        final float[] scores = {7f, 7f, 7f, 7f};
        Softmax.apply(scores, new int[4], 4);
        assertArrayEquals(new float[] {0.25f, 0.25f, 0.25f, 0.25f}, scores);
    }

    @Test
    void shouldGiveOneAndZerosWhenOneScoreIsFarAbove() {
        final float[] scores = {-3e30f, 3e30f, 0f};
        Softmax.apply(scores, new int[3], 3);
        assertArrayEquals(new float[] {0f, 1f, 0f}, scores);
    }
}
