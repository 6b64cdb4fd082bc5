package io.tiercel.replay.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.geom.Line2D;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.HdrHistogram.Histogram;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.CategoryAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.SymbolAxis;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.block.BlockBorder;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.DatasetRenderingOrder;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.plot.ValueMarker;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.StackedBarRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.chart.renderer.xy.XYErrorRenderer;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.title.LegendTitle;
import org.jfree.chart.title.TextTitle;
import org.jfree.chart.ui.HorizontalAlignment;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.data.category.DefaultCategoryDataset;
import org.jfree.data.xy.XYDataset;
import org.jfree.data.xy.XYIntervalSeries;
import org.jfree.data.xy.XYIntervalSeriesCollection;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/**
 * Draws the plots that reports of latency need. Every factory copies what it is given.
 *
 * <p>All throw {@link ReportException} on a machine without fonts.
 */
public final class Plots {

    private static final double HIGHEST_POSITION = 5; // 99.999 %
    private static final double POSITION_STEP = 0.02;
    private static final int MAX_POINTS = 4_000;
    private static final int MAX_MARKED_POINTS = 60;
    private static final int FONT_PX = 13;
    private static final int TITLE_FONT_PX = 15;

    private Plots() {
    }

    /** Which axes of a plot are logarithmic. On such an axis what is not above 0 is left out. */
    public enum Log {
        X, Y
    }

    /**
     * A named line. A NaN is a gap.
     *
     * @param xs ascending.
     */
    public record Series(String name, double[] xs, double[] ys) {
        public Series {
            if (xs.length != ys.length) {
                throw new IllegalArgumentException("xs=" + xs.length + " ys=" + ys.length + " differ");
            }
        }
    }

    /** Named bars, one a category; a NaN is no bar. */
    public record Bars(String name, double[] values) {
    }

    /** A named value and how sure it is: from low to high. */
    public record Estimate(String name, double low, double value, double high) {
    }

    /** Fails now, in one line, rather than after a long run: on a machine where nothing can be drawn. */
    public static void checkFonts() {
        Theme.checkFonts();
    }

    /**
     * Latency by percentile: from the median to 99.999 %, one further nine a step, as far as there are values.
     *
     * @param histogramsNs by name, in the order of the legend.
     */
    public static Plot percentileCurve(final String title, final Map<String, Histogram> histogramsNs) {
        final XYSeriesCollection lines = new XYSeriesCollection();
        histogramsNs.forEach((name, histogram) -> lines.addSeries(percentiles(name, histogram)));
        final double[] range = range(lines, true);
        final XYPlot plot = xyPlot(lines, TickAxis.percentiles("percentile", highestPosition(lines)),
                TickAxis.decades("latency, µs", range[0], range[1]));
        plot.setRenderer(lineRenderer(lines, false));
        return plot(title, new JFreeChart(title, null, plot, false), true);
    }

    private static XYSeries percentiles(final String name, final Histogram histogram) {
        final XYSeries line = new XYSeries(name, false);
        final double lastPosition = Math.min(HIGHEST_POSITION, Math.log10(Math.max(1, histogram.getTotalCount())));
        final int first = (int) Math.ceil(TickAxis.percentilePosition(50) / POSITION_STEP);
        for (int step = first; step * POSITION_STEP <= lastPosition; step++) {
            final double percentile = 100 * (1 - Math.pow(10, -step * POSITION_STEP));
            line.add(step * POSITION_STEP, Math.log10(microseconds(histogram.getValueAtPercentile(percentile))));
        }
        return line;
    }

    private static double microseconds(final long valueNs) {
        return Math.max(1, valueNs) / 1e3;
    }

    private static double highestPosition(final XYSeriesCollection lines) {
        double highest = 2;
        for (int index = 0; index < lines.getSeriesCount(); index++) {
            if (!lines.getSeries(index).isEmpty()) {
                highest = Math.max(highest, lines.getSeries(index).getMaxX());
            }
        }
        return highest + 0.02;
    }

