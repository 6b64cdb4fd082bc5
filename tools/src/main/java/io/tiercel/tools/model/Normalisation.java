package io.tiercel.tools.model;

/** Mean and standard deviation of each feature, as in training: {@code (x - mean) / deviation}. */
final class Normalisation {

    private final float[] means;
    private final float[] deviations;

    /** Every deviation is above zero. */
    Normalisation(final float[] means, final float[] deviations) {
        this.means = means;
        this.deviations = deviations;
    }

    float mean(final int index) {
        return means[index];
    }

    float deviation(final int index) {
        return deviations[index];
    }

    float[] means() {
        return means.clone();
    }

    /** What the engine multiplies by, since a multiply is cheaper than a divide. */
    float[] inverseDeviations() {
        final float[] inverse = new float[deviations.length];
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = (float) (1 / (double) deviations[i]);
        }
        return inverse;
    }
}
