package io.tiercel.tools.market;

import java.util.List;

/**
 * What is said of an event of one kind of tape: kinds, fields, and into how many buckets a field of a kind is cut when
 * a vocabulary is learned. Where it is cut is data, see {@link EventVocabulary}.
 *
 * <pre>
 *   lobster, a message of the exchange                         bitstamp, a trade
 *     kind      new, cancel (partial), delete, execution         kind    trade
 *               (visible), hidden (execution), halt (and
 *               the cross trade of an auction)
 *     side      of the order in the book: buy, sell              side    who traded, by the tick rule: buy, sell
 *     distance  ticks from the side's best quote before the      move    of the price, either way, in basis points
 *               event, away from the market above 0; below 0
 *               by how many ticks the event moved that quote
 *               (a hidden execution: how far inside it was)
 *     size      shares                                           amount  bitcoins
 *     gap       microseconds since the event before              gap     the same
 * </pre>
 *
 * <p>An event and its mirror image, the same with the sides exchanged, differ in the side alone.
 */
public enum EventSchema {

    LOBSTER(
            "lobster", "tick",
            List.of("new", "cancel", "delete", "execution", "hidden", "halt"),
            List.of("distanceTicks", "size", "gapUs"),
            new Cut[][] {
                {Cut.signed(3, 1, 6), Cut.round(4), Cut.decades(8)},
                {Cut.signed(1, 1, 1), Cut.WHOLE, Cut.WHOLE},
                {Cut.signed(2, 1, 6), Cut.round(4), Cut.decades(8)},
                {Cut.signed(2, 1, 0), Cut.round(4), Cut.decades(6)},
                {Cut.signed(4, 1, 0), Cut.round(3), Cut.decades(4)},
                {Cut.WHOLE, Cut.WHOLE, Cut.WHOLE},
            }),
    BITSTAMP(
            "bitstamp", "basis point",
            List.of("trade"),
            List.of("moveBp", "amount", "gapUs"),
            new Cut[][] {{Cut.signed(0, 0.01, 6), Cut.round(5), Cut.decades(5)}});

    /** Names of the sides, by their number: the last bit of a token. */
    public static final List<String> SIDES = List.of("buy", "sell");
    public static final int BUY = 0;
    public static final int SELL = 1;

    /** What edges are rounded to, so that they say something and do not follow the tape's last digit. */
    enum Rounding {
        /** 1, 2 or 5 times a power of ten. */
        ROUND,
        /** A power of ten. */
        DECADE
    }

    /**
     * How a field is cut: at quantiles of the values below 0 and of those above it, rounded.
     *
     * @param below buckets for values below 0; none: no value is.
     * @param first the least value that counts as above 0 where 0 has a bucket of its own; 0 where it has not.
     * @param above buckets for values above 0; none: they share that of 0.
     */
    record Cut(int below, double first, int above, Rounding rounding) {

        static final Cut WHOLE = new Cut(0, 0, 1, Rounding.ROUND);

        static Cut signed(final int below, final double first, final int above) {
            return new Cut(below, first, above, Rounding.ROUND);
        }

        static Cut round(final int buckets) {
            return new Cut(0, 0, buckets, Rounding.ROUND);
        }

        static Cut decades(final int buckets) {
            return new Cut(0, 0, buckets, Rounding.DECADE);
        }
    }

    private final String text;
    private final String moveUnit;
    private final List<String> kinds;
    private final List<String> fields;
    private final Cut[][] cuts;

    EventSchema(
            final String text, final String moveUnit, final List<String> kinds, final List<String> fields,
            final Cut[][] cuts) {
        this.text = text;
        this.moveUnit = moveUnit;
        this.kinds = kinds;
        this.fields = fields;
        this.cuts = cuts;
    }

    /** As files and the command line have it. */
    public String text() {
        return text;
    }

    /** What a change of the reference price is measured in. */
    public String moveUnit() {
        return moveUnit;
    }

    public List<String> kinds() {
        return kinds;
    }

    public List<String> fields() {
        return fields;
    }

    Cut cut(final int kind, final int field) {
        return cuts[kind][field];
    }
}
