package io.tiercel.tools.market;

import static io.tiercel.tools.market.FeatureMath.BASIS_POINTS;
import static io.tiercel.tools.market.FeatureMath.average;
import static io.tiercel.tools.market.FeatureMath.decay;
import static io.tiercel.tools.market.FeatureMath.signedLog;
import static io.tiercel.tools.market.FeatureMath.squash;

import java.util.Arrays;
import java.util.List;

/**
 * 24 features of a tape that has only second, price and amount. Prices are taken as logarithms in basis points, and
 * distances divided by the running volatility (half-life 64 trades), so that a feature means the same at 800 and at
 * 1,100 dollars, in quiet and in wild hours. An average over h trades is exponential with half-life h.
 *
 * <p>The tape does not say who was the aggressor. The <i>tick rule</i> guesses: a trade above the last price is a
 * buyer's, one below it a seller's, one at the same price is like the trade before. The last buyer's price then stands
 * for the ask, the last seller's for the bid. Much of what can be predicted is the return from the one to the other.
 *
 * <p>Before the first trade the averages stand at round values that say "an ordinary market" and are not taken from
 * the tape. Instances are for one thread and one instrument; {@link #onEvent} allocates nothing.
 */
public final class TradeFeatures implements FeatureExtractor<TradeEvent> {

    // @formatter:off: what a feature is stands beside its name
    private static final List<String> NAMES = List.of(
            "return_1",         // log price against 1 trade ago, over volatility x sqrt(1)
            "return_2",         // … 2 trades ago, over volatility x sqrt(2)
            "return_4",
            "return_8",
            "return_16",
            "return_32",
            "return_64",
            "tick_sign",        // 1 buyer's trade by the tick rule, -1 seller's, 0 before the first change of price
            "run_length",       // log of the number of trades in a row with that sign, signed
            "quote_gap",        // middle of last buyer's and last seller's price against the price, over volatility
            "quote_spread",     // last buyer's price against last seller's price, over volatility
            "sign_flow_4",      // average of tick signs over 4 trades, within ±1
            "sign_flow_32",
            "volume_flow_8",    // signed amount over amount, both averaged over 8 trades, within ±1
            "volume_flow_64",
            "mean_gap_32",      // price against its average over 32 trades, over 4 volatilities
            "mean_gap_128",     // … over 128 trades, over 8 volatilities
            "range_position",   // where the price stands in the range of the last 64 trades: -1 lowest, 1 highest
            "arrival_gap",      // log of 1 + seconds since the last trade
            "arrival_rate",     // log of seconds between trades, average over 16 against average over 256
            "burst",            // log of 1 + trades before this one in the same second
            "amount",           // log of the amount against its average over 64 trades
            "volatility",       // log of the volatility in basis points
            "volatility_ratio"  // log of the volatility over 8 trades against that over 512
    );
    // @formatter:on

    private static final int WINDOW = 64;
    private static final double ORDINARY_VOLATILITY = 5.0;
    private static final double LEAST_VOLATILITY = 1.0;
    private static final double ORDINARY_GAP_SECONDS = 5.0;
    private static final double ORDINARY_AMOUNT = 1.0;
    private static final double LEAST_AMOUNT = 1e-3;

    private static final double DECAY_4 = decay(4);
    private static final double DECAY_8 = decay(8);
    private static final double DECAY_16 = decay(16);
    private static final double DECAY_32 = decay(32);
    private static final double DECAY_64 = decay(64);
    private static final double DECAY_128 = decay(128);
    private static final double DECAY_256 = decay(256);
    private static final double DECAY_512 = decay(512);

    private final float[] features = new float[NAMES.size()];
    /** The last 64 log prices, at {@code tradeCount & 63}; the price before the present one is one behind. */
    private final double[] window = new double[WINDOW];

    private long tradeCount;
    private long lastSecond;
    private double price = Double.NaN;
    private double logPrice;
    private double volatility = ORDINARY_VOLATILITY;
    private double volatility8 = ORDINARY_VOLATILITY;
    private double volatility512 = ORDINARY_VOLATILITY;
    private int tickSign;
    private int runLength;
    private double buyerLogPrice;
    private double sellerLogPrice;
    private double signFlow4;
    private double signFlow32;
    private double amount8 = ORDINARY_AMOUNT;
    private double amount64 = ORDINARY_AMOUNT;
    private double signedAmount8;
    private double signedAmount64;
    private double mean32;
    private double mean128;
    private double gap16 = ORDINARY_GAP_SECONDS;
    private double gap256 = ORDINARY_GAP_SECONDS;
    private int burst;

    @Override
    public List<String> names() {
        return NAMES;
    }

    @Override
    public float[] features() {
        return features;
    }

    @Override
    public double referencePrice() {
        return price;
    }

    /** A basis point of the price. */
    @Override
    public double referenceUnit() {
        return price / BASIS_POINTS;
    }

