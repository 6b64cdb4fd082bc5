package io.tiercel.replay.timeline;

import io.tiercel.appliance.telemetry.JvmLog;
import io.tiercel.appliance.telemetry.RunDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the runs of an appliance left in its telemetry directory, with times on the journal's clock: stalls of threads,
 * pauses of the JVM, snapshots. Only what lies in the stretch of time that is asked for; each list in the order of
 * begin.
 *
 * <p>Reads files that are being written too: a last line that is not whole has not been written yet. Any other line
 * that is not as it should be is a {@link TrackException}.
 */
public final class Tracks {

    private static final Pattern LOST = Pattern.compile("# (\\S+) lost=(\\d+)");
    private static final int STALL_COLUMNS = 5;
    private static final int EVENT_COLUMNS = 4;

    private final List<Run> runs = new ArrayList<>();
    private final List<Stall> stalls = new ArrayList<>();
    private final List<Pause> pauses = new ArrayList<>();
    private final List<RunEvent> events = new ArrayList<>();
    private final long fromNs;
    private final long toNs;
    private long lostStallCount;

    private Tracks(final long fromNs, final long toNs) {
        this.fromNs = fromNs;
        this.toNs = toNs;
    }

    /** Takes the fields of one line. */
    private interface LineHandler {
        void onLine(String line);
    }

    /**
     * Reads what touches a stretch of time.
     *
     * @param telemetryDirectory need not be there: then there are no runs.
     * @throws TrackException if a file is not what an appliance or its JVM would have written.
     */
    public static Tracks read(final Path telemetryDirectory, final long fromNs, final long toNs) {
        final Tracks tracks = new Tracks(fromNs, toNs);
        if (Files.isDirectory(telemetryDirectory)) {
            for (final Path directory : list(telemetryDirectory, RunDirectory.PREFIX + "*")) {
                // One that died before it could describe itself has left nothing else.
                if (Files.exists(directory.resolve(RunDirectory.DESCRIPTION))) {
                    tracks.runs.add(run(directory));
                }
            }
        }
        for (int index = 0; index < tracks.runs.size(); index++) {
            if (tracks.isTouching(index)) {
                tracks.add(tracks.runs.get(index));
            }
        }
        tracks.stalls.sort(Comparator.comparingLong(Stall::startNs));
        tracks.pauses.sort(Comparator.comparingLong(Pause::startNs));
        tracks.events.sort(Comparator.comparingLong(RunEvent::startNs));
        return tracks;
    }

    /** All runs that there are, the oldest first; also those that do not touch the stretch. */
    public List<Run> runs() {
        return runs;
    }

    public List<Stall> stalls() {
        return stalls;
    }

    /** Long rounds of these runs that were lost, at any time: there were more than could be written. */
    public long lostStallCount() {
        return lostStallCount;
    }

    public List<Pause> pauses() {
        return pauses;
    }

    public List<RunEvent> events() {
        return events;
    }

    /** The run that was going on; null if there is none. */
    public Run runAt(final long epochNs) {
        Run found = null;
        for (final Run run : runs) {
            if (run.startNs() <= epochNs) {
                found = run;
            }
        }
        return found;
    }

    /** A run ends where the next one begins, at the latest. */
    private boolean isTouching(final int index) {
        final boolean isOver = index + 1 < runs.size() && runs.get(index + 1).startNs() < fromNs;
        return !isOver && runs.get(index).startNs() <= toNs;
    }

    private void add(final Run run) {
        for (final Path file : list(run.directory(), RunDirectory.STALLS + "*")) {
            eachLine(file, line -> addStall(run, file, line));
        }
        for (final Path file : list(run.directory(), RunDirectory.EVENTS + "*")) {
            eachLine(file, line -> addEvent(file, line));
        }
        addPauses(run);
    }

