package io.tiercel.tools.market;

import java.util.List;

/**
 * What a prediction should have been, found afterwards by looking ahead; never an input of a model.
 *
 * <p><b>Rule.</b> Let {@code p} be the reference price after event {@code i} (last trade price, or mid price) and
 * {@code m} the arithmetic mean of the reference prices after the next {@code horizon} events of the same instrument.
 * The label is {@link #UP} if {@code m - p > t}, {@link #DOWN} if {@code m - p < -t}, else {@link #FLAT}, where
 * {@code t} is {@code flatUnits} times the reference unit after event {@code i}: a basis point of the price for trades,
 * the spread for a book. If fewer than {@code horizon} events follow, there is no label.
 *
 * <p>Both constants were chosen on the first 70 % of each tape, so that the three classes are about equal there. In
 * spreads, because a book's own spread says what a large move is for that stock; a tape of trades does not have one.
 *
 * @param horizon   events looked ahead.
 * @param flatUnits half width of "flat", in reference units.
 */
public record Labels(int horizon, double flatUnits) {

    /** Names of the classes, by their number. */
    public static final List<String> NAMES = List.of("up", "flat", "down");
    public static final int UP = 0;
    public static final int FLAT = 1;
    public static final int DOWN = 2;
    /** The horizon runs past the end of the instrument. */
    public static final int NONE = -1;

    /** The next 8 trades, 3 basis points. */
    public static final Labels TRADES = new Labels(8, 3.0);
    /** The next 10 events of the best quotes, a 25th of the spread. */
    public static final Labels BOOK = new Labels(10, 0.04);

    /**
     * The label of one event.
     *
     * @param prices reference prices of the instrument's events in order.
     * @param index  of the event in {@code prices}.
     * @param end    index after the instrument's last event.
     * @param unit   reference unit after the event.
     */
    public int label(final double[] prices, final int index, final int end, final double unit) {
        if (index > end - 1 - horizon) {
            return NONE;
        }
        double sum = 0;
        for (int i = index + 1; i <= index + horizon; i++) {
            sum += prices[i];
        }
        final double change = sum / horizon - prices[index];
        final double threshold = flatUnits * unit;
        return change > threshold ? UP : change < -threshold ? DOWN : FLAT;
    }
}
