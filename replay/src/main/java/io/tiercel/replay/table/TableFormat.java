package io.tiercel.replay.table;

/** What a table can be written as. */
public enum TableFormat {
    /** Apache Parquet, zstd. */
    PARQUET("parquet"),
    /** A header line, then a row a line; a list is one field, as DuckDB writes lists: {@code [1.0, 2.0]}. */
    CSV("csv"),
    /** An Arrow IPC file, which is what Feather (version 2) is too; not compressed. */
    ARROW("arrow");

    private final String extension;

    TableFormat(final String extension) {
        this.extension = extension;
    }

    /** Of a file's name, without the dot. */
    public String extension() {
        return extension;
    }
}
