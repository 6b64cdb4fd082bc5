package io.tiercel.tools.load;

import java.util.LinkedHashMap;
import java.util.Map;
import org.HdrHistogram.AbstractHistogram;

/**
 * The percentiles that every table and every JSON file of the tools states, in microseconds.
 *
 * @param count values behind them; with none, all are 0.
 */
public record LatencySummary(
        long count, double p50, double p90, double p99, double p999, double p9999, double max) {

    private static final double NS_PER_US = 1_000.0;

    /** Summarises a histogram of nanoseconds. */
    public static LatencySummary of(final AbstractHistogram histogramNs) {
        return new LatencySummary(
                histogramNs.getTotalCount(),
                atUs(histogramNs, 50),
                atUs(histogramNs, 90),
                atUs(histogramNs, 99),
                atUs(histogramNs, 99.9),
                atUs(histogramNs, 99.99),
                histogramNs.getMaxValue() / NS_PER_US);
    }

    private static double atUs(final AbstractHistogram histogramNs, final double percentile) {
        return histogramNs.getValueAtPercentile(percentile) / NS_PER_US;
    }

    /** The keys of the JSON files: {@code p50 p90 p99 p999 p9999 max}, µs, and {@code count}. */
    public Map<String, Object> toJson() {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("p50", round(p50));
        json.put("p90", round(p90));
        json.put("p99", round(p99));
        json.put("p999", round(p999));
        json.put("p9999", round(p9999));
        json.put("max", round(max));
        json.put("count", count);
        return json;
    }

    private static double round(final double us) {
        return Math.round(us * NS_PER_US) / NS_PER_US;
    }
}
