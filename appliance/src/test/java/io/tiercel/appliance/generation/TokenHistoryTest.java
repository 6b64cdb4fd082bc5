package io.tiercel.appliance.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TokenHistoryTest {

    private final TokenHistory history = new TokenHistory(16);

    @Test
    void shouldGuessWhatStoodBehindTheLastTokensBefore() {
        add(1, 2, 3, 4, 5, 9, 1, 2);
        assertGuess(3, 3, 4, 5);
        assertGuess(1, 3);
    }

    @Test
    void shouldTakeTheLongestOfWhatStoodBefore() {
        add(7, 1, 2, 3, 8, 1, 2, 6, 7, 1, 2);
        assertGuess(2, 3, 8);
    }

    @Test
    void shouldTakeTheLatestOfSeveralPlaces() {
        add(1, 2, 3, 1, 2, 4, 1, 2);
        assertGuess(1, 4);
    }

    @Test
    void shouldGuessNoFurtherThanTheTextGoes() {
        add(1, 2, 1, 2);
        assertGuess(5, 1, 2);
        history.clear();
        add(3, 3, 3);
        assertGuess(5, 3);
    }

    @Test
    void shouldGuessNothingWhenLessThanTwoTokensStoodBefore() {
        assertGuess(3);
        add(1);
        assertGuess(3);
        add(2, 5, 3, 2);
        assertGuess(3);
        history.clear();
        add(1, 2);
        assertGuess(3);
    }

    @Test
    void shouldForgetTheOlderHalfWhenItIsFull() {
        add(1, 2, 3, 0, 0, 5, 0, 6, 7, 8, 9, 4, 0, 11, 12, 13);
        add(9, 4);
        assertGuess(2, 0, 11);
        add(1, 2);
        assertGuess(3);
    }

    private void add(final int... tokens) {
        Arrays.stream(tokens).forEach(history::add);
    }

    private void assertGuess(final int limit, final int... expected) {
        final int[] target = new int[1 + limit];
        final int count = history.guess(target, 1, limit);
        assertEquals(expected.length, count);
        assertArrayEquals(expected, Arrays.copyOfRange(target, 1, 1 + count));
    }
}