    /** Lines over a common x. Few points are marked; of very many, each stretch keeps its lowest and highest. */
    public static Plot lines(final String title, final String xLabel, final String yLabel, final List<Series> series,
            final Set<Log> logs) {
        final XYSeriesCollection lines = new XYSeriesCollection();
        for (final Series one : series) {
            lines.addSeries(line(one, logs));
        }
        final XYPlot plot = xyPlot(lines, xAxis(xLabel, lines, logs.contains(Log.X)),
                yAxis(yLabel, lines, logs.contains(Log.Y)));
        plot.setRenderer(lineRenderer(lines, true));
        return plot(title, new JFreeChart(title, null, plot, false), series.size() > 1);
    }

    /** The same with vertical lines, each at an x and with a name. */
    public static Plot lines(final String title, final String xLabel, final String yLabel, final List<Series> series,
            final Set<Log> logs, final Map<Double, String> marks) {
        final Plot plot = lines(title, xLabel, yLabel, series, logs);
        marks.forEach((x, name) -> plot.mark(logs.contains(Log.X) ? Math.log10(x) : x, name));
        return plot;
    }

    private static XYSeries line(final Series series, final Set<Log> logs) {
        final XYSeries line = new XYSeries(series.name(), false);
        final int stride = Math.max(1, (series.xs().length + MAX_POINTS - 1) / MAX_POINTS) * 2;
        if (stride == 2) {
            for (int index = 0; index < series.xs().length; index++) {
                add(line, series, index, logs);
            }
            return line;
        }
        for (int begin = 0; begin < series.xs().length; begin += stride) {
            addExtremes(line, series, begin, Math.min(series.xs().length, begin + stride), logs);
        }
        return line;
    }

    private static void addExtremes(
            final XYSeries line, final Series series, final int begin, final int end, final Set<Log> logs) {
        int lowest = begin;
        int highest = begin;
        for (int index = begin + 1; index < end; index++) {
            lowest = series.ys()[index] < series.ys()[lowest] ? index : lowest;
            highest = series.ys()[index] > series.ys()[highest] ? index : highest;
        }
        add(line, series, Math.min(lowest, highest), logs);
        if (lowest != highest) {
            add(line, series, Math.max(lowest, highest), logs);
        }
    }

    private static void add(final XYSeries line, final Series series, final int index, final Set<Log> logs) {
        final double x = logs.contains(Log.X) ? Math.log10(series.xs()[index]) : series.xs()[index];
        final double y = logs.contains(Log.Y) ? Math.log10(series.ys()[index]) : series.ys()[index];
        if (Double.isFinite(x)) {
            line.add(x, Double.isFinite(y) ? y : null);
        }
    }

