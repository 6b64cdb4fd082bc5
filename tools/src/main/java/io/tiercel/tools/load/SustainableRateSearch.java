package io.tiercel.tools.load;

/**
 * Finds the highest rate that something sustains: doubles until it does not, then halves the interval. Assumes that a
 * rate below one that is sustained is sustained too.
 */
public final class SustainableRateSearch {

    static final double MIN_RATE = 1;
    private static final double PRECISION = 1.08;

    /** One attempt. */
    @FunctionalInterface
    public interface Trial {

        boolean sustains(double ratePerSecond);
    }

    private SustainableRateSearch() {
    }

    /**
     * @param startRate rate of the first trial.
     * @param maxRate   highest rate tried.
     * @return the highest rate found to be sustained, within 8 %; 0 if not even one a second is.
     */
    public static double find(final double startRate, final double maxRate, final Trial trial) {
        double sustained = 0;
        double failed = Double.POSITIVE_INFINITY;
        double rate = Math.min(startRate, maxRate);
        while (failed == Double.POSITIVE_INFINITY || sustained == 0) {
            if (trial.sustains(rate)) {
                sustained = rate;
                if (rate >= maxRate) {
                    return rate;
                }
                rate = Math.min(rate * 2, maxRate);
            } else {
                failed = rate;
                if (rate <= MIN_RATE) {
                    return sustained;
                }
                rate = Math.max(rate / 2, MIN_RATE);
            }
            if (sustained > 0 && failed < Double.POSITIVE_INFINITY) {
                break;
            }
        }
        return bisect(sustained, failed, trial);
    }

    private static double bisect(final double sustainedRate, final double failedRate, final Trial trial) {
        double sustained = sustainedRate;
        double failed = failedRate;
        while (failed / sustained > PRECISION) {
            final double middle = Math.sqrt(sustained * failed);
            if (trial.sustains(middle)) {
                sustained = middle;
            } else {
                failed = middle;
            }
        }
        return sustained;
    }
}
