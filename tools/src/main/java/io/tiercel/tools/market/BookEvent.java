package io.tiercel.tools.market;

/**
 * One message of an exchange and the best quotes after it, as LOBSTER records them. Prices are in dollars times
 * 10,000. Reused by whoever owns it.
 */
public final class BookEvent {

    public static final int NEW_ORDER = 1;
    public static final int PARTIAL_CANCEL = 2;
    public static final int DELETE = 3;
    public static final int EXECUTION_VISIBLE = 4;
    public static final int EXECUTION_HIDDEN = 5;
    public static final int CROSS_TRADE = 6;
    public static final int HALT = 7;

    /** Ask price, ask size, bid price, bid size. */
    public static final int FIELDS_PER_LEVEL = 4;

    /** Nanoseconds after midnight. */
    public long timeNs;
    /** 1 to 7, see the constants. */
    public int type;
    /** Shares of the message. */
    public long size;
    /** Price of the message. */
    public long price;
    /** Side of the resting order: 1 buy, -1 sell. An execution of a sell order is a buyer's trade. */
    public int direction;
    /** Best ask; meaningless while {@link #askSize} is 0, which is an empty side. */
    public long askPrice;
    public long askSize;
    /** Best bid; meaningless while {@link #bidSize} is 0, which is an empty side. */
    public long bidPrice;
    public long bidSize;
    /** Of each level {@link #FIELDS_PER_LEVEL} fields, the best first; of as many as its reader has asked for. */
    public final long[] levels;

    /** With the best quotes alone. */
    public BookEvent() {
        this(0);
    }

    /** With so many levels beside the best quotes. */
    public BookEvent(final int levelCount) {
        levels = new long[levelCount * FIELDS_PER_LEVEL];
    }

    public boolean isTrade() {
        return type == EXECUTION_VISIBLE || type == EXECUTION_HIDDEN || type == CROSS_TRADE;
    }

    /** 1 for a buyer's trade, -1 for a seller's, 0 for anything else (an auction has no aggressor). */
    public int aggressor() {
        return type == EXECUTION_VISIBLE || type == EXECUTION_HIDDEN ? -direction : 0;
    }

    public BookEvent message(
            final long timeNs, final int type, final long size, final long price, final int direction) {
        this.timeNs = timeNs;
        this.type = type;
        this.size = size;
        this.price = price;
        this.direction = direction;
        return this;
    }

    public BookEvent quotes(final long askPrice, final long askSize, final long bidPrice, final long bidSize) {
        this.askPrice = askPrice;
        this.askSize = askSize;
        this.bidPrice = bidPrice;
        this.bidSize = bidSize;
        return this;
    }
}
