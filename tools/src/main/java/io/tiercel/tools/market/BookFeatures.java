package io.tiercel.tools.market;

import static io.tiercel.tools.market.FeatureMath.BASIS_POINTS;
import static io.tiercel.tools.market.FeatureMath.average;
import static io.tiercel.tools.market.FeatureMath.decay;
import static io.tiercel.tools.market.FeatureMath.squash;

import java.util.Arrays;
import java.util.List;

/**
 * 24 features of the best quotes and the trades of a limit order book. Only level 1 is read, so that one model serves
 * files of one level and of ten, and a client that has no depth feed.
 *
 * <p>Events are the messages for which {@link #isEvent} holds: the best quotes changed, or something traded. Messages
 * deeper in the book are left out, or the pace of the events would depend on how many levels were recorded. An average
 * over h events is exponential with half-life h. Mid prices are logarithms in basis points, distances are divided by
 * the running volatility of the mid price (half-life 64).
 *
 * <p>Order flow imbalance is R. Cont, A. Kukanov, S. Stoikov, <i>The price impact of order book events</i> (2014): what
 * the last message added to the bid queue less what it added to the ask queue, a queue that moved counting whole.
 *
 * <p>An empty side keeps its last quote with size 0. Before both sides have been seen the features are zero and there
 * is no reference price (NaN). Instances are for one thread and one instrument; {@link #onEvent} allocates nothing.
 */
public final class BookFeatures implements FeatureExtractor<BookEvent> {

    // @formatter:off: what a feature is stands beside its name
    private static final List<String> NAMES = List.of(
            "imbalance",        // (bid size - ask size) / (bid size + ask size)
            "bid_queue",        // log of 1 + bid size, against the average log size over 128 events
            "ask_queue",        // the same for the ask
            "spread",           // log of the spread in basis points
            "spread_ratio",     // log of the spread against its average log over 64 events
            "flow",             // order flow imbalance of this event, over the average size
            "flow_4",           // … averaged over 4 events
            "flow_16",
            "flow_64",
            "bid_move",         // 1 if this event raised the bid, -1 if it lowered it
            "ask_move",         // the same for the ask
            "return_1",         // log mid price against 1 event ago, over volatility x sqrt(1)
            "return_4",
            "return_16",
            "return_64",
            "mean_gap_32",      // log mid price against its average over 32 events, over 4 volatilities
            "trade",            // 1 buyer's trade, -1 seller's, 0 no trade
            "trade_flow_8",     // average of that over 8 events
            "trade_flow_32",
            "trade_gap",        // last trade's price against the mid price, in half spreads
            "quote_age",        // log of 1 + events since the mid price last changed
            "arrival_gap",      // log of 1 + microseconds since the last event, centred
            "arrival_rate",     // average of that log over 8 events against the average over 256
            "volatility"        // log of the volatility in basis points
    );
    // @formatter:on

    private static final double PRICE_SCALE = 1e4;
    private static final int WINDOW = 64;
    private static final double ORDINARY_VOLATILITY = 0.3;
    private static final double LEAST_VOLATILITY = 0.02;
    private static final double ORDINARY_LOG_SIZE = 4.6;
    private static final double ORDINARY_LOG_GAP = 8.0;

    private static final double DECAY_4 = decay(4);
    private static final double DECAY_8 = decay(8);
    private static final double DECAY_16 = decay(16);
    private static final double DECAY_32 = decay(32);
    private static final double DECAY_64 = decay(64);
    private static final double DECAY_128 = decay(128);
    private static final double DECAY_256 = decay(256);

    private final float[] features = new float[NAMES.size()];
    /** The last 64 log mid prices, at {@code eventCount & 63}. */
    private final double[] window = new double[WINDOW];

    private long eventCount;
    private long lastTimeNs;
    private long askPrice;
    private long askSize;
    private long bidPrice;
    private long bidSize;
    private double logMid;
    private double volatility = ORDINARY_VOLATILITY;
    private double logSize128 = ORDINARY_LOG_SIZE;
    private double logSpread64;
    private double flow;
    private double flow4;
    private double flow16;
    private double flow64;
    private int bidMove;
    private int askMove;
    private double mean32;
    private double tradeFlow8;
    private double tradeFlow32;
    private long tradePrice;
    private int quoteAge;
    private double logGap;
    private double logGap8 = ORDINARY_LOG_GAP;
    private double logGap256 = ORDINARY_LOG_GAP;

    @Override
    public List<String> names() {
        return NAMES;
    }

    @Override
    public float[] features() {
        return features;
    }

    /** The mid price in dollars; NaN before both sides have been seen. */
    @Override
    public double referencePrice() {
        return eventCount == 0 ? Double.NaN : mid() / PRICE_SCALE;
    }

    /** The spread in dollars. */
    @Override
    public double referenceUnit() {
        return spread() / PRICE_SCALE;
    }

    /** Whether the message is an event of this extractor: it traded, or differs in the best quotes from the last. */
    public boolean isEvent(final BookEvent event) {
        return event.isTrade() ||
                event.askSize != askSize || askSize > 0 && event.askPrice != askPrice ||
                event.bidSize != bidSize || bidSize > 0 && event.bidPrice != bidPrice;
    }

