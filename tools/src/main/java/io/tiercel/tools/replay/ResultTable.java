package io.tiercel.tools.replay;

import io.tiercel.tools.journal.RowSink;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * A table for people: columns as wide as the longest value among the first rows, numbers to the right. A value that is
 * longer later on pushes its own row; one that is longer than a column may be is cut.
 */
final class ResultTable implements ResultFormat {

    private static final int MEASURED_ROWS = 1000;
    private static final int MAX_WIDTH = 64;
    private static final String NULL = "-";

    @Override
    public void write(final ResultSet rows, final RowSink sink) throws SQLException, IOException {
        final ResultSetMetaData meta = rows.getMetaData();
        final List<String[]> measured = new ArrayList<>();
        measured.add(header(meta));
        while (measured.size() <= MEASURED_ROWS && rows.next()) {
            measured.add(row(rows, meta.getColumnCount()));
        }
        final int[] widths = widths(measured, meta);
        for (final String[] each : measured) {
            append(sink.text(), each, widths);
        }
        while (measured.size() > MEASURED_ROWS && sink.rowEnded() && rows.next()) {
            append(sink.text(), row(rows, meta.getColumnCount()), widths);
        }
    }

    private static String[] header(final ResultSetMetaData meta) throws SQLException {
        final String[] header = new String[meta.getColumnCount()];
        for (int i = 0; i < header.length; i++) {
            header[i] = shortened(meta.getColumnLabel(i + 1));
        }
        return header;
    }

    private static String[] row(final ResultSet rows, final int columnCount) throws SQLException {
        final String[] row = new String[columnCount];
        for (int i = 0; i < columnCount; i++) {
            row[i] = shortened(rows.getString(i + 1));
        }
        return row;
    }

    /** Below 0: numbers, to the right. */
    private static int[] widths(final List<String[]> rows, final ResultSetMetaData meta) throws SQLException {
        final int[] widths = new int[meta.getColumnCount()];
        for (int i = 0; i < widths.length; i++) {
            for (final String[] row : rows) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
            widths[i] = isNumber(meta.getColumnTypeName(i + 1)) ? -widths[i] : widths[i];
        }
        return widths;
    }

    /** By DuckDB's name: JDBC has no type for its larger ones. */
    private static boolean isNumber(final String type) {
        return type.endsWith("INT") || type.endsWith("INTEGER") || type.equals("FLOAT") || type.equals("DOUBLE")
                || type.startsWith("DECIMAL");
    }

    private static String shortened(final String value) {
        final String text = value == null ? NULL : value.replace('\n', ' ');
        return text.length() <= MAX_WIDTH ? text : text.substring(0, MAX_WIDTH - 1) + "…";
    }

    private static void append(final StringBuilder text, final String[] row, final int[] widths) {
        final int start = text.length();
        for (int i = 0; i < row.length; i++) {
            final String padding = " ".repeat(Math.max(0, Math.abs(widths[i]) - row[i].length()));
            text.append(i == 0 ? "" : "  ");
            text.append(widths[i] < 0 ? padding + row[i] : row[i] + padding);
        }
        int end = text.length();
        while (end > start && text.charAt(end - 1) == ' ') {
            end--;
        }
        text.setLength(end);
        text.append('\n');
    }
}
