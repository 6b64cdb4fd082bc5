package io.tiercel.tools.market;

import java.util.Arrays;

/**
 * What a tape's prices were, row by row: the price of the trade, or the middle of the best quotes after the message. A
 * row at which a side of the book is empty has the price of the row before it, and NaN if there is none.
 */
public final class TapePrices {

    private static final long NS_PER_SECOND = 1_000_000_000L;

    private final long resolutionNs;
    private long[] timesNs = new long[1 << 12];
    private double[] prices = new double[1 << 12];
    private int size;

    private TapePrices(final long resolutionNs) {
        this.resolutionNs = resolutionNs;
    }

    /** @param input {@code bitstamp}, or the path of a LOBSTER zip. */
    public static TapePrices read(final String input) {
        return MarketFeed.BITSTAMP.equals(input)
                ? ofTrades(BitstampTape.open())
                : ofBook(LobsterTape.open(MarketFeed.bookFile(input, 1)));
    }

    static TapePrices ofTrades(final MarketTape<TradeEvent> tape) {
        final TapePrices prices = new TapePrices(NS_PER_SECOND);
        final TradeEvent event = new TradeEvent();
        try (tape) {
            while (tape.next(event)) {
                prices.add(event.epochSecond * NS_PER_SECOND, event.price);
            }
        }
        return prices;
    }

    static TapePrices ofBook(final MarketTape<BookEvent> tape) {
        final TapePrices prices = new TapePrices(1);
        final BookEvent event = new BookEvent();
        double middle = Double.NaN;
        try (tape) {
            while (tape.next(event)) {
                if (event.askSize > 0 && event.bidSize > 0) {
                    middle = (event.askPrice + event.bidPrice) / 2.0;
                }
                prices.add(event.timeNs, middle);
            }
        }
        return prices;
    }

    private void add(final long timeNs, final double price) {
        if (size == prices.length) {
            timesNs = Arrays.copyOf(timesNs, 2 * size);
            prices = Arrays.copyOf(prices, 2 * size);
        }
        timesNs[size] = timeNs;
        prices[size++] = price;
    }

    /** How finely the tape tells time. */
    public long resolutionNs() {
        return resolutionNs;
    }

    public int rowCount() {
        return size;
    }

    public double price(final int row) {
        return prices[row];
    }

    /** Of a stretch of rows. */
    public long[] timesNs(final int fromRow, final int toRow) {
        return Arrays.copyOfRange(timesNs, fromRow, toRow);
    }

    /** Of a stretch of rows. */
    public double[] prices(final int fromRow, final int toRow) {
        return Arrays.copyOfRange(prices, fromRow, toRow);
    }
}