    private static XYLineAndShapeRenderer lineRenderer(final XYSeriesCollection lines, final boolean areMarked) {
        final XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, false);
        for (int index = 0; index < lines.getSeriesCount(); index++) {
            renderer.setSeriesPaint(index, Theme.series(index));
            renderer.setSeriesStroke(index, Theme.stroke(index));
            renderer.setSeriesShape(index, Theme.marker());
            renderer.setSeriesShapesVisible(index, areMarked && lines.getItemCount(index) <= MAX_MARKED_POINTS);
        }
        renderer.setDrawSeriesLineAsPath(true);
        renderer.setLegendLine(new Line2D.Double(-16, 0, 16, 0));
        return renderer;
    }

    /** Bars side by side in each category. */
    public static Plot bars(
            final String title, final String yLabel, final List<String> categories, final List<Bars> bars) {
        return barPlot(title, yLabel, categories, bars, new BarRenderer());
    }

    /** Bars on top of each other in each category: what a whole is made of. */
    public static Plot stackedBars(
            final String title, final String yLabel, final List<String> categories, final List<Bars> bars) {
        return barPlot(title, yLabel, categories, bars, new StackedBarRenderer());
    }

    private static Plot barPlot(final String title, final String yLabel, final List<String> categories,
            final List<Bars> bars, final BarRenderer renderer) {
        final DefaultCategoryDataset values = new DefaultCategoryDataset();
        for (final Bars one : bars) {
            for (int index = 0; index < categories.size(); index++) {
                final double value = one.values()[index];
                values.addValue(Double.isFinite(value) ? value : null, one.name(), categories.get(index));
            }
        }
        final NumberAxis yAxis = new NumberAxis(yLabel);
        final CategoryPlot plot = new CategoryPlot(values, categoryAxis(), styled(yAxis), renderer);
        renderer.setBarPainter(new StandardBarPainter());
        renderer.setShadowVisible(false);
        renderer.setDrawBarOutline(false);
        renderer.setItemMargin(0.06);
        renderer.setMaximumBarWidth(0.12);
        for (int index = 0; index < bars.size(); index++) {
            renderer.setSeriesPaint(index, Theme.series(index));
        }
        plot.setBackgroundPaint(null);
        plot.setOutlineVisible(false);
        plot.setRangeGridlinePaint(Theme.GRID);
        plot.setRangeGridlineStroke(Theme.gridStroke());
        plot.setAxisOffset(RectangleInsets.ZERO_INSETS);
        return plot(title, new JFreeChart(title, null, plot, false), bars.size() > 1);
    }

    private static CategoryAxis categoryAxis() {
        final CategoryAxis axis = new CategoryAxis();
        axis.setTickLabelFont(Theme.font(FONT_PX));
        axis.setTickLabelPaint(Theme.INK);
        axis.setAxisLinePaint(Theme.INK);
        axis.setTickMarksVisible(false);
        axis.setCategoryMargin(0.25);
        axis.setLowerMargin(0.03);
        axis.setUpperMargin(0.03);
        axis.setMaximumCategoryLabelLines(2);
        return axis;
    }

    /** How many latencies of what size there were when; colour by the logarithm of the count. */
    public static Plot heatMap(final String title, final LatencyGrid grid) {
        return HeatMap.draw(title, grid);
    }

    /**
     * Values with how sure they are, one a row, and a line at 0.
     *
     * @param xLabel what the values are.
     */
    public static Plot estimates(final String title, final String xLabel, final List<Estimate> estimates) {
        final XYIntervalSeriesCollection points = new XYIntervalSeriesCollection();
        final XYIntervalSeries series = new XYIntervalSeries("");
        final String[] names = new String[estimates.size()];
        for (int index = 0; index < names.length; index++) {
            final Estimate estimate = estimates.get(names.length - 1 - index);
            names[index] = estimate.name();
            series.add(estimate.value(), estimate.low(), estimate.high(), index, index, index);
        }
        points.addSeries(series);
        final SymbolAxis yAxis = new SymbolAxis(null, names);
        yAxis.setGridBandsVisible(false);
        final NumberAxis xAxis = new NumberAxis(xLabel);
        final XYPlot plot = xyPlot(points, xAxis, yAxis);
        final XYErrorRenderer renderer = new XYErrorRenderer();
        renderer.setSeriesPaint(0, Theme.series(0));
        renderer.setSeriesShape(0, Theme.marker());
        renderer.setErrorPaint(Theme.series(0));
        renderer.setErrorStroke(new BasicStroke(2));
        renderer.setCapLength(8);
        renderer.setDrawYError(false);
        plot.setRenderer(renderer);
        plot.addDomainMarker(line(0, Theme.INK));
        return plot(title, new JFreeChart(title, null, plot, false), false, 160 + 44 * names.length);
    }

    static XYPlot xyPlot(
            final XYDataset values, final ValueAxis xAxis, final ValueAxis yAxis) {
        final XYPlot plot = new XYPlot(
                values, styled(xAxis), styled(yAxis), new XYLineAndShapeRenderer());
        plot.setOrientation(PlotOrientation.VERTICAL);
        plot.setDatasetRenderingOrder(DatasetRenderingOrder.FORWARD);
        plot.setBackgroundPaint(null);
        plot.setOutlineVisible(false);
        plot.setDomainGridlinePaint(Theme.GRID);
        plot.setRangeGridlinePaint(Theme.GRID);
        plot.setDomainGridlineStroke(Theme.gridStroke());
        plot.setRangeGridlineStroke(Theme.gridStroke());
        plot.setAxisOffset(RectangleInsets.ZERO_INSETS);
        return plot;
    }

    private static ValueAxis xAxis(final String label, final XYSeriesCollection lines, final boolean isLog) {
        final double[] range = range(lines, false);
        if (isLog) {
            return TickAxis.decades(label, range[0], range[1]);
        }
        final NumberAxis axis = new NumberAxis(label);
        axis.setAutoRangeIncludesZero(false);
        axis.setLowerMargin(0.01);
        axis.setUpperMargin(0.02);
        return axis;
    }

    private static ValueAxis yAxis(final String label, final XYSeriesCollection lines, final boolean isLog) {
        final double[] range = range(lines, true);
        return isLog ? TickAxis.decades(label, range[0], range[1]) : new NumberAxis(label);
    }

    /** From the lowest to the highest, with a margin; what is all the same, or nothing, gets a width. */
    private static double[] range(final XYSeriesCollection lines, final boolean isY) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (int series = 0; series < lines.getSeriesCount(); series++) {
            for (int item = 0; item < lines.getItemCount(series); item++) {
                final double value = isY ? lines.getYValue(series, item) : lines.getXValue(series, item);
                low = value < low ? value : low;
                high = value > high ? value : high;
            }
        }
        if (low > high) {
            return new double[] {0, 1};
        }
        final double margin = Math.max(0.05, 0.04 * (high - low));
        return new double[] {low - margin, high + margin};
    }

    static <A extends ValueAxis> A styled(final A axis) {
        axis.setLabelFont(Theme.font(FONT_PX));
        axis.setLabelPaint(Theme.INK);
        axis.setTickLabelFont(Theme.font(FONT_PX));
        axis.setTickLabelPaint(Theme.INK);
        axis.setAxisLinePaint(Theme.INK);
        axis.setTickMarkPaint(Theme.INK);
        return axis;
    }

    static ValueMarker line(final double place, final Color color) {
        final ValueMarker marker = new ValueMarker(place, color, new BasicStroke(1.2f));
        marker.setLabelFont(Theme.font(FONT_PX));
        marker.setLabelPaint(color);
        marker.setLabelBackgroundColor(new Color(0, true));
        return marker;
    }

    static Plot plot(final String title, final JFreeChart chart, final boolean hasLegend) {
        return plot(title, chart, hasLegend, Theme.HEIGHT_PX);
    }

    private static Plot plot(
            final String title, final JFreeChart chart, final boolean hasLegend, final int heightPx) {
        Theme.checkFonts();
        chart.setBackgroundPaint(null);
        chart.setBorderVisible(false);
        chart.setPadding(new RectangleInsets(8, 8, 8, 28));
        final TextTitle heading = chart.getTitle();
        heading.setFont(Theme.boldFont(TITLE_FONT_PX));
        heading.setPaint(Theme.INK);
        heading.setHorizontalAlignment(HorizontalAlignment.LEFT);
        heading.setPadding(0, 6, 8, 0);
        if (hasLegend) {
            chart.addSubtitle(legend(chart));
        }
        return new Plot(title, chart, heightPx);
    }

    private static LegendTitle legend(final JFreeChart chart) {
        final LegendTitle legend = new LegendTitle(chart.getPlot());
        legend.setPosition(RectangleEdge.BOTTOM);
        legend.setItemFont(Theme.font(FONT_PX));
        legend.setItemPaint(Theme.INK);
        legend.setBackgroundPaint(null);
        legend.setFrame(BlockBorder.NONE);
        legend.setItemLabelPadding(new RectangleInsets(2, 4, 2, 14));
        return legend;
    }
}
