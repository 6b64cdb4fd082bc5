package io.tiercel.tools.journal;

import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say which journal, and which part of it. */
public final class JournalArguments {

    @Option(names = "--journal", required = true, paramLabel = "DIR", description = "Directory of the journal.")
    private Path directory;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** @throws ParameterException if there is no journal. */
    public Path directory() {
        final String problem = problem(directory);
        if (problem != null) {
            throw new ParameterException(spec.commandLine(), "--journal=" + directory + " " + problem);
        }
        return directory;
    }

    /** Why a path is no journal; null if it is one. */
    public static String problem(final Path path) {
        if (!Files.isDirectory(path)) {
            return "is not a directory";
        }
        return Files.isRegularFile(path.resolve("journal.yaml")) ? null : "is not a journal: it has no journal.yaml";
    }

    /** @throws ParameterException if the range is empty or begins below 0; a bound that is null is not given. */
    public void checkRange(final Long from, final Long to) {
        if (from != null && from < 0) {
            throw new ParameterException(spec.commandLine(), "--from=" + from + " is below 0");
        }
        final long first = from == null ? 0 : from;
        if (to != null && to < first) {
            throw new ParameterException(spec.commandLine(), "--to=" + to + " is below --from=" + first);
        }
    }
}
