package io.tiercel.tools.market;

/**
 * Reads the events of one instrument as its {@link EventSchema} has them, one after another, with no way to reach a
 * later one. Owned by one thread; {@link #onEvent} allocates nothing. As an {@link EventView} it is the last event.
 *
 * @param <E> the event.
 */
interface EventFields<E> extends EventView {

    EventSchema schema();

    void onEvent(E event);

    /** The price that moves are changes of, in dollars: mid price, or last trade's; NaN while there is none. */
    double referencePrice();
}
