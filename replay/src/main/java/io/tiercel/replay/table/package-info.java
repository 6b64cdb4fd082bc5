/**
 * A journal as tables, for SQL and for other programs. {@link io.tiercel.replay.table.JournalTable} says what the
 * columns are; {@code JournalRows} reads records into them, a batch at a time, in the memory layout of Apache Arrow;
 * {@link io.tiercel.replay.table.JournalDatabase} hands the batches to DuckDB, which answers questions and writes
 * files. Nothing here writes into a journal, and nothing outside of this package knows DuckDB or Arrow.
 */
package io.tiercel.replay.table;
