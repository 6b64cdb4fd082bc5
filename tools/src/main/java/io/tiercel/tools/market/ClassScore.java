package io.tiercel.tools.market;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** The probabilities of classes, against the labels of the events. */
final class ClassScore implements AnswerScore {

    private final MarketFeed feed;
    private final float[] probabilities;
    private final PredictionScore score;

    ClassScore(final MarketFeed feed, final int outputCount) {
        this.feed = feed;
        probabilities = new float[outputCount];
        score = new PredictionScore(outputCount);
    }

    @Override
    public void add(final int eventIndex, final int[] cells, final int offset) {
        for (int i = 0; i < probabilities.length; i++) {
            probabilities[i] = Float.intBitsToFloat(cells[offset + i]);
        }
        score.add(feed.label(eventIndex), probabilities);
    }

    @Override
    public long count() {
        return score.count();
    }

    @Override
    public String text() {
        return String.format(Locale.ROOT, "prediction: accuracy %.2f %% on %d held-out events; always the most " +
                "frequent class %.2f %%; balanced accuracy %.2f %%%n",
                100 * score.accuracy(), score.count(), 100 * score.majority(), 100 * score.balancedAccuracy());
    }

    @Override
    public Map<String, Object> toJson() {
        final boolean isScored = score.count() > 0;
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("heldOut", score.count());
        json.put("accuracy", isScored ? score.accuracy() : null);
        json.put("majority", isScored ? score.majority() : null);
        json.put("balancedAccuracy", isScored ? score.balancedAccuracy() : null);
        json.put("logLoss", isScored ? score.logLoss() : null);
        return json;
    }
}
