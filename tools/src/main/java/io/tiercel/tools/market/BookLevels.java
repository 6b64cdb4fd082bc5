package io.tiercel.tools.market;

import java.util.ArrayList;
import java.util.List;

/**
 * The book itself as features, as networks over books are fed: of each level the ask's price and size and the bid's,
 * every message an event. Prices are in dollars times 10,000, which a float holds exactly up to 1,677 dollars, sizes in
 * shares. Nothing is derived or scaled; a bundle's normalisation does that.
 *
 * <p>An empty level keeps its last price, with size 0; 0 if it had none. Before both sides have been seen there is no
 * reference price (NaN). Instances are for one thread and one instrument; {@link #onEvent} allocates nothing.
 */
public final class BookLevels implements FeatureExtractor<BookEvent> {

    /** Levels that LOBSTER files have at most. */
    public static final int MAX_LEVELS = 999;

    private static final double PRICE_SCALE = 1e4;
    private static final int ASK_PRICE = 0;
    private static final int BID_PRICE = 2;

    private final List<String> names;
    private final float[] features;

    public BookLevels(final int levelCount) {
        names = names(levelCount);
        features = new float[names.size()];
    }

    /** Levels of which these are the names, in order; 0 if they are others. */
    static int levelCount(final List<String> featureNames) {
        final int levelCount = featureNames.size() / BookEvent.FIELDS_PER_LEVEL;
        return levelCount > 0 && featureNames.equals(names(levelCount)) ? levelCount : 0;
    }

    private static List<String> names(final int levelCount) {
        final List<String> names = new ArrayList<>();
        for (int level = 1; level <= levelCount; level++) {
            for (final String field : List.of("ask_price_", "ask_size_", "bid_price_", "bid_size_")) {
                names.add(field + level);
            }
        }
        return List.copyOf(names);
    }

    @Override
    public List<String> names() {
        return names;
    }

    @Override
    public float[] features() {
        return features;
    }

    /** The mid price in dollars; NaN before both sides have been seen. */
    @Override
    public double referencePrice() {
        return features[ASK_PRICE] == 0 || features[BID_PRICE] == 0
                ? Double.NaN
                : ((double) features[ASK_PRICE] + features[BID_PRICE]) / 2 / PRICE_SCALE;
    }

    /** The spread in dollars; a locked or crossed book counts as a ten-thousandth. */
    @Override
    public double referenceUnit() {
        return Math.max(1, (double) features[ASK_PRICE] - features[BID_PRICE]) / PRICE_SCALE;
    }

    @Override
    public void onEvent(final BookEvent event) {
        for (int field = 0; field < features.length; field += 2) {
            final long size = event.levels[field + 1];
            features[field + 1] = size;
            if (size > 0) {
                features[field] = event.levels[field];
            }
        }
    }
}
