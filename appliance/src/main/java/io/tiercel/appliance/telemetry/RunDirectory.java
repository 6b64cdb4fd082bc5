package io.tiercel.appliance.telemetry;

import org.agrona.IoUtil;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * Where one run of an appliance leaves what it tells with times: a directory of its own in the telemetry directory, so
 * that the next run takes nothing away from this one. The newest {@value #KEEP} runs stay. {@value #DESCRIPTION} says
 * how the run's clocks hang together and which threads it has.
 */
public final class RunDirectory {

    public static final String PREFIX = "run-";
    public static final String DESCRIPTION = "run.properties";
    public static final String STALLS = "stalls.csv";
    public static final String EVENTS = "events.csv";
    public static final String JVM_LOG = "jvm.log";
    public static final int FORMAT_VERSION = 1;

    private static final int KEEP = 16;
    private static final long NS_PER_SECOND = 1_000_000_000L;
    private static final DateTimeFormatter NAME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.nnnnnnnnn'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final Path path;
    private final long epochOffsetNs;

    private RunDirectory(final Path path, final long epochOffsetNs) {
        this.path = path;
        this.epochOffsetNs = epochOffsetNs;
    }

    /**
     * Makes the directory of a run that begins now, and removes the oldest ones.
     *
     * @param nowTickNs     on the clock that arrivals are stamped with.
     * @param epochOffsetNs added to a tick gives nanoseconds since the epoch, as in the journal.
     * @param threads       role names of the hot threads.
     */
    public static RunDirectory create(
            final Path telemetryDirectory,
            final long nowTickNs,
            final long epochOffsetNs,
            final List<String> threads,
            final int inferWorkers) throws IOException {
        final long startNs = nowTickNs + epochOffsetNs;
        final Path path = telemetryDirectory.resolve(
                PREFIX + NAME.format(Instant.ofEpochSecond(startNs / NS_PER_SECOND, startNs % NS_PER_SECOND)));
        Files.createDirectories(path);
        Files.writeString(path.resolve(DESCRIPTION), """
                # One run of an appliance. Times in the files beside this one are nanoseconds since the epoch;
                # those in %s are nanoseconds of a clock to which epochOffsetNs is to be added.
                formatVersion=%d
                pid=%d
                startNs=%d
                epochOffsetNs=%d
                threads=%s
                inferWorkers=%d
                """.formatted(JVM_LOG, FORMAT_VERSION, ProcessHandle.current().pid(), startNs, epochOffsetNs,
                String.join(",", threads), inferWorkers), StandardCharsets.US_ASCII);
        removeOldest(telemetryDirectory);
        return new RunDirectory(path, epochOffsetNs);
    }

    public Path path() {
        return path;
    }

    public Path jvmLog() {
        return path.resolve(JVM_LOG);
    }

    /** Nanoseconds since the epoch, as the journal would have it. */
    long epochNs(final long tickNs) {
        return tickNs + epochOffsetNs;
    }

    TrackFile track(final String name, final String header, final long maxLength) throws IOException {
        return new TrackFile(path.resolve(name), header, maxLength);
    }

    private static void removeOldest(final Path telemetryDirectory) throws IOException {
        final List<Path> runs = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(telemetryDirectory, PREFIX + "*")) {
            found.forEach(runs::add);
        }
        Collections.sort(runs);
        for (int index = 0; index < runs.size() - KEEP; index++) {
            IoUtil.delete(runs.get(index).toFile(), true);
        }
    }
}
