package io.tiercel.replay.latency;

import io.tiercel.replay.OutcomeFrame;

/**
 * What requests of like latency spent it on. The parts follow each other and add up to the total: the wait for compute,
 * compute, what the journal still took after compute was done (it runs beside it), and the way out.
 *
 * <p>Requests are gathered in classes by their total, a twentieth of a decade each, so that no request is kept.
 */
public final class StageShares {

    /** A stretch of the way from arrival to the response sent. */
    public enum Part {
        QUEUE("wait for compute"), INFER("compute"), JOURNAL("wait for the journal"), EGRESS("egress");

        private final String text;

        Part(final String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private static final int CLASSES_PER_DECADE = 20;
    private static final int CLASS_COUNT = 12 * CLASSES_PER_DECADE;
    private static final long ENOUGH = 20;

    private final long[][] sumsNs = new long[CLASS_COUNT][Part.values().length];
    private final long[] counts = new long[CLASS_COUNT];

    void add(final OutcomeFrame outcome) {
        final int index = classOf(outcome.egressNs());
        final long computedNs = Math.max(outcome.inferStartNs(), outcome.inferEndNs());
        final long readyNs = Math.max(outcome.journaledNs(), computedNs);
        counts[index]++;
        sumsNs[index][Part.QUEUE.ordinal()] += outcome.inferStartNs();
        sumsNs[index][Part.INFER.ordinal()] += computedNs - outcome.inferStartNs();
        sumsNs[index][Part.JOURNAL.ordinal()] += readyNs - computedNs;
        sumsNs[index][Part.EGRESS.ordinal()] += Math.max(0, outcome.egressNs() - readyNs);
    }

    private static int classOf(final long totalNs) {
        return Math.min(CLASS_COUNT - 1, (int) (Math.log10(Math.max(1, totalNs)) * CLASSES_PER_DECADE));
    }

    /**
     * The shares of the parts, in their order, of requests that took about so long: of the class of that latency, and
     * of its neighbours until there are twenty requests. They add up to 1; or are 0 if there are no requests.
     */
    public double[] sharesAt(final long totalNs) {
        final int middle = classOf(totalNs);
        final double[] sums = new double[Part.values().length];
        long count = 0;
        for (int distance = 0; distance < CLASS_COUNT && count < ENOUGH; distance++) {
            count += add(sums, middle - distance);
            count += distance == 0 ? 0 : add(sums, middle + distance);
        }
        double all = 0;
        for (final double sum : sums) {
            all += sum;
        }
        for (int part = 0; part < sums.length; part++) {
            sums[part] = all == 0 ? 0 : sums[part] / all;
        }
        return sums;
    }

    private long add(final double[] sums, final int index) {
        if (index < 0 || index >= CLASS_COUNT) {
            return 0;
        }
        for (int part = 0; part < sums.length; part++) {
            sums[part] += sumsNs[index][part];
        }
        return counts[index];
    }
}
