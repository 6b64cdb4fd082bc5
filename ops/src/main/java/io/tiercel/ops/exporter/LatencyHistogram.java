package io.tiercel.ops.exporter;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.NativeHistogramBuckets;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/**
 * Interval histograms in nanoseconds, added up for Prometheus: as a native histogram in seconds, and in the classic
 * buckets of its text format, which has no native ones.
 *
 * <p>Schema 8 is the finest there is: a bucket's upper edge is {@code 2^(1/256)}, 0.27 %, above its lower one. What
 * an HdrHistogram of two digits has counted goes where the middle of its bucket lies, which is within 0.39 % of what
 * was measured. So no count is more than 0.67 % away from where it belongs, and a finer schema than that of the
 * source costs nothing: there are no more buckets than the source has. One thread.
 */
final class LatencyHistogram {

    static final int SCHEMA = 8;
    private static final double BUCKETS_PER_OCTAVE = 1 << SCHEMA;
    /** Prometheus' own: only what is no time at all is counted as zero. */
    private static final double ZERO_THRESHOLD_SECONDS = Math.pow(2, -128);
    private static final double NS_PER_S = 1e9;
    private static final double LN_2 = Math.log(2);
    private static final double[] CLASSIC_BOUNDS_SECONDS = {
        2e-7, 5e-7, 1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2,
        0.5, 1, Double.POSITIVE_INFINITY
    };

    private final Map<Integer, Long> countByIndex = new TreeMap<>();
    private final long[] classicCounts = new long[CLASSIC_BOUNDS_SECONDS.length];
    private long zeroCount;
    private long count;
    private double sumSeconds;

    void add(final Histogram histogramNs) {
        for (final HistogramIterationValue value : histogramNs.recordedValues()) {
            final long valueNs = histogramNs.medianEquivalentValue(value.getValueIteratedTo());
            add(valueNs / NS_PER_S, value.getCountAtValueIteratedTo());
        }
    }

    void add(final double seconds, final long times) {
        if (seconds > ZERO_THRESHOLD_SECONDS) {
            countByIndex.merge((int) Math.ceil(Math.log(seconds) / LN_2 * BUCKETS_PER_OCTAVE), times, Long::sum);
        } else {
            zeroCount += times;
        }
        int bound = 0;
        while (seconds > CLASSIC_BOUNDS_SECONDS[bound]) {
            bound++;
        }
        classicCounts[bound] += times;
        count += times;
        sumSeconds += seconds * times;
    }

    long count() {
        return count;
    }

    /** As if each value had been in the middle of its bucket. */
    double sumSeconds() {
        return sumSeconds;
    }

    HistogramDataPointSnapshot snapshot(final Labels labels) {
        final NativeHistogramBuckets.Builder buckets = NativeHistogramBuckets.builder();
        countByIndex.forEach(buckets::bucket);
        return HistogramDataPointSnapshot.builder()
                .labels(labels)
                .nativeSchema(SCHEMA)
                .nativeZeroThreshold(ZERO_THRESHOLD_SECONDS)
                .nativeZeroCount(zeroCount)
                .nativeBucketsForPositiveValues(buckets.build())
                .classicHistogramBuckets(ClassicHistogramBuckets.of(CLASSIC_BOUNDS_SECONDS, classicCounts))
                .sum(sumSeconds)
                .build();
    }
}
