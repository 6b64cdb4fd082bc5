package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PredictionScoreTest {

    @Test
    void shouldScoreAgainstLabelsWhenSomeAreMissing() {
        final PredictionScore score = new PredictionScore(3);
        score.add(0, new float[] {0.5f, 0.25f, 0.25f});
        score.add(0, new float[] {0.25f, 0.5f, 0.25f});
        score.add(2, new float[] {0.25f, 0.25f, 0.5f});
        score.add(0, new float[] {1, 0, 0});
        score.add(Labels.NONE, new float[] {1, 0, 0});
        assertEquals(4, score.count());
        assertEquals(0.75, score.accuracy());
        assertEquals(0.75, score.majority());
        assertEquals((2.0 / 3 + 1) / 2, score.balancedAccuracy());
        assertEquals((2 * Math.log(2) + Math.log(4)) / 4, score.logLoss(), 1e-9);
    }

    @Test
    void shouldStayFiniteWhenEmptyOrCertainAndWrong() {
        final PredictionScore score = new PredictionScore(2);
        assertEquals(0, score.accuracy());
        assertEquals(0, score.logLoss());
        score.add(1, new float[] {1, 0});
        assertEquals(-Math.log(1e-9), score.logLoss(), 1e-9);
    }
}
