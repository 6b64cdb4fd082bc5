package io.tiercel.replay.table;

import io.tiercel.replay.DamageException;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.ModelCells;
import io.tiercel.replay.ReplayProgress;
import java.util.List;
import org.agrona.CloseHelper;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * One queue of a journal as batches of rows. Ends at the first damage as it would at the journal's end, so that what is
 * before it is in the table, and keeps the damage for whoever asks. One thread at a time, which may be DuckDB's.
 */
final class JournalRows extends ArrowReader {

    /** Four of DuckDB's vectors: many rows share what a batch costs by itself, and it stays in a core's cache. */
    private static final int BATCH_ROWS = 8192;

    private final JoinedJournal journal;
    private final RecordRow row;
    private final List<Column> columns;
    private final boolean needModels;
    private final long toSequence;
    private final ReplayProgress progress;
    private boolean isAtEnd;
    private boolean isClosed;
    private long rowCount;
    private long lastSequence = -1;
    private RuntimeException failure;

    JournalRows(
            final BufferAllocator allocator,
            final JoinedJournal.Queues queue,
            final ModelCells models,
            final List<Column> columns,
            final TableOptions options,
            final long toSequence) {
        super(allocator);
        this.columns = columns;
        needModels = columns.stream().anyMatch(Column::isOfModel);
        this.toSequence = toSequence;
        progress = options.progress();
        journal = open(options, queue);
        row = new RecordRow(journal, models);
    }

    /** Null where the very beginning is damaged. */
    private JoinedJournal open(final TableOptions options, final JoinedJournal.Queues queue) {
        JoinedJournal opened = null;
        try {
            opened = JoinedJournal.open(options.journalDirectory(), queue);
            isAtEnd = options.fromSequence() > opened.firstSequence() && !opened.seek(options.fromSequence());
        } catch (final DamageException ex) {
            failure = ex;
            isAtEnd = true;
        }
        return opened;
    }

    @Override
    protected Schema readSchema() {
        return new Schema(columns.stream().map(Column::field).toList());
    }

    @Override
    public boolean loadNextBatch() {
        try {
            prepareLoadNextBatch();
            final int count = isAtEnd ? 0 : fill(getVectorSchemaRoot());
            if (progress != null) {
                progress.onProgress(rowCount, 0);
            }
            return count > 0;
        } catch (final Exception ex) { // what crosses over to DuckDB loses its type: it is kept here
            failure = ex instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(ex);
            isAtEnd = true;
            return false;
        }
    }

    private int fill(final VectorSchemaRoot batch) {
        batch.allocateNew();
        int count = 0;
        try {
            while (count < BATCH_ROWS && next()) {
                if (needModels) {
                    row.cells(); // before anything of the row is written: it may be what ends the table
                }
                for (int i = 0; i < columns.size(); i++) {
                    columns.get(i).filler().fill(row, batch.getVector(i), count);
                }
                lastSequence = journal.sequence();
                count++;
            }
        } catch (final DamageException ex) {
            failure = ex;
            isAtEnd = true;
        }
        batch.setRowCount(count);
        rowCount += count;
        return count;
    }

    private boolean next() {
        isAtEnd = !journal.next() || journal.sequence() > toSequence;
        return !isAtEnd;
    }

    /** Rows so far. */
    long rowCount() {
        return rowCount;
    }

    /** Of the last row so far; -1 before the first. */
    long lastSequence() {
        return lastSequence;
    }

    /** What ended it before its time: damage, or a defect; null if nothing has. */
    RuntimeException failure() {
        return failure;
    }

    @Override
    public long bytesRead() {
        return 0;
    }

    @Override
    protected void closeReadSource() {
        if (!isClosed) {
            isClosed = true;
            CloseHelper.close(journal);
        }
    }
}
