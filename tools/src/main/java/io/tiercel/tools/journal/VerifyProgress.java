package io.tiercel.tools.journal;

import io.tiercel.replay.ReplayProgress;
import java.io.PrintWriter;
import java.util.Locale;
import org.agrona.concurrent.NanoClock;

/** Draws how far a replay is on a terminal, at most ten times a second. */
public final class VerifyProgress implements ReplayProgress {

    private static final long INTERVAL_NS = 100_000_000L;
    private static final long FORECAST_AFTER_NS = 1_000_000_000L;
    private static final int WIDTH = 30;
    private static final String CLEAR_TO_END = "\u001b[K";

    private final PrintWriter out;
    private final NanoClock nanoClock;
    private final long startNs;
    private long lastDrawnNs;
    private boolean isLineOpen;

    public VerifyProgress(final PrintWriter out, final NanoClock nanoClock) {
        this.out = out;
        this.nanoClock = nanoClock;
        this.startNs = nanoClock.nanoTime();
        this.lastDrawnNs = startNs;
    }

    @Override
    public void onProgress(final long doneCount, final long totalCount) {
        final long nowNs = nanoClock.nanoTime();
        if (nowNs - lastDrawnNs >= INTERVAL_NS) {
            lastDrawnNs = nowNs;
            out.print("\r" + line(doneCount, totalCount, nowNs - startNs) + CLEAR_TO_END);
            out.flush();
            isLineOpen = true;
        }
    }

    /** Removes the line, so that what follows starts on a clean one. */
    public void clear() {
        if (isLineOpen) {
            out.print("\r" + CLEAR_TO_END);
            out.flush();
            isLineOpen = false;
        }
    }

    static String line(final long doneCount, final long totalCount, final long elapsedNs) {
        final double perSecond = elapsedNs <= 0 ? 0 : doneCount * 1e9 / elapsedNs;
        final StringBuilder line = new StringBuilder("replay ");
        if (totalCount > 0) {
            final long shown = Math.min(doneCount, totalCount);
            final int filled = (int) (WIDTH * shown / totalCount);
            line.append('[').append("=".repeat(filled)).append(" ".repeat(WIDTH - filled)).append("] ");
            line.append(100 * shown / totalCount).append("%  ");
        }
        line.append(String.format(Locale.ROOT, "%,d", doneCount));
        if (totalCount > 0) {
            line.append(String.format(Locale.ROOT, " of %,d", totalCount));
        }
        line.append(String.format(Locale.ROOT, ", %,.0f/s", perSecond));
        if (totalCount > doneCount && perSecond > 0 && elapsedNs >= FORECAST_AFTER_NS) {
            line.append(String.format(Locale.ROOT, ", %.0f s left", (totalCount - doneCount) / perSecond));
        }
        return line.toString();
    }
}
