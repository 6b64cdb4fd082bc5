package io.tiercel.tools.market;

import java.io.InputStream;

/**
 * The Bitstamp BTC/USD trade tape of 25 November to 1 December 2013: 100,000 trades, from the classpath, where the
 * Maven artifact {@code org.ta4j:ta4j-examples} (MIT) puts it.
 *
 * <p>A header {@code timestamp,price,amount}, then a trade a line: seconds since 1970, never going back; a price above
 * zero; an amount of zero or more.
 */
public final class BitstampTape implements MarketTape<TradeEvent> {

    /** Where the artifact carries it. */
    public static final String RESOURCE = "bitstamp_trades_from_20131125_usd.csv";
    private static final String HEADER = "timestamp,price,amount";
    private static final double MAX_VALUE = 1e12;

    private final String name;
    private final CsvRows rows;
    private long lastSecond;

    public BitstampTape(final String name, final InputStream input) {
        this.name = name;
        rows = new CsvRows(name, input);
        if (!rows.next() || !HEADER.equals(rows.text())) {
            throw rows.error("header is not " + HEADER);
        }
    }

    /** The tape on the classpath. */
    public static BitstampTape open() {
        final InputStream input = BitstampTape.class.getClassLoader().getResourceAsStream(RESOURCE);
        if (input == null) {
            throw new TapeException(RESOURCE + " is not on the classpath (org.ta4j:ta4j-examples carries it)");
        }
        return new BitstampTape(RESOURCE, input);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean next(final TradeEvent event) {
        if (!rows.next()) {
            return false;
        }
        rows.expectFields(3);
        final long second = rows.integer(0, "timestamp");
        if (second < lastSecond) {
            throw rows.error("timestamp=" + second + " before the row above, " + lastSecond);
        }
        final double price = rows.real(1, "price");
        if (!(price > 0 && price <= MAX_VALUE)) {
            throw rows.bad(1, "price");
        }
        final double amount = rows.real(2, "amount");
        if (!(amount <= MAX_VALUE)) {
            throw rows.bad(2, "amount");
        }
        lastSecond = second;
        event.set(second, price, amount);
        return true;
    }

    @Override
    public void close() {
        rows.close();
    }
}
