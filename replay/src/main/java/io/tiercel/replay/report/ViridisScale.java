package io.tiercel.replay.report;

import java.awt.Color;
import java.awt.Paint;
import java.io.Serializable;
import org.jfree.chart.renderer.PaintScale;

/**
 * From dark blue over green to yellow, ever lighter: Smith and van der Walt's viridis, which keeps its order in grey
 * and for the colour-blind. Its darkest part is left out, which would not be seen on a dark page, and single requests
 * are what a heat map of latency is looked at for.
 */
final class ViridisScale implements PaintScale, Serializable {

    private static final long serialVersionUID = 1L;

    private static final int[] STOPS = {
        0x3b528b, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725
    };

    private final double highest;

    /** @param highest above 0; the scale begins at 0. */
    ViridisScale(final double highest) {
        this.highest = highest;
    }

    @Override
    public double getLowerBound() {
        return 0;
    }

    @Override
    public double getUpperBound() {
        return highest;
    }

    @Override
    public Paint getPaint(final double value) {
        final double place = Math.max(0, Math.min(1, value / highest)) * (STOPS.length - 1);
        final int stop = Math.min(STOPS.length - 2, (int) place);
        final double share = place - stop;
        return new Color(
                channel(stop, share, 16), channel(stop, share, 8), channel(stop, share, 0));
    }

    private static int channel(final int stop, final double share, final int shift) {
        final int from = STOPS[stop] >> shift & 0xff;
        final int to = STOPS[stop + 1] >> shift & 0xff;
        return (int) Math.round(from + share * (to - from));
    }
}
