package io.tiercel.tools.model;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.tools.ModelInputException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tiercel model run}: rows in, outputs out. */
@Command(
        name = "run",
        sortOptions = false,
        header = "Run a bundle over a file of rows and write its outputs.",
        description = "One line of outputs for each row. Without a session column all rows are one session; with one, "
                +
                "each session has its own state. Numbers are written so that reading them back gives the same bits.")
final class RunCommand extends ModelSubcommand {

    @Parameters(paramLabel = "BUNDLE", description = "The bundle, a .safetensors file.")
    private Path path;

    @Option(names = {"-i", "--input"}, required = true, paramLabel = "CSV",
            description = "Rows: a header with the features' names; columns session, label and split may be there.")
    private Path input;

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "CSV", description = "The outputs.")
    private Path output;

    @Option(names = "--backend", defaultValue = Backends.AUTO, paramLabel = "NAME",
            description = "Which backend computes (default: ${DEFAULT-VALUE}).")
    private String backend;

    @Override
    void execute() throws IOException {
        if (input.toAbsolutePath().normalize().equals(output.toAbsolutePath().normalize())) {
            throw new ModelInputException("--output=" + output + " is the input");
        }
        final Bundle bundle = Bundle.open(path);
        final long rowCount;
        try (RowReader rows = new RowReader(input, bundle.manifest().featureNames(), bundle.manifest().outputCount());
                BundleSessions sessions = new BundleSessions(bundle, Backends.select(backend, bundle));
                BufferedWriter writer = Files.newBufferedWriter(output)) {
            rowCount = run(bundle, rows, sessions, writer);
        }
        out().println(rowCount + " rows to " + output);
    }

    private static long run(
            final Bundle bundle, final RowReader rows, final BundleSessions sessions, final BufferedWriter writer)
            throws IOException {
        writer.write(rows.hasSession() ? "session," : "");
        writer.write(String.join(",", bundle.manifest().labels()));
        writer.write('\n');
        long rowCount = 0;
        final StringBuilder line = new StringBuilder();
        for (; rows.next(); rowCount++) {
            line.setLength(0);
            if (rows.hasSession()) {
                line.append(rows.session()).append(',');
            }
            for (final float value : sessions.step(rows.session(), rows.features())) {
                line.append(value).append(',');
            }
            line.setCharAt(line.length() - 1, '\n');
            writer.append(line);
        }
        return rowCount;
    }
}
