package io.tiercel.ops.top;

import io.tiercel.ops.desk.DeskState;
import io.tiercel.ops.desk.Figures;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.jline.utils.AttributedString;

/** The table of latencies: a row for each stage, a block of figures for each window of time. */
final class LatencyRows {

    private static final int NAME_WIDTH = 13;
    private static final int RATE_WIDTH = 8;
    private static final int FIGURE_WIDTH = 7;
    private static final int GAP_WIDTH = 1;
    private static final double[] PERCENTILES = {50, 99, 99.9};
    private static final int BLOCK_WIDTH = (PERCENTILES.length + 1) * FIGURE_WIDTH + GAP_WIDTH;

    private LatencyRows() {
    }

    static AttributedString title(final List<TopView.Window> windows) {
        final Line line = new Line().faint(pad("", NAME_WIDTH + RATE_WIDTH));
        windows.forEach(window -> line.faint(pad(window.name() + ", µs", BLOCK_WIDTH)));
        return line.build();
    }

    static AttributedString names(final List<TopView.Window> windows) {
        final Line line = new Line().faint(padEnd("", NAME_WIDTH)).faint(pad("n/s", RATE_WIDTH));
        for (int window = 0; window < windows.size(); window++) {
            line.faint(pad("p50", GAP_WIDTH + FIGURE_WIDTH)).faint(pad("p99", FIGURE_WIDTH))
                    .faint(pad("p99.9", FIGURE_WIDTH)).faint(pad("max", FIGURE_WIDTH));
        }
        return line.build();
    }

    /** The rate is that of the first window. */
    static AttributedString row(
            final DeskState state,
            final DeskState.Source source,
            final String name,
            final List<TopView.Window> windows,
            final boolean isStrong) {
        final Line line = new Line().plain(padEnd(name, NAME_WIDTH));
        for (int index = 0; index < windows.size(); index++) {
            final TopView.Window window = windows.get(index);
            final Histogram histogramNs = state.histogram(source, window.lengthMs());
            if (index == 0) {
                line.plain(pad(Figures.rate(state.perSecond(histogramNs)), RATE_WIDTH));
            }
            line.plain(pad("", GAP_WIDTH));
            for (final double percentile : PERCENTILES) {
                line.strongIf(isStrong, figure(histogramNs, histogramNs.getValueAtPercentile(percentile)));
            }
            line.strongIf(isStrong, figure(histogramNs, histogramNs.getMaxValue()));
        }
        return line.build();
    }

    private static String figure(final Histogram histogramNs, final long valueNs) {
        return pad(histogramNs.getTotalCount() == 0 ? "-" : Figures.micros(valueNs), FIGURE_WIDTH);
    }

    private static String pad(final String text, final int width) {
        return " ".repeat(Math.max(0, width - text.length())) + text;
    }

    private static String padEnd(final String text, final int width) {
        final String cut = text.length() < width ? text : text.substring(0, width - 1);
        return cut + " ".repeat(width - cut.length());
    }
}
