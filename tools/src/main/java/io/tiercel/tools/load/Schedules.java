package io.tiercel.tools.load;

import java.util.SplittableRandom;

/** The patterns of arrival that the tools offer. */
public final class Schedules {

    private static final double NS_PER_SECOND = 1e9;

    private Schedules() {
    }

    /** One request every {@code 1/ratePerSecond}. */
    public static Schedule constant(final double ratePerSecond) {
        return burst(ratePerSecond, 1);
    }

    /** {@code burstSize} requests due at the same instant, as often as the mean rate then asks. */
    public static Schedule burst(final double ratePerSecond, final int burstSize) {
        requireRate(ratePerSecond);
        if (burstSize < 1) {
            throw new IllegalArgumentException("burstSize=" + burstSize + " is below 1");
        }
        return new Bursts(burstSize, NS_PER_SECOND * burstSize / ratePerSecond, burstSize == 1
                ? "constant, " + rateText(ratePerSecond)
                : "bursts of " + burstSize + ", " + rateText(ratePerSecond) + " on average");
    }

    /** {@code burstSize} requests once a second: what a quiet second costs the next request. */
    public static Schedule oneHertz(final int burstSize) {
        if (burstSize < 1) {
            throw new IllegalArgumentException("burstSize=" + burstSize + " is below 1");
        }
        return new Bursts(burstSize, NS_PER_SECOND, burstSize + " once a second");
    }

    /** Arrivals that know nothing of one another, the same ones for the same seed. */
    public static Schedule poisson(final double ratePerSecond, final long seed) {
        requireRate(ratePerSecond);
        return new Poisson(ratePerSecond, seed);
    }

    private static void requireRate(final double ratePerSecond) {
        if (!(ratePerSecond > 0) || ratePerSecond > NS_PER_SECOND) {
            throw new IllegalArgumentException("rate=" + ratePerSecond + " is not in 0..1e9 a second");
        }
    }

    private static String rateText(final double ratePerSecond) {
        return Math.round(ratePerSecond) + "/s";
    }

    private static final class Bursts implements Schedule {

        private final int burstSize;
        private final double intervalNs;
        private final String description;
        private long burstIndex;
        private int inBurstIndex;

        Bursts(final int burstSize, final double intervalNs, final String description) {
            this.burstSize = burstSize;
            this.intervalNs = intervalNs;
            this.description = description;
        }

        @Override
        public long nextNs() {
            final long dueNs = (long) (burstIndex * intervalNs); // from the index, so that no rounding error adds up
            if (++inBurstIndex == burstSize) {
                inBurstIndex = 0;
                burstIndex++;
            }
            return dueNs;
        }

        @Override
        public String describe() {
            return description;
        }
    }

    private static final class Poisson implements Schedule {

        private final double ratePerSecond;
        private final SplittableRandom random;
        private final String description;
        private double dueNs;

        Poisson(final double ratePerSecond, final long seed) {
            this.ratePerSecond = ratePerSecond;
            this.random = new SplittableRandom(seed);
            this.description = "Poisson, " + rateText(ratePerSecond) + " on average, seed=" + seed;
        }

        @Override
        public long nextNs() {
            final long currentNs = (long) dueNs;
            dueNs -= Math.log(1.0 - random.nextDouble()) * NS_PER_SECOND / ratePerSecond;
            return currentNs;
        }

        @Override
        public String describe() {
            return description;
        }
    }
}
