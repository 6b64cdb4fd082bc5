package io.tiercel.tools.journal;

import io.tiercel.appliance.snapshot.SnapshotException;
import io.tiercel.appliance.snapshot.SnapshotReader;
import io.tiercel.appliance.snapshot.SnapshotStore;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.TextTable;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel snapshot list}: the snapshots of a journal, and which of them can be read. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description = "Lists a journal's snapshots, the newest first, and checks each file by itself.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every snapshot can be read; there may be none",
            "1:one is damaged",
            "2:bad arguments",
            "3:the machine or a file failed"
        })
public final class SnapshotListCommand implements Callable<Integer> {

    @Mixin
    private JournalArguments journal;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the list as JSON as well.")
    private Path json;

    @Spec
    private CommandSpec spec;

    /** @param damage null if it can be read; else why not. */
    private record Row(long sequence, int sessionCount, List<String> models, long bytes, Instant taken, String damage) {

        Map<String, Object> toJson() {
            final Map<String, Object> content = new LinkedHashMap<>();
            content.put("sequence", sequence);
            content.put("sessions", sessionCount);
            content.put("models", models);
            content.put("bytes", bytes);
            content.put("taken", taken.toString());
            content.put("ok", damage == null);
            content.put("damage", damage);
            return content;
        }
    }

    @Override
    public Integer call() {
        final Path directory = journal.directory();
        Json.checkWritable("--json", json);
        final SnapshotStore store = new SnapshotStore(directory);
        final List<Row> rows = new ArrayList<>();
        for (final SnapshotStore.Entry entry : store.list()) {
            rows.add(row(store, entry));
        }
        print(rows, spec.commandLine().getOut());
        if (json != null) {
            final Map<String, Object> content = new LinkedHashMap<>();
            content.put("journal", directory.toString());
            content.put("snapshots", rows.stream().map(Row::toJson).toList());
            Json.write(json, content);
        }
        return rows.stream().allMatch(row -> row.damage() == null) ? ExitCode.OK : ExitCode.CHECK_FAILED;
    }

    private static Row row(final SnapshotStore store, final SnapshotStore.Entry entry) {
        try (SnapshotReader snapshot = store.open(entry)) {
            return new Row(entry.sequence(), snapshot.sessionCount(),
                    snapshot.models().stream().map(SnapshotReader.ModelEntry::alias).toList(),
                    bytes(entry.file()), taken(entry.file()), null);
        } catch (final SnapshotException ex) {
            return new Row(entry.sequence(), 0, List.of(), bytes(entry.file()), taken(entry.file()), ex.getMessage());
        }
    }

    private static void print(final List<Row> rows, final PrintWriter out) {
        if (rows.isEmpty()) {
            out.println("no snapshots");
        } else {
            final TextTable table = TextTable.left("sequence", "sessions", "models", "bytes", "taken", "state");
            for (final Row row : rows) {
                final boolean isGood = row.damage() == null;
                table.row(Long.toString(row.sequence()), isGood ? Integer.toString(row.sessionCount()) : "-",
                        isGood ? String.join(",", row.models()) : "-", Long.toString(row.bytes()),
                        row.taken().toString(), isGood ? "ok" : "damaged: " + row.damage());
            }
            out.print(table);
        }
        out.flush();
    }

    private static long bytes(final Path file) {
        try {
            return Files.size(file);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot read " + file + ": " + ex, ex);
        }
    }

    private static Instant taken(final Path file) {
        try {
            return Files.getLastModifiedTime(file).toInstant().truncatedTo(ChronoUnit.SECONDS);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot read " + file + ": " + ex, ex);
        }
    }
}
