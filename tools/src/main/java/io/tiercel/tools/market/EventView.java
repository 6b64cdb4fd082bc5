package io.tiercel.tools.market;

/** One event as an {@link EventSchema} has it. */
interface EventView {

    /** Index in {@link EventSchema#kinds()}. */
    int kind();

    /** {@link EventSchema#BUY} or {@link EventSchema#SELL}. */
    int side();

    /** Finite, by index in {@link EventSchema#fields()}. */
    double field(int index);

    /** By how much the event changed the reference price, in {@link EventSchema#moveUnit()}s. */
    double move();
}
