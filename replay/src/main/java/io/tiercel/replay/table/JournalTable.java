package io.tiercel.replay.table;

import io.tiercel.replay.JoinedJournal;
import java.util.List;
import java.util.Locale;

/** The tables that a journal is. What stands in their columns is written down in the module's README. */
public enum JournalTable {
    /** A row for each request. */
    REQUESTS,
    /** A row for each outcome. */
    OUTCOMES,
    /** A row for each stage of each outcome; made of {@link #OUTCOMES}, not read. */
    STAGES;

    /**
     * As telemetry has them: {@code journal} and {@code queue} begin at arrival and overlap, {@code egress} begins when
     * both the record is journaled and the answer computed. An answer that was journaled before it left has no time of
     * leaving.
     */
    private static final String STAGES_QUERY = """
            SELECT sequence, ingress_time, session_key, model_version, stage, ns FROM (
              SELECT sequence, ingress_time, session_key, model_version,
                unnest(['journal', 'queue', 'infer', 'egress', 'total']) AS stage,
                unnest([journaled_ns, infer_start_ns, infer_end_ns - infer_start_ns,
                  egress_ns - greatest(journaled_ns, infer_end_ns), egress_ns]) AS ns
              FROM %s)
            WHERE ns IS NOT NULL""";

    /** In SQL, and of an exported file. */
    public String tableName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The tables that are read from the journal. */
    static List<JournalTable> stored() {
        return List.of(REQUESTS, OUTCOMES);
    }

    List<Column> columns() {
        return switch (this) {
            case REQUESTS -> RequestColumns.ALL;
            case OUTCOMES -> OutcomeColumns.ALL;
            default -> throw new IllegalStateException(tableName() + " is not read from the journal");
        };
    }

    /** Where its rows come from: itself, if it is read from the journal. */
    JournalTable source() {
        return this == STAGES ? OUTCOMES : this;
    }

    /** What of it {@link #query} reads. */
    List<Column> sourceColumns() {
        return source().columns().stream().filter(column -> this != STAGES || !column.isOfModel()).toList();
    }

    /** All of its rows, out of all rows of {@link #source}, which goes by this name. */
    String query(final String sourceName) {
        return this == STAGES ? String.format(STAGES_QUERY, sourceName) : "SELECT * FROM " + sourceName;
    }

    JoinedJournal.Queues queues() {
        return this == REQUESTS ? JoinedJournal.Queues.REQUESTS : JoinedJournal.Queues.OUTCOMES;
    }
}
