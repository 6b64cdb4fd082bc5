package io.tiercel.appliance.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TokenHistoryTest {

    private final TokenHistory history = new TokenHistory(16);

    @Test
    void shouldGuessWhatStoodBehindTheLastTokensBefore() {
        add(1, 2, 3, 4, 5, 9, 1, 2);
        assertGuess(2, 3, 4);
        assertGuess(1, 3);
        assertGuess(0);
    }

    @Test
    void shouldTakeTheLongestOfWhatStoodBefore() {
        add(7, 1, 2, 3, 8, 9, 1, 2, 6, 7, 1, 2);
        assertGuess(1, 3);
    }

    @Test
    void shouldTakeTheLatestOfSeveralPlaces() {
        add(1, 2, 3, 8, 1, 2, 4, 9, 1, 2);
        assertGuess(1, 4);
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

    /** The more often it was right the further it guesses, beyond the text's end too. */
    @Test
    void shouldGuessAsFarAsItIsLikelyToBeRight() {
        final TokenHistory longer = new TokenHistory(1000);
        final int[] target = new int[16];
        int last = 0;
        for (int index = 0; index < 200; index++) {
            longer.add(index % 10);
            final int guesses = longer.guess(target, 0, 16);
            assertTrue(index < 12 || guesses >= Math.min(2, last), "index=" + index + " guesses=" + guesses);
            for (int guess = 0; guess < guesses; guess++) {
                assertEquals((index + 1 + guess) % 10, target[guess]);
            }
            last = guesses;
        }
        assertEquals(16, last);
    }

    /** A text that goes on otherwise each time; once it repeats itself, that is noticed without having been asked. */
    @Test
    void shouldNotGuessWhenItIsRarelyRightUntilItIsAgain() {
        final TokenHistory longer = new TokenHistory(1000);
        final int[] target = new int[16];
        for (int turn = 0; turn < 20; turn++) {
            Arrays.stream(new int[] {1, 2, 100 + turn}).forEach(longer::add);
        }
        longer.add(1);
        longer.add(2);
        assertEquals(0, longer.guess(target, 0, 16));
        for (int turn = 0; turn < 5; turn++) {
            Arrays.stream(new int[] {50, 51, 52, 53, 54, 55}).forEach(longer::add);
        }
        assertTrue(longer.guess(target, 0, 16) > 2);
        assertEquals(50, target[0]);
    }

    @Test
    void shouldForgetTheOlderHalfWhenItIsFull() {
        add(1, 2, 3, 0, 0, 5, 0, 6, 7, 8, 9, 4, 0, 11, 12, 13);
        add(9, 4);
        assertGuess(2, 0, 11);
        history.clear();
        add(1, 2, 3, 0, 0, 5, 0, 6, 7, 8, 9, 4, 0, 11, 12, 13);
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
