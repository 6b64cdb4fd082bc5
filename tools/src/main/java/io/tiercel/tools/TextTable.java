package io.tiercel.tools;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows of text in aligned columns: the first column to the left, the others as {@link #left} says, or to the right. */
public final class TextTable {

    private static final String GAP = "  ";

    private final boolean[] left;
    private final List<String[]> rows = new ArrayList<>();

    private TextTable(final boolean[] left) {
        this.left = left;
    }

    /** A table of numbers: all columns but the first are aligned to the right. */
    public static TextTable ofNumbers(final String... header) {
        return ofNumbersAfter(1, header);
    }

    /** A table of words: all columns are aligned to the left. */
    public static TextTable left(final String... header) {
        final boolean[] left = new boolean[header.length];
        Arrays.fill(left, true);
        return new TextTable(left).row(header);
    }

    /** A table of numbers behind a few words: the first columns are aligned to the left, the others to the right. */
    public static TextTable ofNumbersAfter(final int wordColumns, final String... header) {
        final boolean[] left = new boolean[header.length];
        Arrays.fill(left, 0, wordColumns, true);
        return new TextTable(left).row(header);
    }

    /** A table of numbers between words: the first column and all of the last ones are aligned to the left. */
    public static TextTable ofNumbersBetween(final String[] header, final String... wordHeader) {
        final String[] whole = Arrays.copyOf(header, header.length + wordHeader.length);
        System.arraycopy(wordHeader, 0, whole, header.length, wordHeader.length);
        final boolean[] left = new boolean[whole.length];
        left[0] = true;
        Arrays.fill(left, header.length, left.length, true);
        return new TextTable(left).row(whole);
    }

    public TextTable row(final String... cells) {
        if (cells.length != left.length) {
            throw new IllegalArgumentException("cells=" + cells.length + " but columns=" + left.length);
        }
        rows.add(cells.clone());
        return this;
    }

    @Override
    public String toString() {
        final int[] widths = new int[left.length];
        for (final String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        final StringBuilder text = new StringBuilder();
        for (final String[] row : rows) {
            appendRow(text, row, widths);
        }
        return text.toString();
    }

    private void appendRow(final StringBuilder text, final String[] row, final int[] widths) {
        final int start = text.length();
        for (int i = 0; i < row.length; i++) {
            final String padding = " ".repeat(widths[i] - row[i].length());
            text.append(i == 0 ? "" : GAP).append(left[i] ? row[i] + padding : padding + row[i]);
        }
        int end = text.length();
        while (end > start && text.charAt(end - 1) == ' ') {
            end--;
        }
        text.setLength(end);
        text.append('\n');
    }
}