    private static Run run(final Path directory) {
        final Path file = directory.resolve(RunDirectory.DESCRIPTION);
        final Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(file, StandardCharsets.US_ASCII)) {
            properties.load(reader);
        } catch (final IOException | IllegalArgumentException ex) {
            throw new TrackException("a run's description cannot be read: file=" + file + " " + ex, ex);
        }
        final String version = properties.getProperty("formatVersion");
        if (!String.valueOf(RunDirectory.FORMAT_VERSION).equals(version)) {
            throw new TrackException("not a run that this version reads: file=" + file + " formatVersion=" + version +
                    " supported=" + RunDirectory.FORMAT_VERSION);
        }
        return new Run(directory, number(file, properties, "startNs"), number(file, properties, "epochOffsetNs"),
                List.of(properties.getProperty("threads", "").split(",")),
                (int) Math.max(1, number(file, properties, "inferWorkers")));
    }

    private static long number(final Path file, final Properties properties, final String name) {
        final String text = properties.getProperty(name);
        try {
            return Long.parseLong(String.valueOf(text).trim());
        } catch (final NumberFormatException ex) {
            throw new TrackException("not a run's description: file=" + file + " " + name + "=" + text, ex);
        }
    }

    private void addStall(final Run run, final Path file, final String line) {
        final Matcher lost = LOST.matcher(line);
        if (lost.matches()) {
            lostStallCount += Long.parseLong(lost.group(2));
            return;
        }
        final String[] fields = fields(file, line, STALL_COLUMNS);
        final Stall stall = new Stall(run, number(file, line, fields[0]), number(file, line, fields[1]), fields[2],
                (int) number(file, line, fields[3]), fields[4].isEmpty() ? -1 : number(file, line, fields[4]));
        if (touches(stall.startNs(), stall.endNs())) {
            stalls.add(stall);
        }
    }

    private void addEvent(final Path file, final String line) {
        final String[] fields = fields(file, line, EVENT_COLUMNS);
        final RunEvent event = new RunEvent(number(file, line, fields[0]), number(file, line, fields[1]), fields[2],
                number(file, line, fields[3]));
        if (touches(event.startNs(), event.endNs())) {
            events.add(event);
        }
    }

    /** A collection says what it was just before the safepoint in which it was says how long that took. */
    private void addPauses(final Run run) {
        final List<Pause> found = new ArrayList<>();
        final List<String> collections = new ArrayList<>();
        final List<Long> collectionsNs = new ArrayList<>();
        final JvmLog.Handler handler = new JvmLog.Handler() {
            @Override
            public void onSafepoint(final long endTickNs, final long durationNs, final String operation) {
                final long startNs = endTickNs + run.epochOffsetNs() - durationNs;
                found.add(new Pause(startNs, durationNs, operation, null));
            }

            @Override
            public void onCollection(final long tickNs, final String what) {
                collections.add(what);
                collectionsNs.add(tickNs + run.epochOffsetNs());
            }
        };
        for (final Path file : list(run.directory(), RunDirectory.JVM_LOG + "*")) {
            eachLine(file, line -> JvmLog.read(line, handler));
        }
        for (final Pause pause : found) {
            if (touches(pause.startNs(), pause.endNs())) {
                pauses.add(new Pause(pause.startNs(), pause.durationNs(), pause.operation(),
                        within(pause, collections, collectionsNs)));
            }
        }
    }

    private static String within(final Pause pause, final List<String> collections, final List<Long> collectionsNs) {
        for (int i = 0; i < collections.size(); i++) {
            if (collectionsNs.get(i) >= pause.startNs() && collectionsNs.get(i) <= pause.endNs()) {
                return collections.get(i);
            }
        }
        return null;
    }

    private boolean touches(final long startNs, final long endNs) {
        return startNs <= toNs && endNs >= fromNs;
    }

    private static String[] fields(final Path file, final String line, final int count) {
        final String[] fields = line.split(",", -1);
        if (fields.length != count) {
            throw notATrack(file, line);
        }
        return fields;
    }

    private static long number(final Path file, final String line, final String field) {
        try {
            return Long.parseLong(field);
        } catch (final NumberFormatException ex) {
            throw notATrack(file, line);
        }
    }

    private static TrackException notATrack(final Path file, final String line) {
        return new TrackException("not a line of a track: file=" + file + " line=" + line);
    }

    /** All lines but the heads of tables and one at the end that is not whole. */
    private static void eachLine(final Path file, final LineHandler handler) {
        final String text;
        try {
            text = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (final IOException ex) {
            throw new TrackException("a track cannot be read: file=" + file + " " + ex, ex);
        }
        int start = 0;
        for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
            final String line = text.substring(start, end).stripTrailing();
            if (!line.isEmpty() && !line.startsWith("startNs,")) {
                handler.onLine(line);
            }
            start = end + 1;
        }
    }

    private static List<Path> list(final Path directory, final String pattern) {
        final List<Path> paths = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, pattern)) {
            found.forEach(paths::add);
        } catch (final IOException ex) {
            throw new TrackException("a directory cannot be read: directory=" + directory + " " + ex, ex);
        }
        paths.sort(Comparator.naturalOrder());
        return paths;
    }
}