    @Override
    public void onEvent(final BookEvent event) {
        final long lastAskPrice = askPrice;
        final long lastAskSize = askSize;
        final long lastBidPrice = bidPrice;
        final long lastBidSize = bidSize;
        askSize = event.askSize;
        askPrice = askSize > 0 ? event.askPrice : askPrice;
        bidSize = event.bidSize;
        bidPrice = bidSize > 0 ? event.bidPrice : bidPrice;
        if (askPrice == 0 || bidPrice == 0) {
            return;
        }
        final double newLogMid = StrictMath.log(mid()) * BASIS_POINTS;
        if (eventCount == 0) {
            start(event, newLogMid);
        } else {
            bidMove = Long.signum(bidPrice - lastBidPrice);
            askMove = Long.signum(askPrice - lastAskPrice);
            onFlow((bidMove >= 0 ? bidSize : 0) - (bidMove <= 0 ? lastBidSize : 0) -
                    (askMove <= 0 ? askSize : 0) + (askMove >= 0 ? lastAskSize : 0));
        }
        onMid(newLogMid);
        onTrade(event);
        onTime(event.timeNs);
        writeQueues();
        writeFlow();
        writeLevels(event.aggressor());
        window[(int) (eventCount & WINDOW - 1)] = logMid;
        eventCount++;
    }

    private void start(final BookEvent event, final double newLogMid) {
        Arrays.fill(window, newLogMid);
        logMid = newLogMid;
        mean32 = newLogMid;
        logSpread64 = logSpread();
        lastTimeNs = event.timeNs;
    }

    private void onFlow(final long addedShares) {
        logSize128 = average(
                logSize128, DECAY_128, (StrictMath.log1p(bidSize) + StrictMath.log1p(askSize)) / 2);
        flow = squash(addedShares / StrictMath.exp(logSize128));
        flow4 = average(flow4, DECAY_4, flow);
        flow16 = average(flow16, DECAY_16, flow);
        flow64 = average(flow64, DECAY_64, flow);
    }

    private void onMid(final double newLogMid) {
        final double change = newLogMid - logMid;
        logMid = newLogMid;
        volatility = average(volatility, DECAY_64, Math.abs(change));
        mean32 = average(mean32, DECAY_32, logMid);
        logSpread64 = average(logSpread64, DECAY_64, logSpread());
        quoteAge = change == 0 ? Math.min(quoteAge + 1, 1 << 20) : 0;
    }

    private void onTrade(final BookEvent event) {
        final int aggressor = event.aggressor();
        tradeFlow8 = average(tradeFlow8, DECAY_8, aggressor);
        tradeFlow32 = average(tradeFlow32, DECAY_32, aggressor);
        if (event.isTrade() && event.price > 0) {
            tradePrice = event.price;
        }
    }

    private void onTime(final long timeNs) {
        logGap = StrictMath.log1p(Math.max(0, timeNs - lastTimeNs) / 1e3);
        lastTimeNs = timeNs;
        logGap8 = average(logGap8, DECAY_8, logGap);
        logGap256 = average(logGap256, DECAY_256, logGap);
    }

    private void writeQueues() {
        final double queues = (double) bidSize + askSize;
        features[0] = queues > 0 ? (float) ((bidSize - askSize) / queues) : 0;
        features[1] = squash(StrictMath.log1p(bidSize) - logSize128);
        features[2] = squash(StrictMath.log1p(askSize) - logSize128);
        features[3] = squash(logSpread());
        features[4] = squash(logSpread() - logSpread64);
    }

    private void writeFlow() {
        features[5] = (float) flow;
        features[6] = (float) flow4;
        features[7] = (float) flow16;
        features[8] = (float) flow64;
        features[9] = bidMove;
        features[10] = askMove;
    }

    private void writeLevels(final int aggressor) {
        final double scale = Math.max(volatility, LEAST_VOLATILITY);
        int lag = 1;
        for (int i = 11; i < 15; i++) {
            final double before = window[(int) (eventCount - lag & WINDOW - 1)];
            features[i] = squash((logMid - before) / (scale * Math.sqrt(lag)));
            lag <<= 2;
        }
        features[15] = squash((logMid - mean32) / (4 * scale));
        features[16] = aggressor;
        features[17] = (float) tradeFlow8;
        features[18] = (float) tradeFlow32;
        features[19] = tradePrice == 0 ? 0 : squash((tradePrice - mid()) / (spread() / 2));
        features[20] = squash(StrictMath.log1p(quoteAge));
        features[21] = squash((logGap - ORDINARY_LOG_GAP) / 2);
        features[22] = squash(logGap8 - logGap256);
        features[23] = squash(StrictMath.log(scale));
    }

    private double mid() {
        return (askPrice + bidPrice) / 2.0;
    }

    /** In the price's own unit; a locked or crossed book counts as one unit, so that nothing divides by zero. */
    private double spread() {
        return Math.max(1, askPrice - bidPrice);
    }

    /** Of the spread in basis points of the mid price. */
    private double logSpread() {
        return StrictMath.log(spread() / mid() * BASIS_POINTS);
    }
}
