package io.tiercel.replay.report;

import java.awt.Graphics2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jfree.chart.axis.AxisState;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTick;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.TextAnchor;

/**
 * An axis whose ticks were chosen beforehand. Logarithmic plots hold logarithms, on a plain axis that says where 1, 2,
 * 5 and 10 lie; so all renderers work on them, and ranges of less than a decade have ticks too.
 */
final class TickAxis extends NumberAxis {

    private static final long serialVersionUID = 1L;

    private static final double[] HALF_DECADE = {1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9};
    private static final double[] FEW_DECADES = {1, 2, 5};
    private static final double[] MANY_DECADES = {1};

    private final ArrayList<NumberTick> places = new ArrayList<>();

    private TickAxis(final String label, final double low, final double high) {
        super(label);
        setRange(low, high);
    }

    /** From the percentile 50 on: places are {@link #percentilePosition}s. */
    static TickAxis percentiles(final String label, final double highestPosition) {
        final TickAxis axis = new TickAxis(label, percentilePosition(50), highestPosition);
        axis.add(percentilePosition(50), "50%");
        String name = "90%";
        for (int nines = 1; nines <= highestPosition; nines++) {
            axis.add(nines, name);
            name = nines == 1 ? "99%" : nines == 2 ? "99.9%" : name.replace("%", "9%");
        }
        return axis;
    }

    /** Where a percentile below 100 lies: the number of its nines. */
    static double percentilePosition(final double percentile) {
        return -Math.log10(1 - percentile / 100);
    }

    /** For values that are logarithms to the base 10. */
    static TickAxis decades(final String label, final double lowLog, final double highLog) {
        final TickAxis axis = new TickAxis(label, lowLog, highLog);
        final double span = highLog - lowLog;
        final double[] mantissas = span <= 0.6 ? HALF_DECADE : span <= 3.2 ? FEW_DECADES : MANY_DECADES;
        final int step = (int) Math.ceil(span / 12);
        for (int decade = (int) Math.floor(lowLog); decade <= highLog; decade += step) {
            for (final double mantissa : mantissas) {
                final double place = decade + Math.log10(mantissa);
                if (place >= lowLog - 1e-9 && place <= highLog + 1e-9) {
                    axis.add(place, number(mantissa, decade));
                }
            }
        }
        return axis;
    }

    /** As one writes it: 0.05, 20, 1,500, 2M. */
    private static String number(final double mantissa, final int decade) {
        if (decade >= 6) {
            return trimmed(mantissa * Math.pow(10, decade % 3), 1) + suffix(decade / 3);
        }
        return decade >= 1
                ? String.format(Locale.ROOT, "%,.0f", mantissa * Math.pow(10, decade))
                : trimmed(mantissa * Math.pow(10, decade), 1 - decade);
    }

    private static String suffix(final int thousands) {
        return switch (thousands) {
            case 2 -> "M";
            case 3 -> "G";
            default -> "e" + 3 * thousands;
        };
    }

    private static String trimmed(final double value, final int decimals) {
        final String text = String.format(Locale.ROOT, "%." + Math.max(0, decimals) + "f", value);
        return text.contains(".") ? text.replaceFirst("\\.?0+$", "") : text;
    }

    private void add(final double place, final String label) {
        places.add(new NumberTick(place, label, TextAnchor.CENTER, TextAnchor.CENTER, 0));
    }

    /** Which part of a label touches its tick. */
    private static TextAnchor anchor(final RectangleEdge edge) {
        if (RectangleEdge.isTopOrBottom(edge)) {
            return TextAnchor.TOP_CENTER;
        }
        return edge == RectangleEdge.LEFT ? TextAnchor.CENTER_RIGHT : TextAnchor.CENTER_LEFT;
    }

    @Override
    public List<NumberTick> refreshTicks(
            final Graphics2D graphics, final AxisState state, final Rectangle2D area, final RectangleEdge edge) {
        final TextAnchor anchor = anchor(edge);
        final List<NumberTick> ticks = new ArrayList<>();
        for (final NumberTick place : places) {
            if (getRange().contains(place.getValue())) {
                ticks.add(new NumberTick(
                        place.getValue(), isTickLabelsVisible() ? place.getText() : "", anchor, anchor, 0));
            }
        }
        return ticks;
    }
}
