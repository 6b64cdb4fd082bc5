package io.tiercel.tools.journal;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Takes rows to an output in large pieces. A reader that has seen enough ({@code | head}) closes its end of the pipe:
 * that is no failure, it is the end.
 */
public final class RowSink {

    private static final int PIECE_CHARS = 1 << 15;

    private final OutputStream out;
    private final StringBuilder text = new StringBuilder(PIECE_CHARS + 4096);
    private boolean isClosed;

    public RowSink(final OutputStream out) {
        this.out = out;
    }

    /** Where to append the next row. */
    public StringBuilder text() {
        return text;
    }

    /** Writes what has been gathered if it is enough; false once nobody reads any more. */
    public boolean rowEnded() throws IOException {
        return text.length() < PIECE_CHARS ? !isClosed : flush();
    }

    /** Writes what has been gathered; false once nobody reads any more. */
    public boolean flush() throws IOException {
        if (!isClosed && !text.isEmpty()) {
            try {
                out.write(text.toString().getBytes(StandardCharsets.UTF_8));
                out.flush();
            } catch (final IOException ex) {
                if (!isBrokenPipe(ex)) {
                    throw ex;
                }
                isClosed = true;
            }
        }
        text.setLength(0);
        return !isClosed;
    }

    private static boolean isBrokenPipe(final IOException ex) {
        return ex.getMessage() != null && ex.getMessage().contains("Broken pipe");
    }
}
