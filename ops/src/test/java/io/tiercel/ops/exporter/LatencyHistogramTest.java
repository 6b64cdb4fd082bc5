package io.tiercel.ops.exporter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBucket;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.NativeHistogramBucket;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class LatencyHistogramTest {

    private static final double NS_PER_S = 1e9;
    private static final double GROWTH = Math.pow(2, 1.0 / (1 << LatencyHistogram.SCHEMA));

    @Test
    void shouldGiveQuantilesWithinItsErrorWhateverWasMeasured() {
        for (int seed = 0; seed < 20; seed++) {
            final SplittableRandom random = new SplittableRandom(seed);
            final LatencyHistogram histogram = new LatencyHistogram();
            final long[] valuesNs = new long[3_000];
            for (int interval = 0; interval < 3; interval++) {
                final Histogram intervalNs = new Histogram(60_000_000_000L, 2);
                for (int index = interval * 1_000; index < (interval + 1) * 1_000; index++) {
                    valuesNs[index] = (long) Math.exp(random.nextDouble() * Math.log(5e10)) + 200;
                    intervalNs.recordValue(valuesNs[index]);
                }
                histogram.add(intervalNs);
            }
            Arrays.sort(valuesNs);
            final HistogramDataPointSnapshot snapshot = histogram.snapshot(Labels.EMPTY);
            for (final double quantile : new double[] {0.001, 0.1, 0.5, 0.9, 0.99, 0.999}) {
                final int rank = (int) Math.ceil(quantile * valuesNs.length) - 1;
                final double exact = valuesNs[rank] / NS_PER_S;
                assertEquals(exact, upperEdge(snapshot, rank + 1), exact * 0.0067, "seed=" + seed + " q=" + quantile);
            }
        }
    }

    @Test
    void shouldCountEverythingOnceInBothKindsOfBuckets() {
        final LatencyHistogram histogram = new LatencyHistogram();
        final Histogram intervalNs = new Histogram(60_000_000_000L, 2);
        final long[] valuesNs = {0, 1, 250, 990, 3_000, 3_000, 2_000_000, 60_000_000_000L};
        for (final long valueNs : valuesNs) {
            intervalNs.recordValue(valueNs);
        }
        histogram.add(intervalNs);
        final HistogramDataPointSnapshot snapshot = histogram.snapshot(Labels.EMPTY);
        assertEquals(8, snapshot.getCount());
        assertEquals(8, histogram.count());
        assertEquals(1, snapshot.getNativeZeroCount());
        assertEquals(7, snapshot.getNativeBucketsForPositiveValues().stream()
                .mapToLong(NativeHistogramBucket::getCount).sum());
        assertEquals(8, snapshot.getClassicBuckets().stream().mapToLong(ClassicHistogramBucket::getCount).sum());
        assertEquals(2, countAt(snapshot, 2e-7), "0 and 1 ns");
        assertEquals(1, countAt(snapshot, 1e-6), "990 ns");
        assertEquals(1, countAt(snapshot, Double.POSITIVE_INFINITY));
        final double sum = Arrays.stream(valuesNs).sum() / NS_PER_S;
        assertEquals(sum, snapshot.getSum(), sum * 0.004);
    }

    @Test
    void shouldHaveNoMoreBucketsThanItsSource() {
        final Histogram everyNs = new Histogram(60_000_000_000L, 2);
        for (long valueNs = 1; valueNs < 60_000_000_000L; valueNs += Math.max(1, valueNs / 1_000)) {
            everyNs.recordValue(valueNs);
        }
        final LatencyHistogram histogram = new LatencyHistogram();
        histogram.add(everyNs);
        int sourceCount = 0;
        for (final var value : everyNs.recordedValues()) {
            sourceCount += value.getCountAtValueIteratedTo() > 0 ? 1 : 0;
        }
        final int count = histogram.snapshot(Labels.EMPTY).getNativeBucketsForPositiveValues().size();
        assertTrue(count <= sourceCount, count + " of " + sourceCount);
    }

    /** Of the native bucket with the value of this rank, from 1. */
    private static double upperEdge(final HistogramDataPointSnapshot snapshot, final long rank) {
        long below = snapshot.getNativeZeroCount();
        for (final NativeHistogramBucket bucket : snapshot.getNativeBucketsForPositiveValues()) {
            below += bucket.getCount();
            if (below >= rank) {
                return Math.pow(GROWTH, bucket.getBucketIndex());
            }
        }
        throw new AssertionError("rank=" + rank + " count=" + below);
    }

    private static long countAt(final HistogramDataPointSnapshot snapshot, final double bound) {
        return snapshot.getClassicBuckets().stream().filter(bucket -> bucket.getUpperBound() == bound)
                .mapToLong(ClassicHistogramBucket::getCount).sum();
    }
}
