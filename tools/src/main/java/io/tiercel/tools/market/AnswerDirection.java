package io.tiercel.tools.market;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest;
import io.tiercel.tools.ToolException;
import java.util.List;

/**
 * Which way an answer says that the price will go. Of classes the likeliest, if it is named up or down; of a regression
 * the sign; of next tokens the sign of their mean move, weighted by their probabilities.
 */
public final class AnswerDirection {

    private static final int PAIR_CELLS = 2;

    private final Manifest.Task task;
    private final EventVocabulary vocabulary;
    private final int outputCount;
    private final int upClass;
    private final int downClass;
    private final float[] scores;

    private AnswerDirection(final Manifest manifest, final EventVocabulary vocabulary) {
        this.vocabulary = vocabulary;
        task = manifest.task();
        outputCount = manifest.outputCount();
        scores = new float[outputCount];
        upClass = manifest.labels().indexOf(Labels.NAMES.get(Labels.UP));
        downClass = manifest.labels().indexOf(Labels.NAMES.get(Labels.DOWN));
    }

    /** @throws ToolException if the model's answers have no direction. */
    public static AnswerDirection of(final Bundle bundle) {
        final List<String> labels = bundle.manifest().labels();
        final AnswerDirection direction =
                new AnswerDirection(bundle.manifest(), EventVocabulary.ofBundle(bundle));
        final boolean hasDirection = switch (bundle.manifest().task()) {
            case CLASSIFICATION -> direction.upClass >= 0 && direction.downClass >= 0;
            case REGRESSION -> labels.size() == 1;
            default -> direction.vocabulary != null;
        };
        if (!hasDirection) {
            throw ToolException.badArgument("model=" + bundle.versionHex() + " names no direction: task=" +
                    bundle.manifest().task() + " labels=" + String.join(",", labels));
        }
        return direction;
    }

    /** Cells of an answer. */
    public int outputCount() {
        return outputCount;
    }

    /** 1 up, -1 down, 0 neither. @param cells as they stand in the journal. */
    public int of(final int[] cells) {
        return switch (task) {
            case CLASSIFICATION -> ofClasses(cells);
            case REGRESSION -> (int) Math.signum(Float.intBitsToFloat(cells[0]));
            default -> ofTokens(cells);
        };
    }

    private int ofClasses(final int[] cells) {
        for (int i = 0; i < outputCount; i++) {
            scores[i] = Float.intBitsToFloat(cells[i]);
        }
        final int likeliest = PredictionScore.argMax(scores, outputCount);
        return likeliest == upClass ? 1 : likeliest == downClass ? -1 : 0;
    }

    private int ofTokens(final int[] cells) {
        double move = 0;
        for (int i = 0; i + 1 < cells.length; i += PAIR_CELLS) {
            move += Float.intBitsToFloat(cells[i + 1]) * vocabulary.meanMove(cells[i]);
        }
        return (int) Math.signum(move);
    }
}