    @Override
    public void onEvent(final TradeEvent trade) {
        final double newLogPrice = StrictMath.log(trade.price) * BASIS_POINTS;
        if (tradeCount == 0) {
            start(trade, newLogPrice);
        }
        final double change = newLogPrice - logPrice;
        final double gapSeconds = Math.max(0, trade.epochSecond - lastSecond);
        logPrice = newLogPrice;
        price = trade.price;
        lastSecond = trade.epochSecond;

        onChange(change);
        onAmount(trade.amount);
        gap16 = average(gap16, DECAY_16, gapSeconds);
        gap256 = average(gap256, DECAY_256, gapSeconds);
        burst = tradeCount > 0 && gapSeconds == 0 ? Math.min(burst + 1, 1 << 20) : 0;

        writeReturns();
        writeFlow();
        writeLevels();
        writeArrivals(gapSeconds, trade.amount);
        window[(int) (tradeCount & WINDOW - 1)] = logPrice;
        tradeCount++;
    }

    private void start(final TradeEvent trade, final double newLogPrice) {
        Arrays.fill(window, newLogPrice);
        logPrice = newLogPrice;
        buyerLogPrice = newLogPrice;
        sellerLogPrice = newLogPrice;
        mean32 = newLogPrice;
        mean128 = newLogPrice;
        lastSecond = trade.epochSecond;
    }

    private void onChange(final double change) {
        volatility = average(volatility, DECAY_64, Math.abs(change));
        volatility8 = average(volatility8, DECAY_8, Math.abs(change));
        volatility512 = average(volatility512, DECAY_512, Math.abs(change));

        final int newSign = change > 0 ? 1 : change < 0 ? -1 : tickSign;
        runLength = newSign == tickSign ? Math.min(runLength + 1, 1 << 20) : 1;
        tickSign = newSign;
        if (newSign > 0) {
            buyerLogPrice = logPrice;
        } else if (newSign < 0) {
            sellerLogPrice = logPrice;
        }
        signFlow4 = average(signFlow4, DECAY_4, newSign);
        signFlow32 = average(signFlow32, DECAY_32, newSign);
        mean32 = average(mean32, DECAY_32, logPrice);
        mean128 = average(mean128, DECAY_128, logPrice);
    }

    private void onAmount(final double amount) {
        amount8 = average(amount8, DECAY_8, amount);
        amount64 = average(amount64, DECAY_64, amount);
        signedAmount8 = average(signedAmount8, DECAY_8, tickSign * amount);
        signedAmount64 = average(signedAmount64, DECAY_64, tickSign * amount);
    }

    private void writeReturns() {
        final double scale = scale();
        int lag = 1;
        for (int i = 0; i < 7; i++) {
            final double before = window[(int) (tradeCount - lag & WINDOW - 1)];
            features[i] = squash((logPrice - before) / (scale * Math.sqrt(lag)));
            lag <<= 1;
        }
    }

    private void writeFlow() {
        final double scale = scale();
        features[7] = tickSign;
        features[8] = squash(signedLog((double) tickSign * runLength));
        features[9] = squash(((buyerLogPrice + sellerLogPrice) / 2 - logPrice) / scale);
        features[10] = squash((buyerLogPrice - sellerLogPrice) / scale);
        features[11] = (float) signFlow4;
        features[12] = (float) signFlow32;
        features[13] = (float) (signedAmount8 / Math.max(amount8, LEAST_AMOUNT));
        features[14] = (float) (signedAmount64 / Math.max(amount64, LEAST_AMOUNT));
    }

    private void writeLevels() {
        final double scale = scale();
        double lowest = logPrice;
        double highest = logPrice;
        for (final double value : window) {
            lowest = Math.min(lowest, value);
            highest = Math.max(highest, value);
        }
        features[15] = squash((logPrice - mean32) / (4 * scale));
        features[16] = squash((logPrice - mean128) / (8 * scale));
        features[17] = highest > lowest ? (float) (2 * (logPrice - lowest) / (highest - lowest) - 1) : 0;
    }

    private void writeArrivals(final double gapSeconds, final double amount) {
        features[18] = squash(StrictMath.log1p(gapSeconds));
        features[19] = squash(StrictMath.log1p(gap16) - StrictMath.log1p(gap256));
        features[20] = squash(StrictMath.log1p(burst));
        features[21] = squash(StrictMath.log((amount + LEAST_AMOUNT) / (amount64 + LEAST_AMOUNT)));
        features[22] = squash(StrictMath.log(scale()));
        features[23] = squash(StrictMath.log(
                Math.max(volatility8, LEAST_VOLATILITY) / Math.max(volatility512, LEAST_VOLATILITY)));
    }

    private double scale() {
        return Math.max(volatility, LEAST_VOLATILITY);
    }
}
