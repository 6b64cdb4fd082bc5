package io.tiercel.tools.market;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What must hold of the tokens of every tape. */
class EventProperties {

    private static final int EVENTS = 120;

    @Property(tries = 100)
    void shouldKeepTokensOfABookWhenEventsAfterThemAreOthers(
            @ForAll final long seed, @ForAll final long otherSeed, @ForAll @IntRange(max = EVENTS) final int cut) {
        final List<BookEvent> altered = new ArrayList<>(VocabularyTestData.bookEvents(EVENTS, seed).subList(0, cut));
        altered.addAll(VocabularyTestData.bookEvents(EVENTS, otherSeed));
        final int[] tokens = tokens(
                EventTokeniser.ofBook(VocabularyTestData.book()), VocabularyTestData.bookEvents(EVENTS, seed));
        assertSamePrefix(tokens, tokens(EventTokeniser.ofBook(VocabularyTestData.book()), altered), cut);
    }

    @Property(tries = 100)
    void shouldKeepTokensOfTradesWhenEventsAfterThemAreOthers(
            @ForAll final long seed, @ForAll final long otherSeed, @ForAll @IntRange(max = EVENTS) final int cut) {
        final List<TradeEvent> altered = new ArrayList<>(VocabularyTestData.tradeEvents(EVENTS, seed).subList(0, cut));
        altered.addAll(VocabularyTestData.tradeEvents(EVENTS, otherSeed));
        final int[] tokens = tokens(
                EventTokeniser.ofTrades(VocabularyTestData.trades()), VocabularyTestData.tradeEvents(EVENTS, seed));
        assertSamePrefix(tokens, tokens(EventTokeniser.ofTrades(VocabularyTestData.trades()), altered), cut);
    }

    @Property(tries = 30)
    void shouldCoverEveryEventWhenVocabularyWasLearnedOnOthers(@ForAll final long seed, @ForAll final long otherSeed) {
        final EventFields<BookEvent> fields = new BookEventFields();
        final VocabularyLearner learner = new VocabularyLearner(EventSchema.LOBSTER);
        for (final BookEvent event : VocabularyTestData.bookEvents(EVENTS, seed)) {
            fields.onEvent(event);
            learner.add(fields);
        }
        final EventVocabulary vocabulary = learner.learn("test");
        for (final int token : tokens(
                EventTokeniser.ofBook(vocabulary), VocabularyTestData.bookEvents(EVENTS, otherSeed))) {
            assertTrue(token >= 0 && token < vocabulary.tokenCount(), "token=" + token);
        }
    }

    private static <E> int[] tokens(final EventTokeniser<E> tokeniser, final List<E> events) {
        return events.stream().mapToInt(tokeniser::onEvent).toArray();
    }

    private static void assertSamePrefix(final int[] first, final int[] second, final int count) {
        assertArrayEquals(Arrays.copyOf(first, count), Arrays.copyOf(second, count));
    }
}
