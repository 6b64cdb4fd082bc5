package io.tiercel.tools.market;

/**
 * {@link EventSchema#LOBSTER} of a message and the best quotes after it. An empty side keeps its last quote, as in
 * {@link BookFeatures}; while a side has not been seen its distances are 0.
 */
final class BookEventFields implements EventFields<BookEvent> {

    /** A cent, in the unit of the prices. */
    private static final long TICK = 100;
    private static final double PRICE_SCALE = 1e4;
    private static final double NS_PER_US = 1e3;

    private static final int CANCEL = 1;
    private static final int DELETE = 2;
    private static final int EXECUTION = 3;
    private static final int HIDDEN = 4;
    private static final int HALT = 5;

    private boolean hasStarted;
    private long lastTimeNs;
    private long askPrice;
    private long bidPrice;
    private int kind;
    private int side;
    private double distance;
    private double size;
    private double gapUs;
    private double move;

    @Override
    public EventSchema schema() {
        return EventSchema.LOBSTER;
    }

    @Override
    public void onEvent(final BookEvent event) {
        final long lastAsk = askPrice;
        final long lastBid = bidPrice;
        askPrice = event.askSize > 0 ? event.askPrice : askPrice;
        bidPrice = event.bidSize > 0 ? event.bidPrice : bidPrice;
        kind = kind(event.type);
        side = event.direction > 0 ? EventSchema.BUY : EventSchema.SELL;
        distance = side == EventSchema.BUY
                ? distance(lastBid - event.price, bidPrice - lastBid, lastBid)
                : distance(event.price - lastAsk, lastAsk - askPrice, lastAsk);
        size = event.size;
        gapUs = hasStarted ? Math.max(0, event.timeNs - lastTimeNs) / NS_PER_US : 0;
        final boolean isMove = lastAsk != 0 && lastBid != 0;
        move = isMove ? (askPrice + bidPrice - lastAsk - lastBid) / (2.0 * TICK) : 0;
        lastTimeNs = event.timeNs;
        hasStarted = true;
    }

    /**
     * @param behind   how far behind the quote before the event, below 0 inside the spread.
     * @param advanced by how much the quote came forward with the event, below 0 if it fell back.
     */
    private double distance(final long behind, final long advanced, final long quote) {
        if (quote == 0 || kind == HALT) {
            return 0;
        }
        final boolean isAtBest = behind <= 0 && kind != HIDDEN;
        return Math.floorDiv(isAtBest ? -Math.abs(advanced) : behind, TICK);
    }

    private static int kind(final int type) {
        return switch (type) {
            case BookEvent.NEW_ORDER -> 0;
            case BookEvent.PARTIAL_CANCEL -> CANCEL;
            case BookEvent.DELETE -> DELETE;
            case BookEvent.EXECUTION_VISIBLE -> EXECUTION;
            case BookEvent.EXECUTION_HIDDEN -> HIDDEN;
            default -> HALT;
        };
    }

    @Override
    public int kind() {
        return kind;
    }

    @Override
    public int side() {
        return side;
    }

    @Override
    public double field(final int index) {
        return index == 0 ? distance : index == 1 ? size : gapUs;
    }

    @Override
    public double referencePrice() {
        return askPrice == 0 || bidPrice == 0 ? Double.NaN : (askPrice + bidPrice) / (2 * PRICE_SCALE);
    }

    @Override
    public double move() {
        return move;
    }
}
