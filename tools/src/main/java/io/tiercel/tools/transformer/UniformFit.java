package io.tiercel.tools.transformer;

/**
 * Levels at even distances for the values of a channel: code c of n stands for {@code mean + (2 c - (n - 1)) step}.
 *
 * @param levels n, even.
 * @param error  the weighted sum of squares.
 */
record UniformFit(double mean, double step, int levels, double error) {

    /** Below this share of what it could be, mean and step cannot be told apart. */
    private static final double SINGULAR = 1e-9;

    /** @param weights as many as values. */
    static UniformFit of(
            final double[] values, final double[] weights, final double mean, final double step, final int levels) {
        double error = 0;
        for (int i = 0; i < values.length; i++) {
            final double value = values[i] - mean;
            final double difference = value - level(value, step, levels) * step;
            error += weights[i] * difference * difference;
        }
        return new UniformFit(mean, step, levels, error);
    }

    /** With the mean and step that are best for the codes that the values have now; null if that is none. */
    UniformFit refined(final double[] values, final double[] weights) {
        double sum = 0;
        double sumLevel = 0;
        double sumLevelLevel = 0;
        double sumValue = 0;
        double sumValueLevel = 0;
        for (int i = 0; i < values.length; i++) {
            final double level = level(values[i] - mean, step, levels);
            sum += weights[i];
            sumLevel += weights[i] * level;
            sumLevelLevel += weights[i] * level * level;
            sumValue += weights[i] * values[i];
            sumValueLevel += weights[i] * values[i] * level;
        }
        final double determinant = sum * sumLevelLevel - sumLevel * sumLevel;
        if (determinant < SINGULAR * sum * sumLevelLevel) {
            return null;
        }
        final double newStep = (sum * sumValueLevel - sumLevel * sumValue) / determinant;
        return newStep > 0 ? of(values, weights, (sumValue - newStep * sumLevel) / sum, newStep, levels) : null;
    }

    /** {@code 2 c - (n - 1)} of a value's code. */
    static int level(final double value, final double step, final int levels) {
        final double code = Math.floor(value / (2 * step)) + levels / 2;
        return 2 * (int) Math.max(0, Math.min(levels - 1, code)) - (levels - 1);
    }
}
