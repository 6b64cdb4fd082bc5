package io.tiercel.tools.replay;

import io.tiercel.tools.journal.RowSink;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;

/** How the rows of an answer are written: one after another, so that the first is there before the last is known. */
interface ResultFormat {

    /** Writes all rows, or as many as somebody reads. */
    void write(ResultSet rows, RowSink sink) throws SQLException, IOException;
}
