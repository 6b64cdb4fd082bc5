package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TokenScoreTest {

    private static final int NAMED = 3;
    private static final int CELLS = 2 * NAMED;

    private final EventFeed feed = EventFeed.ofTrades(
            TapeTestData.trades(VocabularyTestData.tradeEvents(1_000, 3)), 2, 0, VocabularyTestData.trades());
    private final AnswerScore score = feed.newScore(CELLS);

    @Test
    void shouldBeRightThroughoutWhenTheNextEventIsNamedFirst() {
        answer((next, event) -> new int[] {next, other(next, 2), other(next, 4)}, 0.8f, 0.1f, 0.1f);
        final Map<String, Object> json = score.toJson();
        assertEquals(299L, json.get("heldOut"));
        assertEquals(1.0, json.get("accuracy"));
        assertEquals(1.0, json.get("namedAccuracy"));
        assertTrue((double) json.get("unigramAccuracy") < 0.5, json.toString());
        assertTrue((double) json.get("unigramAccuracy") <= (double) json.get("unigramNamedAccuracy"), json.toString());
    }

    @Test
    void shouldCountARankWhenTheNextEventIsNamedLast() {
        answer((next, event) -> new int[] {other(next, 2), other(next, 4), next}, 0.4f, 0.3f, 0.3f);
        assertEquals(0.0, score.toJson().get("accuracy"));
        assertEquals(1.0, score.toJson().get("namedAccuracy"));
    }

    @Test
    void shouldWeighMovesByProbabilityWhenDirectionIsScored() {
        final int up = token(true);
        final int down = EventVocabulary.mirror(up);
        answer((next, event) -> feed.nextMove(event) == Labels.UP
                ? new int[] {up, down, 0}
                : new int[] {down, up, 0}, 0.6f, 0.4f, 0f);
        assertEquals(1.0, score.toJson().get("directionAccuracy"));
        long moves = 0;
        for (int event = 0; event < feed.eventCount(); event++) {
            moves += feed.heldOut(event) && feed.nextMove(event) != Labels.FLAT ? 1 : 0;
        }
        assertEquals(moves, score.toJson().get("moves"));
        assertTrue(score.text().contains("direction: right 100.00 % of the " + moves + " times"), score.text());
    }

    @Test
    void shouldSayNothingOfDirectionWhenNothingWasScored() {
        assertEquals(0, score.count());
        assertEquals(null, score.toJson().get("directionAccuracy"));
    }

    @Test
    void shouldRankTokensByTheFirst70PercentOnly() {
        final int[] counts = new int[feed.vocabulary().tokenCount()];
        for (int event = 0; event < feed.eventCount(); event++) {
            final int row = event % 2 * 500 + event / 2;
            counts[feed.token(event)] += row < 700 ? 1 : 0;
        }
        final int[] frequent = feed.mostFrequentTokens(counts.length);
        assertEquals(counts.length, frequent.length);
        for (int i = 1; i < frequent.length; i++) {
            assertTrue(counts[frequent[i - 1]] >= counts[frequent[i]], List.of(i, frequent[i]).toString());
        }
    }

    private int token(final boolean isUp) {
        for (int token = 0; token < feed.vocabulary().tokenCount(); token++) {
            if (feed.vocabulary().meanMove(token) > 0 == isUp) {
                return token;
            }
        }
        throw new AssertionError("no such token");
    }

    private int other(final int token, final int distance) {
        return (token + distance) % feed.vocabulary().tokenCount();
    }

    private void answer(final Answer answer, final float... probabilities) {
        final int[] cells = new int[CELLS + 1];
        for (int event = 0; event < feed.eventCount(); event++) {
            if (feed.heldOut(event)) {
                final int[] tokens = answer.tokens(feed.nextToken(event), event);
                for (int i = 0; i < NAMED; i++) {
                    cells[1 + 2 * i] = tokens[i];
                    cells[2 + 2 * i] = Float.floatToRawIntBits(probabilities[i]);
                }
                score.add(event, cells, 1);
            }
        }
    }

    private interface Answer {

        int[] tokens(int next, int event);
    }
}
