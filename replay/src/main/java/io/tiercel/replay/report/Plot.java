package io.tiercel.replay.report;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.plot.ValueMarker;
import org.jfree.chart.ui.RectangleAnchor;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.chart.ui.TextAnchor;

/** A drawing: the same one as SVG for a page and as PNG for everywhere else. Made by {@link Plots}. */
public final class Plot {

    private static final int PNG_SCALE = 2;

    private final String title;
    private final JFreeChart chart;
    private final int heightPx;

    Plot(final String title, final JFreeChart chart, final int heightPx) {
        this.title = title;
        this.chart = chart;
        this.heightPx = heightPx;
    }

    public String title() {
        return title;
    }

    /** A vertical line with a name. */
    void mark(final double x, final String name) {
        final ValueMarker marker = Plots.line(x, Theme.INK);
        marker.setLabel(name);
        marker.setLabelAnchor(RectangleAnchor.TOP_RIGHT);
        marker.setLabelTextAnchor(TextAnchor.TOP_LEFT);
        marker.setLabelOffset(new RectangleInsets(2, 4, 2, 4));
        chart.getXYPlot().addDomainMarker(marker);
    }

    /** The title in letters, digits and dashes, for the name of a file. */
    String slug() {
        final String slug = title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
        return slug.isEmpty() ? "plot" : slug;
    }

    /**
     * An {@code <svg>} element. Its ink and grid are {@code currentColor} and {@code var(--grid)}, its paper is that of
     * the page.
     *
     * @param idPrefix of the names inside, which must not be another drawing's on the same page.
     */
    public String svg(final String idPrefix) {
        return SvgDrawing.draw(idPrefix, Theme.WIDTH_PX, heightPx, graphics -> draw(graphics, heightPx));
    }

    /** The bytes of a PNG file on white paper, sharp enough for a dense screen. */
    public byte[] png() {
        final BufferedImage image = new BufferedImage(
                Theme.WIDTH_PX * PNG_SCALE, heightPx * PNG_SCALE, BufferedImage.TYPE_INT_RGB);
        final Graphics2D graphics = image.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            graphics.setRenderingHint(
                    RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setColor(Theme.PAPER);
            graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
            graphics.scale(PNG_SCALE, PNG_SCALE);
            draw(graphics, heightPx);
        } finally {
            graphics.dispose();
        }
        return encoded(image);
    }

    private void draw(final Graphics2D graphics, final int height) {
        chart.draw(graphics, new Rectangle2D.Double(0, 0, Theme.WIDTH_PX, height));
    }

    private static byte[] encoded(final BufferedImage image) {
        ImageIO.setUseCache(false); // in memory: no files beside the one that was asked for
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", bytes);
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
