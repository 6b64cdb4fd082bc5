package io.tiercel.appliance.telemetry;

import io.tiercel.protocol.telemetry.EventKind;
import org.agrona.concurrent.Agent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes the long rounds of the hot threads to {@code stalls.csv}, and what is known of why: how long the thread
 * waited for a core that others had, as the Linux scheduler counts it ({@code schedstat}). It counts for each thread in
 * all, so what it has counted since the last look is given to the rounds that ended since, in their order, each at
 * most its own length; what is over waits for one more look, because a round ends a little after the wait in it. What
 * is left of a round, no other thread of this system had: interrupts, the hypervisor, or the thread itself.
 *
 * <p>Rounds of {@link HiccupRecorder#STALL_NS} and more are told to the operator's desk too, and so are pauses of the
 * JVM, which all of these threads stand still in: a few a second, as {@link SparingTeller} says.
 *
 * <p>On the telemetry thread, beside {@link TelemetryWriter}; allocates as it likes.
 */
public final class StallWriter implements Agent {

    private static final String HEADER = "startNs,durationNs,thread,work,waitedNs";
    private static final long MAX_FILE_LENGTH = 16 << 20;
    private static final long UNKNOWN = -1;

    private final List<Source> sources = new ArrayList<>();
    private final RunDirectory run;
    private final TrackFile file;
    private final SparingTeller teller;
    private final JvmPauses pauses;
    private int writtenCount;

    /** One hot thread. */
    private static final class Source {
        private final String role;
        private final StallTrack track;
        private long waitedNs = UNKNOWN;
        private long overNs;
        private long lostCount;

        private Source(final String role, final StallTrack track) {
            this.role = role;
            this.track = track;
        }
    }

    /**
     * @param hiccups    of each hot thread, by the thread's role name.
     * @param happenings where the longest ones are told.
     */
    public StallWriter(
            final Map<String, HiccupRecorder> hiccups, final RunDirectory run, final Happenings happenings)
            throws IOException {
        hiccups.forEach((role, recorder) -> sources.add(new Source(role, recorder.stalls())));
        this.run = run;
        file = run.track(RunDirectory.STALLS, HEADER, MAX_FILE_LENGTH);
        teller = new SparingTeller(EventKind.THREAD_STALLED, happenings);
        pauses = new JvmPauses(run.jvmLog(), happenings);
    }

    @Override
    public int doWork() throws IOException {
        pauses.poll();
        teller.onRound();
        return writeAll();
    }

    private int writeAll() throws IOException {
        writtenCount = 0;
        for (final Source source : sources) {
            write(source);
        }
        if (writtenCount > 0) {
            file.flush();
        }
        return writtenCount;
    }

    @Override
    public void onClose() {
        try {
            writeAll();
            teller.finish();
            pauses.finish();
            file.close();
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    @Override
    public String roleName() {
        return "stalls";
    }

    /** The rounds first, the count then: so whatever they waited is in it. */
    private void write(final Source source) throws IOException {
        final List<long[]> stalls = new ArrayList<>();
        source.track.drain((startTickNs, durationNs, work) -> {
            stalls.add(new long[] {startTickNs, durationNs, work});
            if (durationNs >= HiccupRecorder.STALL_NS) {
                teller.tell(startTickNs, durationNs, source.role);
            }
        });
        final long waitedNs = waitedNs(source.track.scheduling());
        final boolean isKnown = waitedNs != UNKNOWN && source.waitedNs != UNKNOWN;
        final long newNs = isKnown ? waitedNs - source.waitedNs : 0;
        long leftNs = newNs + source.overNs;
        for (final long[] stall : stalls) {
            final long shareNs = isKnown ? Math.min(leftNs, stall[1]) : UNKNOWN;
            leftNs -= Math.max(0, shareNs);
            file.append(line(stall[0], stall[1], source.role, stall[2], shareNs));
        }
        source.waitedNs = waitedNs;
        source.overNs = Math.min(leftNs, newNs);
        writtenCount += stalls.size();
        writeLost(source);
    }

    /** What was lost is said where it was: as a comment between the others. */
    private void writeLost(final Source source) throws IOException {
        final long lostCount = source.track.lostCount();
        if (lostCount != source.lostCount) {
            file.append("# " + source.role + " lost=" + (lostCount - source.lostCount));
            source.lostCount = lostCount;
            writtenCount++;
        }
    }

    private String line(
            final long startTickNs, final long durationNs, final String role, final long work, final long waitedNs) {
        return run.epochNs(startTickNs) + "," + durationNs + "," + role + "," + work + "," +
                (waitedNs < 0 ? "" : waitedNs);
    }

    /** The second number of the file: time runnable, but on no core. */
    private static long waitedNs(final Path scheduling) {
        if (scheduling == null) {
            return UNKNOWN;
        }
        try {
            final String[] counts = Files.readString(scheduling, StandardCharsets.US_ASCII).trim().split(" ");
            return counts.length < 2 ? UNKNOWN : Long.parseLong(counts[1]);
        } catch (final IOException | NumberFormatException ex) {
            return UNKNOWN; // The thread has ended, or the kernel does not count.
        }
    }
}
