package io.tiercel.ops.exporter;

import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.tiercel.ops.probe.ProbeOutcome;
import io.tiercel.ops.probe.ProbeResult;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** What became of a probe's questions, as metrics: since this process began. Safe for the threads of an HTTP server. */
public final class ProbeMetrics implements MetricSource {

    private static final double NS_PER_S = 1e9;

    private final Map<ProbeOutcome, Long> counts = new EnumMap<>(ProbeOutcome.class);
    private final LatencyHistogram roundTrips = new LatencyHistogram();
    private final LatencyHistogram applianceTimes = new LatencyHistogram();
    private ProbeResult last;

    public ProbeMetrics() {
        for (final ProbeOutcome outcome : ProbeOutcome.values()) {
            counts.put(outcome, 0L);
        }
    }

    /** Takes the result of a question. */
    public synchronized void add(final ProbeResult result) {
        counts.merge(result.outcome(), 1L, Long::sum);
        last = result;
        if (result.isAnswered()) {
            roundTrips.add(result.roundTripNs() / NS_PER_S, 1);
            applianceTimes.add(result.applianceNs() / NS_PER_S, 1);
        }
    }

    @Override
    public synchronized MetricSnapshots collect() {
        final Map<Labels, Double> byOutcome = new LinkedHashMap<>();
        counts.forEach((outcome, count) -> byOutcome.put(
                Labels.of("outcome", outcome.name().toLowerCase(Locale.ROOT)), (double) count));
        final MetricPage page = new MetricPage()
                .counter("tiercel_probe_results", "Questions with a known answer that were asked, by what became of "
                        + "them.", byOutcome)
                .histogram("tiercel_probe_duration_seconds", "From sending a question to its answer, as a client sees "
                        + "it that sleeps while it waits.", Map.of(Labels.EMPTY, roundTrips))
                .histogram("tiercel_probe_appliance_duration_seconds", "Of it, what passed inside the appliance.",
                        Map.of(Labels.EMPTY, applianceTimes));
        if (last != null) {
            page.gauge("tiercel_probe_ok", "1 if the last question got the known answer in time, else 0.",
                    last.outcome() == ProbeOutcome.OK ? 1 : 0);
        }
        return page.build();
    }
}
