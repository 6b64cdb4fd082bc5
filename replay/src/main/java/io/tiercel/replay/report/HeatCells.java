package io.tiercel.replay.report;

import java.awt.Graphics2D;
import java.awt.Paint;
import java.awt.RenderingHints;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import org.jfree.chart.annotations.AbstractXYAnnotation;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.PlotRenderingInfo;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.ui.RectangleEdge;

/**
 * The cells of a heat map, drawn as one path a colour: the page would be five times as long with an element a cell. Not
 * antialiased, or there would be seams between neighbours.
 */
final class HeatCells extends AbstractXYAnnotation {

    private static final long serialVersionUID = 1L;
    private static final int LEVELS = 32;

    private final transient LatencyGrid grid;
    private final transient ViridisScale scale;

    HeatCells(final LatencyGrid grid, final ViridisScale scale) {
        this.grid = grid;
        this.scale = scale;
    }

    @Override
    public void draw(
            final Graphics2D graphics, final XYPlot plot, final Rectangle2D area, final ValueAxis time,
            final ValueAxis latency, final int rendererIndex, final PlotRenderingInfo info) {
        final Object antialiasing = graphics.getRenderingHint(RenderingHints.KEY_ANTIALIASING);
        final Paint paint = graphics.getPaint();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_OFF);
        for (int level = 0; level < LEVELS; level++) {
            final Path2D cells = cells(level, area, time, latency);
            if (cells.getCurrentPoint() != null) {
                graphics.setPaint(scale.getPaint(scale.getUpperBound() * (level + 0.5) / LEVELS));
                graphics.fill(cells);
            }
        }
        graphics.setPaint(paint);
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, antialiasing);
    }

    private Path2D cells(final int level, final Rectangle2D area, final ValueAxis time, final ValueAxis latency) {
        final Path2D path = new Path2D.Float();
        for (int column = 0; column < grid.columnCount(); column++) {
            final double left = time.valueToJava2D(column * grid.columnWidth(), area, RectangleEdge.BOTTOM);
            final double right = time.valueToJava2D((column + 1) * grid.columnWidth(), area, RectangleEdge.BOTTOM);
            for (int row = 0; row < LatencyGrid.ROW_COUNT; row++) {
                if (grid.count(column, row) > 0 && level(grid.count(column, row)) == level) {
                    final double bottom =
                            latency.valueToJava2D(LatencyGrid.rowLogUs(row), area, RectangleEdge.LEFT);
                    final double top =
                            latency.valueToJava2D(LatencyGrid.rowLogUs(row + 1), area, RectangleEdge.LEFT);
                    append(path, left, top, right, bottom);
                }
            }
        }
        return path;
    }

    private int level(final long count) {
        return Math.min(LEVELS - 1, (int) (Math.log10(count) / scale.getUpperBound() * LEVELS));
    }

    private static void append(
            final Path2D path, final double left, final double top, final double right, final double bottom) {
        path.moveTo(left, top);
        path.lineTo(right, top);
        path.lineTo(right, bottom);
        path.lineTo(left, bottom);
        path.closePath();
    }
}
