package io.tiercel.replay.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * Looks for change points in a series of sets, oldest first, quantile by quantile. Each set is one value, so what makes
 * runs differ though nothing changed is in the series itself, and is what a change has to stand out from.
 */
public final class SeriesComparator {

    private static final int MAX_SHUFFLES = 999; // enough for a level of a per cent; a long series takes its time

    private final CompareOptions options;

    public SeriesComparator(final CompareOptions options) {
        this.options = options;
    }

    /** @throws CompareException if the sets cannot be compared. */
    public SeriesComparison compare(final List<IntervalSet> sets) {
        final String tag = SetComparator.commonTag(sets, options.tag());
        IntervalReader.checkUnits(sets.stream().flatMap(set -> set.runs().stream()).toList());
        final double[][] values = new double[options.quantiles().size()][sets.size()];
        for (int set = 0; set < sets.size(); set++) {
            final Histogram pooled = sets.get(set).pooled(tag);
            for (int index = 0; index < values.length; index++) {
                values[index][set] = Math.max(1, pooled.getValueAtPercentile(100 * options.quantiles().get(index)));
            }
        }
        final String unit = sets.stream().map(IntervalSet::unit).filter(one -> one != null).findFirst().orElse(null);
        return new SeriesComparison(sets, tag, unit, options.quantiles(), values, changes(values));
    }

    private List<SeriesChange> changes(final double[][] values) {
        final int quantileCount = options.quantiles().size();
        final EDivisive divisive = new EDivisive(
                options.level() / quantileCount, Math.min(MAX_SHUFFLES, options.resamples()), options.random());
        final List<SeriesChange> changes = new ArrayList<>();
        for (int index = 0; index < quantileCount; index++) {
            final List<ChangePoint> points = divisive.find(Arrays.stream(values[index]).map(Math::log).toArray());
            for (int point = 0; point < points.size(); point++) {
                changes.add(change(index, values[index], points, point));
            }
        }
        return changes;
    }

    private SeriesChange change(
            final int index, final double[] values, final List<ChangePoint> points, final int point) {
        final int begin = point == 0 ? 0 : points.get(point - 1).index();
        final int middle = points.get(point).index();
        final int end = point + 1 == points.size() ? values.length : points.get(point + 1).index();
        final double before = median(values, begin, middle);
        final double after = median(values, middle, end);
        return new SeriesChange(options.quantiles().get(index), middle, before, after,
                1 - Math.min(1, points.get(point).chance() * options.quantiles().size()), end == values.length,
                Math.abs(after / before - 1) >= options.threshold());
    }

    private static double median(final double[] values, final int begin, final int end) {
        final double[] part = Arrays.copyOfRange(values, begin, end);
        Arrays.sort(part);
        return (part[(part.length - 1) / 2] + part[part.length / 2]) / 2;
    }
}
