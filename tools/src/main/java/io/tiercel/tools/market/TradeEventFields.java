package io.tiercel.tools.market;

import static io.tiercel.tools.market.FeatureMath.BASIS_POINTS;

/**
 * {@link EventSchema#BITSTAMP} of a trade. The tick rule is that of {@link TradeFeatures}: a trade above the last price
 * is a buyer's, below it a seller's, at the same price like the trade before; before the first change, a buyer's.
 */
final class TradeEventFields implements EventFields<TradeEvent> {

    private static final double US_PER_SECOND = 1e6;

    private long lastSecond;
    private double price = Double.NaN;
    private int side = EventSchema.BUY;
    private double amount;
    private double gapUs;
    private double move;

    @Override
    public EventSchema schema() {
        return EventSchema.BITSTAMP;
    }

    @Override
    public void onEvent(final TradeEvent trade) {
        final boolean isFirst = Double.isNaN(price);
        move = isFirst ? 0 : (trade.price / price - 1) * BASIS_POINTS;
        gapUs = isFirst ? 0 : Math.max(0, trade.epochSecond - lastSecond) * US_PER_SECOND;
        side = move > 0 ? EventSchema.BUY : move < 0 ? EventSchema.SELL : side;
        amount = trade.amount;
        price = trade.price;
        lastSecond = trade.epochSecond;
    }

    @Override
    public int kind() {
        return 0;
    }

    @Override
    public int side() {
        return side;
    }

    @Override
    public double field(final int index) {
        return index == 0 ? Math.abs(move) : index == 1 ? amount : gapUs;
    }

    @Override
    public double referencePrice() {
        return price;
    }

    @Override
    public double move() {
        return move;
    }
}
