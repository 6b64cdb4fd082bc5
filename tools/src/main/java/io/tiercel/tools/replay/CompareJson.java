package io.tiercel.tools.replay;

import io.tiercel.replay.compare.Comparison;
import io.tiercel.replay.compare.IntervalSet;
import io.tiercel.replay.compare.PairedComparison;
import io.tiercel.replay.compare.QuantileComparison;
import io.tiercel.replay.compare.SeriesChange;
import io.tiercel.replay.compare.SeriesComparison;
import io.tiercel.replay.compare.CompareOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code compare --json} writes. Changes are shares: 0.1 is a tenth slower. */
final class CompareJson {

    private CompareJson() {
    }

    static Map<String, Object> of(final Comparison comparison) {
        final Map<String, Object> content = new LinkedHashMap<>();
        content.put("verdict", comparison.verdict().name());
        content.put("confidence", comparison.confidence());
        content.put("tag", comparison.tag());
        content.put("unit", comparison.unit());
        content.put("a", comparison.setA().name());
        content.put("b", comparison.setB().name());
        content.put("quantiles", comparison.quantiles().stream().map(CompareJson::of).toList());
        return content;
    }

    private static Map<String, Object> of(final QuantileComparison quantile) {
        final Map<String, Object> content = new LinkedHashMap<>();
        content.put("quantile", quantile.quantile());
        content.put("verdict", quantile.verdict().name());
        content.put("confidence", quantile.confidence());
        content.put("blocksA", quantile.blocksA());
        content.put("blocksB", quantile.blocksB());
        content.put("blockLengthS", quantile.blockLengthS());
        if (quantile.result() != null) {
            content.put("valueA", quantile.result().valueA());
            content.put("valueB", quantile.result().valueB());
            content.put("change", quantile.result().change());
            content.put("changeLow", quantile.result().changeLow());
            content.put("changeHigh", quantile.result().changeHigh());
            content.put("chance", quantile.result().chance());
            content.put("typicalChange", quantile.result().typicalChange());
            content.put("typicalChance", quantile.result().typicalChance());
        }
        content.put("remark", quantile.remark());
        return content;
    }

    static Map<String, Object> of(final PairedComparison comparison) {
        final Map<String, Object> content = new LinkedHashMap<>();
        content.put("verdict", comparison.verdict().name());
        content.put("tag", comparison.tag());
        content.put("unit", comparison.unit());
        content.put("a", comparison.setA().name());
        content.put("b", comparison.setB().name());
        content.put("morePairs", comparison.morePairs());
        content.put("quantiles", comparison.quantiles());
        return content;
    }

    static Map<String, Object> of(final SeriesComparison series, final Comparison ends) {
        final Map<String, Object> content = new LinkedHashMap<>();
        content.put("verdict", series.verdict().name());
        content.put("tag", series.tag());
        content.put("unit", series.unit());
        content.put("sets", series.sets().stream().map(IntervalSet::name).toList());
        final Map<String, Object> values = new LinkedHashMap<>();
        for (int index = 0; index < series.quantiles().size(); index++) {
            values.put(CompareOptions.quantileName(series.quantiles().get(index)), series.values()[index]);
        }
        content.put("values", values);
        final List<Object> changes = new ArrayList<>();
        for (final SeriesChange change : series.changes()) {
            changes.add(Map.of("quantile", change.quantile(), "firstSet", change.firstIndex(), "before",
                    change.before(), "after", change.after(), "change", change.change(), "confidence",
                    change.confidence()));
        }
        content.put("changes", changes);
        content.put("firstAndLast", of(ends));
        return content;
    }
}
