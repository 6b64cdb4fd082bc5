package io.tiercel.tools.replay;

import io.tiercel.tools.journal.RowSink;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Comma-separated values with a header line. What has a comma, a quote or an end of line in it is quoted (RFC 4180);
 * NULL is an empty field, an empty text a quoted one.
 */
final class ResultCsv implements ResultFormat {

    @Override
    public void write(final ResultSet rows, final RowSink sink) throws SQLException, IOException {
        final int columnCount = rows.getMetaData().getColumnCount();
        for (int column = 1; column <= columnCount; column++) {
            append(sink.text(), column, rows.getMetaData().getColumnLabel(column));
        }
        sink.text().append('\n');
        while (sink.rowEnded() && rows.next()) {
            for (int column = 1; column <= columnCount; column++) {
                append(sink.text(), column, rows.getString(column));
            }
            sink.text().append('\n');
        }
    }

    private static void append(final StringBuilder text, final int column, final String value) {
        text.append(column == 1 ? "" : ",");
        if (value != null) {
            final boolean isPlain = !value.isEmpty() && value.chars().noneMatch(
                    each -> each == ',' || each == '"' || each == '\n' || each == '\r');
            text.append(isPlain ? value : '"' + value.replace("\"", "\"\"") + '"');
        }
    }
}
