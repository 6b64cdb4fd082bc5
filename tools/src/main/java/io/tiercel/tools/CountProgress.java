package io.tiercel.tools;

import java.io.PrintWriter;
import java.util.Locale;
import org.agrona.concurrent.NanoClock;

/**
 * How far something is that counts up. On a terminal a bar that is drawn again, at most ten times a second; elsewhere
 * (a pipe, a log) a line every five seconds. What is done within a second says nothing. One thread.
 */
public final class CountProgress {

    private static final long QUIET_NS = 1_000_000_000L;
    private static final long DRAW_INTERVAL_NS = 100_000_000L;
    private static final long LINE_INTERVAL_NS = 5_000_000_000L;
    private static final int WIDTH = 30;

    private final String label;
    private final PrintWriter out;
    private final boolean isInteractive;
    private final StatusLine status;
    private final NanoClock clock;
    private final long startNs;
    private long nextNs;

    public CountProgress(
            final String label, final PrintWriter out, final boolean isInteractive, final NanoClock clock) {
        this.label = label;
        this.out = out;
        this.isInteractive = isInteractive;
        this.status = new StatusLine(out, isInteractive);
        this.clock = clock;
        this.startNs = clock.nanoTime();
        this.nextNs = startNs + (isInteractive ? QUIET_NS : LINE_INTERVAL_NS);
    }

    /** @param totalCount 0 if it is not known. */
    public void show(final long doneCount, final long totalCount) {
        final long nowNs = clock.nanoTime();
        if (nowNs - nextNs < 0) {
            return;
        }
        final String line = line(label, doneCount, totalCount, nowNs - startNs);
        if (isInteractive) {
            nextNs = nowNs + DRAW_INTERVAL_NS;
            status.show(line);
        } else {
            nextNs = nowNs + LINE_INTERVAL_NS;
            out.println(line);
            out.flush();
        }
    }

    /** Removes the bar, so that what follows starts on a clean line. */
    public void clear() {
        status.clear();
    }

    static String line(final String label, final long doneCount, final long totalCount, final long elapsedNs) {
        final double perSecond = elapsedNs <= 0 ? 0 : doneCount * 1e9 / elapsedNs;
        final StringBuilder line = new StringBuilder(label).append(' ');
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
        if (totalCount > doneCount && perSecond > 0) {
            line.append(String.format(Locale.ROOT, ", %.0f s left", (totalCount - doneCount) / perSecond));
        }
        return line.toString();
    }
}
