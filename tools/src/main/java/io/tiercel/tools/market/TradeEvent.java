package io.tiercel.tools.market;

/** One trade, as a tape or a live feed delivers it. Reused by whoever owns it. */
public final class TradeEvent {

    /** Seconds since 1970; several trades share one. */
    public long epochSecond;
    /** Greater than zero. */
    public double price;
    /** Zero or more. */
    public double amount;

    public TradeEvent set(final long epochSecond, final double price, final double amount) {
        this.epochSecond = epochSecond;
        this.price = price;
        this.amount = amount;
        return this;
    }
}
