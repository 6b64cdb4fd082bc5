package io.tiercel.tools;

import io.aeron.Aeron;
import io.aeron.CncFileDescriptor;
import io.aeron.exceptions.AeronException;
import io.aeron.exceptions.DriverTimeoutException;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.agrona.concurrent.AgentTerminationException;

/** Connects the tools to a media driver that runs in another process. */
public final class AeronConnection {

    private static final long DRIVER_TIMEOUT_MS = 5_000;

    private AeronConnection() {
    }

    /**
     * Where the media driver of a child of this process may run: in memory where the machine has such a place, as
     * Aeron itself does.
     *
     * @param purpose tells the directories of one process apart.
     */
    public static String directoryName(final String purpose) {
        final Path memory = Path.of("/dev/shm");
        final Path parent = Files.isWritable(memory) ? memory : Path.of(System.getProperty("java.io.tmpdir"));
        return parent.resolve("tiercel-" + purpose + "-" + ProcessHandle.current().pid()).toString();
    }

    /**
     * An Aeron client in invoker mode, for the one thread that measures. A media driver that goes away ends what uses
     * this client, not the process: Aeron's own default would.
     */
    public static Aeron open(final String aeronDirectoryName) {
        final Aeron.Context context = new Aeron.Context()
                .aeronDirectoryName(aeronDirectoryName)
                .useConductorAgentInvoker(true)
                .driverTimeoutMs(DRIVER_TIMEOUT_MS)
                .errorHandler(AeronConnection::onError);
        if (!new File(aeronDirectoryName, CncFileDescriptor.CNC_FILE).exists()) {
            throw ToolException.environment("no media driver: aeron-dir=" + aeronDirectoryName + " has no "
                    + "cnc.dat that this user can see (is the appliance running, with this aeron.directory?)");
        }
        try {
            return Aeron.connect(context);
        } catch (final DriverTimeoutException e) {
            throw ToolException.environment("no media driver is alive: aeron-dir=" + aeronDirectoryName, e);
        } catch (final AeronException e) {
            throw ToolException.environment("cannot use aeron-dir=" + aeronDirectoryName + ": " + e.getMessage(), e);
        }
    }

    /** A driver that is gone shows as a lost connection; the conductor's end, which follows, says nothing more. */
    private static void onError(final Throwable error) {
        if (!(error instanceof DriverTimeoutException || error instanceof AgentTerminationException)) {
            System.err.println("aeron: " + error + (error.getCause() == null ? "" : ": " + error.getCause()));
        }
    }
}
