package io.tiercel.appliance.telemetry;

import io.tiercel.protocol.telemetry.EventKind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Tells of pauses in which the JVM stops all of its threads, those of {@value #FLOOR_NS} ns and more: it follows the
 * JVM's own log, so nothing is asked of the JVM and no other thread has anything to do with it. A log that is not there
 * has no pauses; one that cannot be read is said once, and not looked at any more. The telemetry thread.
 */
final class JvmPauses implements JvmLog.Handler {

    static final long FLOOR_NS = 1_000_000;

    private static final Logger LOG = LoggerFactory.getLogger(JvmPauses.class);

    private final Path path;
    private final LogTail tail;
    private final SparingTeller teller;
    private boolean isFollowed = true;
    private long collectionTickNs;
    private String collection = "";

    JvmPauses(final Path path, final Happenings happenings) {
        this.path = path;
        tail = new LogTail(path);
        teller = new SparingTeller(EventKind.JVM_PAUSED, happenings);
    }

    /** Once a round. */
    void poll() {
        readOn();
        teller.onRound();
    }

    /** What the JVM has logged until now is told. */
    void finish() {
        readOn();
        teller.finish();
        stop();
    }

    @Override
    public void onCollection(final long tickNs, final String what) {
        collectionTickNs = tickNs;
        collection = what;
    }

    /** What was collected in a pause stands before it, and was written within it. */
    @Override
    public void onSafepoint(final long endTickNs, final long durationNs, final String operation) {
        final long startTickNs = endTickNs - durationNs;
        if (durationNs >= FLOOR_NS) {
            final boolean isCollecting = !collection.isEmpty() && collectionTickNs >= startTickNs;
            teller.tell(startTickNs, durationNs, isCollecting ? operation + ", " + collection : operation);
        }
        collection = "";
    }

    private void readOn() {
        if (isFollowed) {
            try {
                tail.poll(line -> JvmLog.read(line, this));
            } catch (final IOException ex) {
                LOG.warn("pauses of the JVM are not told any more: file={} {}", path, ex.toString());
                stop();
            }
        }
    }

    private void stop() {
        isFollowed = false;
        try {
            tail.close();
        } catch (final IOException ex) {
            LOG.warn("not closed: file={} {}", path, ex.toString());
        }
    }
}
