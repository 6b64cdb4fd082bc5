package io.tiercel.replay.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Stroke;
import java.awt.font.FontRenderContext;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.Shape;
import java.util.List;

/**
 * Fonts, colours and strokes of all plots. Series are told apart by colour and by dash; the colours are those of Okabe
 * and Ito, which people with any of the common colour blindnesses can tell apart too.
 *
 * <p>{@link #INK} and {@link #GRID} stand for what the page decides: in the SVG they become the page's own colours, so
 * that one drawing is read on light and on dark.
 */
final class Theme {

    static final Color PAPER = Color.WHITE;
    static final Color INK = new Color(0x24292f);
    static final Color GRID = new Color(0xd8dee4);
    static final int WIDTH_PX = 960;
    static final int HEIGHT_PX = 460;

    private static final List<Color> SERIES = List.of(
            new Color(0x0072b2), new Color(0xd55e00), new Color(0x009e73), new Color(0xcc79a7), new Color(0xe69f00),
            new Color(0x56b4e9), new Color(0x8a8f98), new Color(0x9467bd));
    private static final float[][] DASHES = {null, {9, 3}, {3, 3}, {12, 3, 3, 3}};
    private static final float LINE_WIDTH_PX = 2.2f;
    private static final double MARKER_PX = 7;

    private static final String FONT_FAMILY = fontFamily();

    private Theme() {
    }

    /** Null on a machine without fonts: Java finds them through fontconfig, and brings none itself. */
    private static String fontFamily() {
        if (System.getProperty("java.awt.headless") == null) {
            System.setProperty("java.awt.headless", "true");
        }
        try {
            new Font(Font.SANS_SERIF, Font.PLAIN, 12)
                    .getStringBounds("0", new FontRenderContext(new AffineTransform(), true, true));
            return Font.SANS_SERIF;
        } catch (final LinkageError | InternalError | RuntimeException e) {
            return null;
        }
    }

    /** @throws ReportException if there is no font to draw with. */
    static void checkFonts() {
        if (FONT_FAMILY == null) {
            throw new ReportException("no fonts on this machine, so nothing can be drawn; " +
                    "Debian: apt-get install fontconfig fonts-dejavu-core", null);
        }
    }

    static Font font(final int sizePx) {
        return new Font(FONT_FAMILY, Font.PLAIN, sizePx);
    }

    static Font boldFont(final int sizePx) {
        return new Font(FONT_FAMILY, Font.BOLD, sizePx);
    }

    static Color series(final int index) {
        return SERIES.get(index % SERIES.size());
    }

    /** Solid for the first, so that a plot of one line is a plain one. */
    static Stroke stroke(final int index) {
        final float[] dash = DASHES[index % DASHES.length];
        return dash == null
                ? new BasicStroke(LINE_WIDTH_PX, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND)
                : new BasicStroke(LINE_WIDTH_PX, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, dash, 0);
    }

    static Shape marker() {
        return new Ellipse2D.Double(-MARKER_PX / 2, -MARKER_PX / 2, MARKER_PX, MARKER_PX);
    }

    static Stroke gridStroke() {
        return new BasicStroke(0.8f);
    }
}
