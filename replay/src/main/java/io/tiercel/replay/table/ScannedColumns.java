package io.tiercel.replay.table;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which columns of which tables a statement reads, out of DuckDB's plan of it. A scan that says nothing reads all. */
final class ScannedColumns {

    private ScannedColumns() {
    }

    static Map<JournalTable, Set<String>> of(final JsonNode plan) {
        final Map<JournalTable, Set<String>> columns = new EnumMap<>(JournalTable.class);
        gather(plan, columns);
        return columns;
    }

    private static void gather(final JsonNode node, final Map<JournalTable, Set<String>> columns) {
        if (node.isArray()) {
            node.forEach(each -> gather(each, columns));
            return;
        }
        final JsonNode information = node.path("extra_info");
        for (final JournalTable table : JournalTable.stored()) {
            if (information.path("Table").asText().endsWith("." + table.tableName())) {
                columns.computeIfAbsent(table, any -> new LinkedHashSet<>())
                        .addAll(read(information.path("Projections"), table));
            }
        }
        gather(node.path("children"), columns);
    }

    private static List<String> read(final JsonNode projections, final JournalTable table) {
        final List<String> all = table.columns().stream().map(Column::name).toList();
        final List<String> named = new ArrayList<>();
        if (projections.isArray()) {
            projections.forEach(each -> named.add(each.asText()));
        } else if (!projections.asText().isEmpty()) {
            named.add(projections.asText());
        }
        return projections.isMissingNode() || !all.containsAll(named) ? all : named;
    }
}
