package io.tiercel.tools;

import java.io.PrintWriter;

/** What a long run is doing, on a line that is drawn again and again; nothing where there is no terminal. */
public final class StatusLine {

    private static final String CLEAR_TO_END = "\u001b[K";

    private final PrintWriter out;
    private final boolean isInteractive;
    private boolean isLineOpen;

    public StatusLine(final PrintWriter out, final boolean isInteractive) {
        this.out = out;
        this.isInteractive = isInteractive;
    }

    public void show(final String text) {
        if (isInteractive) {
            out.print("\r" + text + CLEAR_TO_END);
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
}
