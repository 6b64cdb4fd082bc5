package io.tiercel.appliance;

import io.aeron.CncFileDescriptor;
import io.aeron.CommonContext;
import io.tiercel.protocol.SecretFiles;
import org.agrona.DirectBuffer;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.File;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * The media driver's directory before the driver is there. A driver that runs in it shows by a heartbeat, and so, for a
 * while, does one whose process was killed: the first is told from the second by the heartbeat going on. If it is known
 * to be dead, because its process held a lock that is free now, nobody has to wait for that.
 *
 * <p>One thread, at start.
 */
final class DriverDirectory {

    private static final Logger LOGGER = LoggerFactory.getLogger(DriverDirectory.class);
    private static final long CHECK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(50);
    /** Twice the time between two heartbeats. */
    private static final int CHECKS_BEFORE_WORD = 40;
    private static final Pattern AERON_NOISE = Pattern.compile("^(ERROR|WARN|FATAL) - |, errorCodeValue=\\d+$");
    private static final Pattern EXCEPTION_NAME = Pattern.compile("^(?:[a-z]\\w*\\.)+[A-Z]\\w*: ");

    private DriverDirectory() {
    }

    /**
     * Returns when no driver runs in the directory; a driver may then be launched, which removes what a dead one left.
     *
     * @param timeoutMs  of silence after which a driver is dead.
     * @param deadDriver {@link #identity} of a driver that is known to be dead.
     * @throws ApplianceException if a driver is alive in it.
     */
    static void awaitFree(final String directoryName, final long timeoutMs, final String deadDriver) {
        final File directory = new File(directoryName);
        if (!deadDriver.isEmpty() && deadDriver.equals(identity(directoryName))) {
            LOGGER.info("aeron.directory={}: what a dead driver left is removed, {}", directoryName, deadDriver);
            IoUtil.delete(directory, false);
            return;
        }
        final Heartbeat first = Heartbeat.read(directoryName);
        if (first == null || !isActive(directory, timeoutMs)) {
            return;
        }
        int silentChecks = 0;
        while (isActive(directory, timeoutMs)) {
            final Heartbeat next = Heartbeat.read(directoryName);
            if (next != null && next.timeMs != first.timeMs) {
                throw new ApplianceException(
                        "aeron.directory=" + directoryName + " is in use by the media driver of pid=" +
                                next.pid + ": another appliance needs another aeron.directory");
            }
            if (++silentChecks == CHECKS_BEFORE_WORD) {
                LOGGER.warn("aeron.directory={}: the media driver of pid={} is silent, waiting until it counts as " +
                        "dead, {} ms after its last heartbeat", directoryName, first.pid, timeoutMs);
            }
            LockSupport.parkNanos(CHECK_INTERVAL_NS);
        }
    }

    /**
     * Which driver is, or was, in the directory: one line that no other driver ever has, or an empty one if there is no
     * driver's file.
     */
    static String identity(final String directoryName) {
        final MappedByteBuffer file = mapFile(directoryName);
        if (file == null) {
            return "";
        }
        try {
            final UnsafeBuffer metaData = CncFileDescriptor.createMetaDataBuffer(file);
            return "driver.pid=" + CncFileDescriptor.pid(metaData) + " driver.start-ms=" +
                    CncFileDescriptor.startTimestampMs(metaData) + " aeron.directory=" + directoryName;
        } finally {
            IoUtil.unmap(file);
        }
    }

    /** What the directory allows to whom: to its user alone, unless it is there and allows more. */
    static Set<PosixFilePermission> permissions(final String directoryName) {
        try {
            return Files.getPosixFilePermissions(Path.of(directoryName));
        } catch (final NoSuchFileException ex) {
            return SecretFiles.PRIVATE_FOLDER;
        } catch (final IOException ex) {
            throw new ApplianceException("aeron.directory=" + directoryName + " cannot be read: " + ex, ex);
        }
    }

    /**
     * Gives the directory of a driver that has just been launched its permissions: the driver makes it anew, as the
     * process's mask has it, and until now others may have been able to read the driver's counters there.
     */
    static void permit(final String directoryName, final Set<PosixFilePermission> permissions) {
        try {
            Files.setPosixFilePermissions(Path.of(directoryName), permissions);
        } catch (final IOException ex) {
            throw new ApplianceException("aeron.directory=" + directoryName + ": its mode cannot be set: " + ex, ex);
        }
    }

    /** What an Aeron exception says, without what only its programmers need. */
    static String reasonOf(final Exception ex) {
        final String text = AERON_NOISE.matcher(String.valueOf(ex.getMessage())).replaceAll("");
        return EXCEPTION_NAME.matcher(text).replaceFirst("");
    }

    private static boolean isActive(final File directory, final long timeoutMs) {
        return CommonContext.isDriverActive(directory, timeoutMs, LOGGER::debug);
    }

    /** @return null if there is no driver's file. */
    private static MappedByteBuffer mapFile(final String directoryName) {
        return new CommonContext()
                .aeronDirectoryName(directoryName)
                .concludeAeronDirectory()
                .mapExistingCncFile(LOGGER::debug);
    }

    /** When a driver was last alive, by its own clock, and its process. */
    private record Heartbeat(long timeMs, long pid) {

        /** @return null if there is no driver's file. */
        static Heartbeat read(final String directoryName) {
            final MappedByteBuffer file = mapFile(directoryName);
            if (file == null) {
                return null;
            }
            try {
                final UnsafeBuffer metaData = CncFileDescriptor.createMetaDataBuffer(file);
                if (metaData.getIntVolatile(CncFileDescriptor.cncVersionOffset(0)) == 0) {
                    return new Heartbeat(0, 0); // a driver that is just starting
                }
                return new Heartbeat(timeOf(file, metaData), CncFileDescriptor.pid(metaData));
            } finally {
                IoUtil.unmap(file);
            }
        }

        private static long timeOf(final MappedByteBuffer file, final DirectBuffer metaData) {
            return new ManyToOneRingBuffer(CncFileDescriptor.createToDriverBuffer(file, metaData))
                    .consumerHeartbeatTime();
        }
    }
}
