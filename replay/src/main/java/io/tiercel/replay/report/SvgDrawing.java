package io.tiercel.replay.report;

import java.awt.Color;
import java.awt.Dimension;
import java.awt.Graphics2D;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.function.Consumer;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGeneratorContext;
import org.apache.batik.svggen.SVGGraphics2D;
import org.apache.batik.svggen.SVGIDGenerator;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Draws into an {@code <svg>} element that can stand inside a page, several on one page. */
final class SvgDrawing {

    private static final String NAMESPACE = "http://www.w3.org/2000/svg";

    private SvgDrawing() {
    }

    static String draw(
            final String idPrefix, final int widthPx, final int heightPx, final Consumer<Graphics2D> drawing) {
        final SVGGeneratorContext context = SVGGeneratorContext.createDefault(document());
        context.setComment(null);
        context.setPrecision(1);
        context.setIDGenerator(new SVGIDGenerator() {
            @Override
            public String generateID(final String prefix) {
                return idPrefix + '-' + super.generateID(prefix);
            }
        });
        final SVGGraphics2D graphics = new SVGGraphics2D(context, false);
        graphics.setSVGCanvasSize(new Dimension(widthPx, heightPx));
        drawing.accept(graphics);
        return themed(text(graphics, widthPx, heightPx));
    }

    private static Document document() {
        try {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().getDOMImplementation()
                    .createDocument(NAMESPACE, "svg", null);
        } catch (final ParserConfigurationException e) {
            throw new IllegalStateException("the JDK has no XML", e);
        }
    }

    private static String text(final SVGGraphics2D graphics, final int widthPx, final int heightPx) {
        final Element root = graphics.getRoot();
        root.setAttribute("viewBox", "0 0 " + widthPx + " " + heightPx);
        root.setAttribute("role", "img");
        root.removeAttribute("width");
        root.removeAttribute("height");
        final StringWriter writer = new StringWriter();
        try {
            graphics.stream(root, writer, false, false);
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
        return writer.toString();
    }

    /** The page's own colours for ink and grid, and no XML declaration inside a page. */
    private static String themed(final String svg) {
        return svg.substring(svg.indexOf("<svg"))
                .replace(rgb(Theme.INK), "currentColor")
                .replace(rgb(Theme.GRID), "var(--grid)")
                .replaceAll("\\s*[\r\n]+\\s*", " ")
                .replaceAll(" (/?>)", "$1")
                .replace("<defs id=\"genericDefs\"/>", "")
                .trim();
    }

    private static String rgb(final Color color) {
        return String.format(Locale.ROOT, "rgb(%d,%d,%d)", color.getRed(), color.getGreen(), color.getBlue());
    }
}
