package io.tiercel.replay.report;

import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.AxisLocation;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.title.PaintScaleLegend;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.data.xy.XYSeriesCollection;

/** Draws a {@link LatencyGrid}: time to the right, latency upwards, both as cells; what never occurred stays paper. */
final class HeatMap {

    private static final double MIN_HIGHEST_COUNT = 10; // so that the colours' scale has a length

    private HeatMap() {
    }

    static Plot draw(final String title, final LatencyGrid grid) {
        final int lowRow = Math.max(0, grid.lowestRow());
        final int highRow = Math.max(lowRow, grid.highestRow());
        final ViridisScale scale = new ViridisScale(Math.log10(Math.max(MIN_HIGHEST_COUNT, grid.highestCount())));
        final NumberAxis time = new NumberAxis("time, " + grid.timeUnit());
        time.setRange(0, Math.max(1, grid.columnCount()) * grid.columnWidth());
        final XYPlot plot = Plots.xyPlot(new XYSeriesCollection(), time, TickAxis.decades("latency, µs",
                LatencyGrid.rowLogUs(lowRow), LatencyGrid.rowLogUs(highRow + 1)));
        plot.addAnnotation(new HeatCells(grid, scale));
        final JFreeChart chart = new JFreeChart(title, null, plot, false);
        chart.addSubtitle(legend(scale));
        return Plots.plot(title, chart, false);
    }

    private static PaintScaleLegend legend(final ViridisScale scale) {
        final PaintScaleLegend legend = new PaintScaleLegend(scale,
                Plots.styled(TickAxis.decades("count", scale.getLowerBound(), scale.getUpperBound())));
        legend.setPosition(RectangleEdge.RIGHT);
        legend.setAxisLocation(AxisLocation.BOTTOM_OR_RIGHT);
        legend.setStripWidth(14);
        legend.setStripOutlineVisible(false);
        legend.setSubdivisionCount(60);
        legend.setBackgroundPaint(null);
        legend.setMargin(8, 12, 48, 0);
        return legend;
    }
}
