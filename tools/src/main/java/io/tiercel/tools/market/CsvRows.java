package io.tiercel.tools.market;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * Rows of plain comma-separated numbers, as the tapes have them: no quotes, no blanks, no exponent, no NaN. Reads a
 * line into one fixed buffer and parses fields on demand; a line that is too long, a missing field or a character
 * that does not belong is a {@link TapeException} naming file, line and text.
 */
final class CsvRows implements AutoCloseable {

    private static final int MAX_LINE_BYTES = 64 * 1024;
    private static final int MAX_FIELDS = 4096;
    private static final int MAX_DIGITS = 18;

    private final String name;
    private final InputStream input;
    private final byte[] chunk = new byte[64 * 1024];
    private final byte[] line = new byte[MAX_LINE_BYTES];
    private final int[] fieldEnds = new int[MAX_FIELDS];
    private int chunkLength;
    private int chunkOffset;
    private int lineLength;
    private int fieldCount;
    private int lineNumber;

    CsvRows(final String name, final InputStream input) {
        this.name = name;
        this.input = input;
    }

    /** Reads the next line and finds its fields; false at the end of the file. */
    boolean next() {
        if (!readLine()) {
            return false;
        }
        fieldCount = 0;
        for (int i = 0; i <= lineLength; i++) {
            if (i == lineLength || line[i] == ',') {
                if (fieldCount == MAX_FIELDS) {
                    throw error("more than " + MAX_FIELDS + " fields");
                }
                fieldEnds[fieldCount++] = i;
            }
        }
        return true;
    }

    void expectFields(final int expected) {
        if (fieldCount != expected) {
            throw error("fields=" + fieldCount + ", expected " + expected);
        }
    }

    String text() {
        return new String(line, 0, lineLength, StandardCharsets.ISO_8859_1);
    }

    /** A signed integer of at most 18 digits. */
    long integer(final int field, final String fieldName) {
        return scaled(field, fieldName, 0);
    }

    /** A signed decimal as an integer number of 10^-scale; a digit beyond the scale is refused. */
    long scaled(final int field, final String fieldName, final int scale) {
        final int end = fieldEnds[field];
        int i = start(field);
        final boolean negative = i < end && line[i] == '-';
        if (negative) {
            i++;
        }
        long value = 0;
        int digits = 0;
        int fraction = -1;
        for (; i < end; i++) {
            final byte c = line[i];
            if (c == '.' && fraction < 0 && digits > 0 && scale > 0) {
                fraction = 0;
                continue;
            }
            if (c < '0' || c > '9' || ++digits > MAX_DIGITS || fraction >= scale) {
                throw bad(field, fieldName);
            }
            value = value * 10 + (c - '0');
            fraction = fraction < 0 ? fraction : fraction + 1;
        }
        if (digits == 0 || fraction == 0) {
            throw bad(field, fieldName);
        }
        for (int k = Math.max(fraction, 0); k < scale; k++) {
            if (value > Long.MAX_VALUE / 10) {
                throw bad(field, fieldName);
            }
            value *= 10;
        }
        return negative ? -value : value;
    }

    /** An unsigned decimal, correctly rounded. */
    double real(final int field, final String fieldName) {
        final int start = start(field);
        final int end = fieldEnds[field];
        int points = 0;
        for (int i = start; i < end; i++) {
            final byte c = line[i];
            if (c == '.' && points++ == 0 && i > start && i < end - 1) {
                continue;
            }
            if (c < '0' || c > '9') {
                throw bad(field, fieldName);
            }
        }
        if (start == end) {
            throw bad(field, fieldName);
        }
        return Double.parseDouble(field(field));
    }

    TapeException bad(final int field, final String fieldName) {
        return error(fieldName + "=" + field(field));
    }

    TapeException error(final String what) {
        return new TapeException(name + ":" + lineNumber + ": " + what);
    }

    @Override
    public void close() {
        try {
            input.close();
        } catch (final IOException ex) {
            throw new TapeException(name + ": " + ex.getMessage(), ex);
        }
    }

    private String field(final int field) {
        final int start = start(field);
        return new String(line, start, Math.min(fieldEnds[field] - start, 64), StandardCharsets.ISO_8859_1);
    }

    private int start(final int field) {
        return field == 0 ? 0 : fieldEnds[field - 1] + 1;
    }

    private boolean readLine() {
        lineLength = 0;
        lineNumber++;
        boolean any = false;
        while (chunkOffset < chunkLength || fill()) {
            any = true;
            final byte c = chunk[chunkOffset++];
            if (c == '\n') {
                break;
            }
            if (lineLength == MAX_LINE_BYTES) {
                throw error("line longer than " + MAX_LINE_BYTES + " bytes");
            }
            line[lineLength++] = c;
        }
        if (lineLength > 0 && line[lineLength - 1] == '\r') {
            lineLength--;
        }
        return any;
    }

    private boolean fill() {
        try {
            chunkLength = Math.max(0, input.read(chunk));
            chunkOffset = 0;
            return chunkLength > 0;
        } catch (final IOException ex) {
            throw new TapeException(name + ":" + lineNumber + ": " + ex.getMessage(), ex);
        }
    }
}
