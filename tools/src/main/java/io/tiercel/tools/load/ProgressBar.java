package io.tiercel.tools.load;

import java.io.PrintStream;

/**
 * How far a run is, with the percentiles so far. On a terminal one line is drawn again and again; elsewhere (a pipe, a
 * log) every tenth drawing is a line of its own.
 *
 * <p>Drawn by {@link LiveReport}'s thread, never by the measuring one. Builds its line by hand, without a formatter,
 * because on a small machine that thread runs on a measured core.
 */
public final class ProgressBar {

    private static final int WIDTH = 30;
    private static final int DRAWS_PER_PLAIN_LINE = 10;
    private static final String CLEAR_TO_END = "\u001b[K";

    private final PrintStream out;
    private final boolean isInteractive;
    private final String label;
    private final long total;
    private final StringBuilder line = new StringBuilder(160);
    private int draws;
    private boolean isLineOpen;

    /**
     * @param total what {@code done} counts up to; 0 if it is not known.
     */
    public ProgressBar(final PrintStream out, final boolean isInteractive, final String label, final long total) {
        this.out = out;
        this.isInteractive = isInteractive;
        this.label = label;
        this.total = total;
    }

    /** Draws the state of the run; latencies in nanoseconds. */
    public void draw(final long done, final long p50Ns, final long p99Ns) {
        draws++;
        if (isInteractive) {
            out.print(compose("\r", done, p50Ns, p99Ns).append(CLEAR_TO_END));
            out.flush();
            isLineOpen = true;
        } else if (draws % DRAWS_PER_PLAIN_LINE == 0) {
            out.println(compose("", done, p50Ns, p99Ns));
        }
    }

    /** Removes the line from a terminal, so that what follows starts on a clean one. */
    public void clear() {
        if (isLineOpen) {
            out.print("\r" + CLEAR_TO_END);
            out.flush();
            isLineOpen = false;
        }
    }

    private StringBuilder compose(final String prefix, final long done, final long p50Ns, final long p99Ns) {
        line.setLength(0);
        line.append(prefix).append(label).append(' ');
        if (total > 0) {
            final long shown = Math.min(done, total);
            final int filled = (int) (WIDTH * shown / total);
            line.append('[');
            for (int i = 0; i < WIDTH; i++) {
                line.append(i < filled ? '=' : ' ');
            }
            line.append("] ").append(100 * shown / total).append("% ");
        }
        line.append(done).append(" answered, p50 ");
        appendUs(p50Ns);
        line.append(" µs, p99 ");
        appendUs(p99Ns);
        return line.append(" µs");
    }

    private void appendUs(final long valueNs) {
        final long hundredths = (valueNs + 5) / 10;
        line.append(hundredths / 100).append('.');
        final long fraction = hundredths % 100;
        line.append((char) ('0' + fraction / 10)).append((char) ('0' + fraction % 10));
    }
}
