package io.tiercel.tools.journal;

import io.tiercel.replay.JoinedJournal;

/** How one sequence of a journal is written. Appends whole lines, ended by a line feed on every platform. */
interface RowFormat {

    /** What stands above the rows; may be nothing. */
    void appendHeader(StringBuilder text);

    /** The sequence at which the journal stands. */
    void appendRow(StringBuilder text, JoinedJournal journal);
}
