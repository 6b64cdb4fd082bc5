package io.tiercel.tools.market;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The likeliest next tokens that answers name, against the event that came. Beside it what a client could say that
 * knows only how frequent each token was in the first 70 % of the tape: the most frequent tokens, as many as an answer
 * names, and the direction in which an event moves the price on average.
 *
 * <p>An answer's direction is the sign of the mean move of its tokens, weighted by their probabilities. It is scored
 * where the next event moves the price. An answer that has none is wrong there.
 */
final class TokenScore implements AnswerScore {

    private static final int PAIR_CELLS = 2;

    private final EventFeed feed;
    private final EventVocabulary vocabulary;
    private final int named;
    private final int[] frequent;
    private final double unigramMove;

    private final Hits model = new Hits();
    private final Hits unigram = new Hits();
    private long count;
    private long moveCount;

    TokenScore(final EventFeed feed, final int outputCount) {
        this.feed = feed;
        vocabulary = feed.vocabulary();
        named = outputCount / PAIR_CELLS;
        frequent = feed.mostFrequentTokens(named);
        unigramMove = feed.meanMove();
    }

    @Override
    public void add(final int eventIndex, final int[] cells, final int offset) {
        final int next = feed.nextToken(eventIndex);
        if (next == EventFeed.NONE) {
            return;
        }
        double expectedMove = 0;
        for (int i = 0; i < named; i++) {
            final int token = cells[offset + PAIR_CELLS * i];
            final float probability = Float.intBitsToFloat(cells[offset + PAIR_CELLS * i + 1]);
            expectedMove += probability * vocabulary.meanMove(token);
            model.addToken(i, token == next);
            unigram.addToken(i, i < frequent.length && frequent[i] == next);
        }
        count++;
        final int move = feed.nextMove(eventIndex);
        if (move == Labels.UP || move == Labels.DOWN) {
            final int sign = move == Labels.UP ? 1 : -1;
            model.addDirection(expectedMove * sign > 0);
            unigram.addDirection(unigramMove * sign > 0);
            moveCount++;
        }
    }

    @Override
    public long count() {
        return count;
    }

    @Override
    public String text() {
        final String tokens = String.format(Locale.ROOT, "prediction: next event right %.2f %%, among the %d " +
                "likeliest %.2f %%, on %d held-out events; always the most frequent %.2f %%, %.2f %%%n",
                percent(model.first, count), named, percent(model.any, count), count, percent(unigram.first, count),
                percent(unigram.any, count));
        return moveCount == 0
                ? tokens
                : tokens + String.format(Locale.ROOT, "direction: right %.2f %% of the %d times that the next event " +
                        "moves the price; always %s %.2f %%%n", percent(model.directions, moveCount), moveCount,
                        unigramMove > 0 ? "up" : "down", percent(unigram.directions, moveCount));
    }

    @Override
    public Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("heldOut", count);
        json.put("named", named);
        json.put("accuracy", share(model.first, count));
        json.put("namedAccuracy", share(model.any, count));
        json.put("unigramAccuracy", share(unigram.first, count));
        json.put("unigramNamedAccuracy", share(unigram.any, count));
        json.put("moves", moveCount);
        json.put("directionAccuracy", share(model.directions, moveCount));
        json.put("unigramDirectionAccuracy", share(unigram.directions, moveCount));
        return json;
    }

    private static double percent(final long part, final long whole) {
        return whole == 0 ? 0 : 100.0 * part / whole;
    }

    private static Double share(final long part, final long whole) {
        return whole == 0 ? null : (double) part / whole;
    }

    /** How often one of both was right. */
    private static final class Hits {

        private long first;
        private long any;
        private long directions;

        private void addToken(final int rank, final boolean isRight) {
            first += isRight && rank == 0 ? 1 : 0;
            any += isRight ? 1 : 0;
        }

        private void addDirection(final boolean isRight) {
            directions += isRight ? 1 : 0;
        }
    }
}
