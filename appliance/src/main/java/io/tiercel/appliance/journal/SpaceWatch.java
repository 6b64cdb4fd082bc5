package io.tiercel.appliance.journal;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.File;
import java.util.concurrent.TimeUnit;

/**
 * Watches the space that is left for the journal. Below one mark it says so in the log, once; below a lower one the
 * space is low, and requests are to be refused until an eighth more than the mark is free again, so that they are not
 * refused and taken in turns.
 *
 * <p>The keeper's thread looks twice a second; any thread reads.
 */
final class SpaceWatch {

    private static final long INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int HYSTERESIS_FRACTION = 8;
    private static final Logger LOG = LoggerFactory.getLogger(SpaceWatch.class);

    private final File directory;
    private final long warnFreeBytes;
    private final long refuseFreeBytes;
    private long lastCheckNs;
    private boolean hasWarned;

    private volatile long freeBytes;
    private volatile boolean isLow;

    SpaceWatch(final File directory, final JournalSettings settings) {
        this.directory = directory;
        warnFreeBytes = settings.warnFreeBytes();
        refuseFreeBytes = settings.refuseFreeBytes();
        lastCheckNs = settings.clock().nanoTime();
        // The first warning is left to the first look: who cannot even start says why in one line.
        freeBytes = directory.getUsableSpace();
        isLow = freeBytes < refuseFreeBytes;
    }

    /** As of the last look. */
    long freeBytes() {
        return freeBytes;
    }

    boolean isLow() {
        return isLow;
    }

    /** A clock that was put back makes a look due. */
    void doWork(final long nowNs) {
        if (nowNs - lastCheckNs >= INTERVAL_NS || nowNs < lastCheckNs) {
            lastCheckNs = nowNs;
            check(directory.getUsableSpace());
        }
    }

    void check(final long usableBytes) {
        freeBytes = usableBytes;
        isLow = usableBytes < (isLow ? withHysteresis(refuseFreeBytes) : refuseFreeBytes);
        if (usableBytes < warnFreeBytes && !hasWarned) {
            hasWarned = true;
            LOG.warn("journal has little space left: directory={} freeBytes={} warnFreeBytes={} refuseFreeBytes={}",
                    directory, usableBytes, warnFreeBytes, refuseFreeBytes);
        } else if (usableBytes >= withHysteresis(warnFreeBytes)) {
            hasWarned = false;
        }
    }

    private static long withHysteresis(final long bytes) {
        return bytes + bytes / HYSTERESIS_FRACTION;
    }
}
