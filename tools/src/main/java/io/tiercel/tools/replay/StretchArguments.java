package io.tiercel.tools.replay;

import io.tiercel.replay.ReplayProgress;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.StretchException;
import io.tiercel.replay.timeline.TimelineReader;
import io.tiercel.replay.timeline.TrackException;
import io.tiercel.replay.timeline.Tracks;
import io.tiercel.replay.DamageException;
import io.tiercel.tools.DurationConverter;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.journal.JournalArguments;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say which stretch of which journal, and where the tracks of that time are. */
final class StretchArguments {

    @Mixin
    private JournalArguments journal;

    @Option(names = "--from", paramLabel = "SEQ", description = "First sequence. Default: the first there is.")
    private Long from;

    @Option(names = "--to", paramLabel = "SEQ", description = "Last sequence. Default: the last there is.")
    private Long to;

    @Option(names = "--last", paramLabel = "TIME", converter = DurationConverter.class,
            description = "Instead: what came in so long before the last request, such as 1s or 50ms.")
    private Duration last;

    @Option(names = "--telemetry", paramLabel = "DIR",
            description = "Where the appliance left its tracks: stalls, pauses of the JVM, snapshots. Default: " +
                    "telemetry in the journal.")
    private Path telemetry;

    Path directory() {
        return journal.directory();
    }

    Path telemetryDirectory() {
        return telemetry == null ? directory().resolve("telemetry") : telemetry;
    }

    /** Before anything is read: refuses what cannot be, in one line. */
    void check() {
        journal.checkRange(from, to);
        if (last != null && (from != null || to != null)) {
            throw ToolException.badArgument("--last=" + last + " and a range of sequences exclude each other");
        }
        if (last != null && last.isZero()) {
            throw ToolException.badArgument("--last=0 is nothing");
        }
        if (telemetry != null && !Files.isDirectory(telemetry)) {
            throw ToolException.badArgument("--telemetry=" + telemetry + " is not a directory");
        }
    }

    /** Refuses a file that cannot be written, or lies in the journal: what reads a journal does not write into it. */
    void checkOutput(final String option, final Path file) {
        if (file == null) {
            return;
        }
        Json.checkWritable(option, file);
        if (real(file).startsWith(real(directory()))) {
            throw ToolException.badArgument(option + "=" + file + " lies in the journal, which is only read");
        }
    }

    /** @param limit requests at most. */
    RequestTimeline requests(final int limit, final ReplayProgress progress) {
        try {
            return TimelineReader.read(directory(), new TimelineReader.Stretch(
                    from == null ? 0 : from, to == null ? Long.MAX_VALUE : to, last == null ? 0 : last.toNanos(),
                    limit), progress);
        } catch (final DamageException ex) {
            throw new ToolException(ExitCode.CHECK_FAILED, ex.getMessage(), ex);
        } catch (final StretchException ex) {
            throw new ToolException(ExitCode.BAD_ARGUMENTS, ex.getMessage(), ex);
        }
    }

    Tracks tracks(final RequestTimeline requests) {
        try {
            return Tracks.read(telemetryDirectory(), requests.ingressNs(0), requests.egressNs(requests.size() - 1));
        } catch (final TrackException ex) {
            throw new ToolException(ExitCode.CHECK_FAILED, ex.getMessage(), ex);
        }
    }

    /** The path as the file system has it, as far as it is there. */
    private static Path real(final Path path) {
        final Path absolute = path.toAbsolutePath().normalize();
        try {
            return absolute.toRealPath();
        } catch (final IOException ex) {
            return absolute.getParent() == null ? absolute : real(absolute.getParent()).resolve(absolute.getFileName());
        }
    }
}
