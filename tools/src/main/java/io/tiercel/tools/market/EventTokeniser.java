package io.tiercel.tools.market;

/**
 * Turns the events of one instrument into tokens, one for each, as they come: what training reads and what a live
 * client sends is what this class says, and there is no other.
 *
 * <pre>
 *   EventTokeniser&lt;BookEvent&gt; tokeniser = EventTokeniser.ofBook(vocabulary);
 *   while (tape.next(event)) {
 *       send(tokeniser.onEvent(event));
 *   }
 * </pre>
 *
 * <p>A token depends on its event and on the events before it. The gap of the first event counts as none. Owned by one
 * thread; {@link #onEvent} allocates nothing.
 *
 * @param <E> the event.
 */
public final class EventTokeniser<E> {

    private final EventVocabulary vocabulary;
    private final EventFields<E> fields;

    private EventTokeniser(final EventVocabulary vocabulary, final EventFields<E> fields) {
        if (vocabulary.schema() != fields.schema()) {
            throw new IllegalArgumentException(
                    "vocabulary=" + vocabulary.schema().text() + " for events of " + fields.schema().text());
        }
        this.vocabulary = vocabulary;
        this.fields = fields;
    }

    /** For a vocabulary of {@link EventSchema#LOBSTER}. */
    public static EventTokeniser<BookEvent> ofBook(final EventVocabulary vocabulary) {
        return of(vocabulary, new BookEventFields());
    }

    /** For a vocabulary of {@link EventSchema#BITSTAMP}. */
    public static EventTokeniser<TradeEvent> ofTrades(final EventVocabulary vocabulary) {
        return of(vocabulary, new TradeEventFields());
    }

    static <E> EventTokeniser<E> of(final EventVocabulary vocabulary, final EventFields<E> fields) {
        return new EventTokeniser<>(vocabulary, fields);
    }

    /** Takes the next event of the instrument; its token, from 0 below {@link EventVocabulary#tokenCount()}. */
    public int onEvent(final E event) {
        fields.onEvent(event);
        return vocabulary.token(fields);
    }

    /** After the last event, in dollars: the mid price, or the last trade's; NaN while there is none. */
    public double referencePrice() {
        return fields.referencePrice();
    }
}
