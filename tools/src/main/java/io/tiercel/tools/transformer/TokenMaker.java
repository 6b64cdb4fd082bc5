package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.exact.TokenSampler;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;

/**
 * Tokens that follow a text, each the likeliest or drawn. What a draft guesses is verified in one pass, and the tokens
 * and the session are what they would have been without it: a draw is a function of logits, seed and counter, so the
 * token of each place of a row is known when the row's logits are, and the row stands as long as it has these tokens.
 * One thread.
 */
final class TokenMaker {

    private final TransformerSession session;
    private final Sampling sampling;
    private final Draft draft;
    private final int draftCount;
    private final TokenSampler sampler;
    private final int[] row = new int[TokenExecutor.MAX_DRAFT];
    private final float[] logits;
    private long passCount;
    private long guessCount;
    private long rightCount;

    /** @param draftCount guesses a pass at most; below {@link TokenExecutor#MAX_DRAFT}. */
    TokenMaker(final TransformerSession session, final Sampling sampling, final Draft draft, final int draftCount) {
        this.session = session;
        this.sampling = sampling;
        this.draft = draft;
        this.draftCount = draftCount;
        sampler = new TokenSampler(session.vocabularySize());
        logits = new float[session.vocabularySize()];
    }

    /**
     * Goes on from a text that the session has just taken, until a token that ends it, which is not taken.
     *
     * @param consumer told each token when it has been taken.
     */
    void goOn(final int[] text, final int tokenCount, final IntPredicate isEnd, final IntConsumer consumer) {
        for (final int token : text) {
            draft.add(token);
        }
        int made = 0;
        int next = choose(0, 0);
        while (made < tokenCount && !isEnd.test(next)) {
            row[0] = next;
            draft.add(next);
            final int guesses = guess(tokenCount - made - 1, made + 1, isEnd);
            session.stepTentatively(row, 1 + guesses);
            int taken = 0;
            do {
                next = choose(taken, made + taken + 1);
                taken++;
            } while (taken <= guesses && row[taken] == next);
            session.keep(taken);
            passCount++;
            rightCount += taken - 1;
            for (int index = 0; index < taken; index++) {
                if (index > 0) {
                    draft.add(row[index]);
                }
                consumer.accept(row[index]);
            }
            made += taken;
        }
    }

    /** Passes of the model; one for each token where nothing is guessed. */
    long passCount() {
        return passCount;
    }

    long guessCount() {
        return guessCount;
    }

    /** Guesses that were taken. */
    long rightCount() {
        return rightCount;
    }

    /** Of a token that ends the text no step is ever asked for. */
    private int guess(final int limit, final long counter, final IntPredicate isEnd) {
        final int most = draftCount == 0 ? 0 : draft.guess(row, 1, Math.min(draftCount, limit), counter);
        int guesses = 0;
        while (guesses < most && !isEnd.test(row[guesses + 1])) {
            guesses++;
        }
        guessCount += guesses;
        return guesses;
    }

    /** The token that follows a place of the last row, from 0. */
    private int choose(final int place, final long counter) {
        if (sampling.isGreedy()) {
            return session.likeliest(place);
        }
        session.logits(place, logits);
        return sampling.draw(sampler, logits, counter);
    }
}
