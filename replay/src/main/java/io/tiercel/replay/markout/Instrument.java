package io.tiercel.replay.markout;

/**
 * The prices of one instrument, in the order in which they happened, and where among them the events are that answers
 * are about. Several prices may bear one time; the last of them is then the price at that time. Immutable.
 */
public final class Instrument {

    private final long[] timesNs;
    private final double[] prices;
    private final int[] eventIndices;

    /**
     * @param timesNs      of each price by the exchange's clock, never going back.
     * @param prices       one for each time; NaN where none is known yet, at the beginning.
     * @param eventIndices the price that stood after each event, in rising order.
     */
    public Instrument(final long[] timesNs, final double[] prices, final int[] eventIndices) {
        this.timesNs = timesNs;
        this.prices = prices;
        this.eventIndices = eventIndices;
        for (int i = 1; i < timesNs.length; i++) {
            if (timesNs[i] < timesNs[i - 1]) {
                throw new IllegalArgumentException("timesNs=" + timesNs[i] + " after " + timesNs[i - 1]);
            }
        }
    }

    double price(final int index) {
        return prices[index];
    }

    int eventCount() {
        return eventIndices.length;
    }

    /** The price that stood after an event. */
    int eventIndex(final int event) {
        return eventIndices[event];
    }

    long timeNs(final int index) {
        return timesNs[index];
    }

    /** The last time that is known. */
    long endNs() {
        return timesNs[timesNs.length - 1];
    }

    /** The price that stands at a time: the last that is not later; not before one that is known to have been. */
    int indexAt(final long timeNs, final int fromIndex) {
        int low = fromIndex;
        int high = timesNs.length;
        while (high - low > 1) {
            final int middle = (low + high) >>> 1;
            if (timesNs[middle] <= timeNs) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
