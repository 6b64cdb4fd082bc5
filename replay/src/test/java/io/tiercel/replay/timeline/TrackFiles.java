package io.tiercel.replay.timeline;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The tracks of a run as an appliance and its JVM would have left them; times count from the fixture's base. */
public final class TrackFiles {

    /** So that the JVM's clock is another one. */
    private static final long JVM_OFFSET_NS = TimelineFixture.BASE_NS - 5_000_000_000L;

    private final Path directory;
    private final Path run;
    private final String inferThread;

    public TrackFiles(final Path directory, final String threads, final int inferWorkers) {
        this.directory = directory;
        inferThread = threads.equals("io") ? "io" : "infer";
        run = directory.resolve("run-20231114T221320.000000000Z");
        try {
            Files.createDirectories(run);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
        append("run.properties", """
                # a comment
                formatVersion=1
                pid=1
                startNs=%d
                epochOffsetNs=%d
                threads=%s
                inferWorkers=%d
                """.formatted(TimelineFixture.BASE_NS - 1, JVM_OFFSET_NS, threads, inferWorkers));
        append("stalls.csv", "startNs,durationNs,thread,work,waitedNs\n");
        append("events.csv", "startNs,durationNs,what,sequence\n");
    }

    /** Which one computes. */
    public String inferThread() {
        return inferThread;
    }

    public TrackFiles stall(final long fromNs, final long toNs, final String thread, final int work,
            final String waitedNs) {
        return append("stalls.csv", (TimelineFixture.BASE_NS + fromNs) + "," + (toNs - fromNs) + "," + thread + "," +
                work + "," + waitedNs + "\n");
    }

    public TrackFiles snapshot(final long fromNs, final long toNs) {
        return append("events.csv", (TimelineFixture.BASE_NS + fromNs) + "," + (toNs - fromNs) + ",snapshot-copy,5\n");
    }

    /** As JDK 17 says it. */
    public TrackFiles safepoint(final long fromNs, final long toNs) {
        return append("jvm.log", "[" + jvmNs(toNs) + "ns] Safepoint \"ThreadDump\", Time since last: 11997603 ns, " +
                "Reaching safepoint: 4146 ns, Cleanup: 5295 ns, At safepoint: 51820 ns, Total: " + (toNs - fromNs) +
                " ns\n");
    }

    /** As JDK 25 says it. */
    public TrackFiles collection(final long fromNs, final long toNs) {
        append("jvm.log",
                "[" + jvmNs(toNs - 10) + "ns] GC(0) Pause Young (Allocation Failure) 66M->1M(247M) 1.234ms\n");
        return append("jvm.log", "[" + jvmNs(toNs) + "ns] Safepoint \"SerialCollectForAllocation\", Time since last: " +
                "6024014052 ns, Reaching safepoint: 82566 ns, At safepoint: 98786310 ns, Leaving safepoint: 5566991 " +
                "ns, Total: " + (toNs - fromNs) + " ns, Threads: 1 runnable, 10 total\n");
    }

    public TrackFiles append(final String name, final String text) {
        try {
            Files.writeString(run.resolve(name), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
        return this;
    }

    public Tracks read() {
        return read(0, Long.MAX_VALUE / 4);
    }

    public Tracks read(final long fromNs, final long toNs) {
        return Tracks.read(directory, TimelineFixture.BASE_NS + fromNs, TimelineFixture.BASE_NS + toNs);
    }

    private static long jvmNs(final long timeNs) {
        return TimelineFixture.BASE_NS + timeNs - JVM_OFFSET_NS;
    }
}
