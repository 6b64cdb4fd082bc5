package io.tiercel.appliance.telemetry;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;

/**
 * What the appliance does beside answering that may be felt, with its times: {@code events.csv}. Written by the thread
 * that does it, which is no hot one, a line at a time. What cannot be written is said in the log, and is lost telemetry
 * and no more.
 */
public final class EventTrack implements AutoCloseable {

    /** From asking for the cut until every worker has copied its sessions; seen every 10 ms, so it may end late. */
    public static final String SNAPSHOT_COPY = "snapshot-copy";
    /** From then until the file is there. */
    public static final String SNAPSHOT_WRITE = "snapshot-write";

    private static final Logger LOG = LoggerFactory.getLogger(EventTrack.class);
    private static final String HEADER = "startNs,durationNs,what,sequence";
    private static final long MAX_FILE_LENGTH = 1 << 20;

    private final RunDirectory run;
    private final TrackFile file;

    private EventTrack(final RunDirectory run, final TrackFile file) {
        this.run = run;
        this.file = file;
    }

    public static EventTrack in(final RunDirectory run) throws IOException {
        return new EventTrack(run, run.track(RunDirectory.EVENTS, HEADER, MAX_FILE_LENGTH));
    }

    /** A track that keeps nothing: for tests. */
    public static EventTrack none() {
        return new EventTrack(null, null);
    }

    /** @param sequence the last one before it. */
    public void add(final String what, final long startTickNs, final long endTickNs, final long sequence) {
        if (file == null) {
            return;
        }
        try {
            file.append(run.epochNs(startTickNs) + "," + (endTickNs - startTickNs) + "," + what + "," + sequence);
            file.flush();
        } catch (final IOException ex) {
            LOG.warn("event not written: what={} sequence={} {}", what, sequence, ex.toString());
        }
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
