package io.tiercel.tools.replay;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.tools.journal.RowSink;
import java.io.IOException;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One JSON object a line (NDJSON). Numbers, booleans, texts and lists are JSON's own; what JSON has no word for (a
 * time, a number that is not finite, a structure) is the text that DuckDB has for it.
 */
final class ResultJson implements ResultFormat {

    private final ObjectMapper mapper = new ObjectMapper();

    @Override
    public void write(final ResultSet rows, final RowSink sink) throws SQLException, IOException {
        final ResultSetMetaData meta = rows.getMetaData();
        final Map<String, Object> line = new LinkedHashMap<>();
        while (sink.rowEnded() && rows.next()) {
            for (int column = 1; column <= meta.getColumnCount(); column++) {
                line.put(meta.getColumnLabel(column), value(rows.getObject(column), rows, column));
            }
            sink.text().append(mapper.writeValueAsString(line)).append('\n');
        }
    }

    private static Object value(final Object value, final ResultSet rows, final int column) throws SQLException {
        return value == null || isPlain(value) ? value
                : value instanceof Array array ? list(array)
                : rows.getString(column);
    }

    private static List<Object> list(final Array array) throws SQLException {
        final List<Object> list = new ArrayList<>();
        for (final Object item : (Object[]) array.getArray()) {
            list.add(item == null || isPlain(item) ? item
                    : item instanceof Array inner ? list(inner)
                    : item.toString());
        }
        return list;
    }

    private static boolean isPlain(final Object value) {
        return value instanceof Boolean || value instanceof String
                || value instanceof Number number && Double.isFinite(number.doubleValue());
    }
}
