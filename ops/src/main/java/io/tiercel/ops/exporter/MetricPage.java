package io.tiercel.ops.exporter;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.Quantile;
import io.prometheus.metrics.model.snapshots.Quantiles;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** Metrics as they are put together for one scrape. A family without a point is left out. */
final class MetricPage {

    private static final double NS_PER_S = 1e9;
    private static final double PERCENT = 100;
    private static final double[] QUANTILES = {0.5, 0.9, 0.99, 0.999, 1};

    private final List<MetricSnapshot> families = new ArrayList<>();

    /** @param values by labels. */
    MetricPage gauge(final String name, final String help, final Map<Labels, Double> values) {
        final List<GaugeDataPointSnapshot> points = new ArrayList<>();
        values.forEach((labels, value) -> points.add(new GaugeDataPointSnapshot(value, labels, null)));
        return points.isEmpty() ? this : add(new GaugeSnapshot(new MetricMetadata(name, help), points));
    }

    MetricPage gauge(final String name, final String help, final double value) {
        return gauge(name, help, Map.of(Labels.EMPTY, value));
    }

    /**
     * @param name   without {@code _total}, which the library adds.
     * @param values by labels.
     */
    MetricPage counter(final String name, final String help, final Map<Labels, Double> values) {
        final List<CounterDataPointSnapshot> points = new ArrayList<>();
        values.forEach((labels, value) -> points.add(new CounterDataPointSnapshot(value, labels, null, 0)));
        return points.isEmpty() ? this : add(new CounterSnapshot(new MetricMetadata(name, help), points));
    }

    MetricPage counter(final String name, final String help, final double value) {
        return counter(name, help, Map.of(Labels.EMPTY, value));
    }

    /** @param name without {@code _info}, which the library adds. */
    MetricPage info(final String name, final String help, final List<Labels> all) {
        return all.isEmpty()
                ? this
                : add(new InfoSnapshot(new MetricMetadata(name, help),
                        all.stream().map(InfoDataPointSnapshot::new).toList()));
    }

    MetricPage histogram(final String name, final String help, final Map<Labels, LatencyHistogram> histograms) {
        return histograms.isEmpty()
                ? this
                : add(new HistogramSnapshot(new MetricMetadata(name, help),
                        histograms.entrySet().stream().map(entry -> entry.getValue().snapshot(entry.getKey()))
                                .toList()));
    }

    /**
     * @param recentNs of the last minute, in nanoseconds, whose quantiles are shown: NaN where it is empty.
     * @param all      which have the count and the sum of everything.
     */
    MetricPage summary(
            final String name, final String help, final Map<Labels, Histogram> recentNs,
            final Map<Labels, LatencyHistogram> all) {
        final List<SummaryDataPointSnapshot> points = new ArrayList<>();
        recentNs.forEach((labels, histogramNs) -> points.add(new SummaryDataPointSnapshot(all.get(labels).count(),
                all.get(labels).sumSeconds(), quantiles(histogramNs), labels, null, 0)));
        return points.isEmpty() ? this : add(new SummarySnapshot(new MetricMetadata(name, help), points));
    }

    MetricSnapshots build() {
        return new MetricSnapshots(families);
    }

    private MetricPage add(final MetricSnapshot family) {
        families.add(family);
        return this;
    }

    private static Quantiles quantiles(final Histogram histogramNs) {
        return Quantiles.of(Arrays.stream(QUANTILES)
                .mapToObj(quantile -> new Quantile(quantile, histogramNs.getTotalCount() == 0
                        ? Double.NaN
                        : histogramNs.getValueAtPercentile(quantile * PERCENT) / NS_PER_S))
                .toList());
    }
}
