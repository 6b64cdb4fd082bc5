package io.tiercel.appliance.telemetry;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The JVM's own log of its pauses (safepoints, garbage collections), switched on from inside as
 * {@code jcmd VM.log} does from outside. Each line has the time on the clock of {@link System#nanoTime}, which is the
 * pipeline's. The JVM writes a safepoint's line once its threads go on again, so that stops nobody; a collection's is
 * written within the pause. It keeps {@value #FILE_COUNT} files of {@value #FILE_SIZE} beside the one at hand.
 *
 * <p>A JVM that does not do this is said in the log once, and costs the appliance nothing but the track.
 */
public final class JvmLog implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(JvmLog.class);
    private static final String COMMANDS = "com.sun.management:type=DiagnosticCommand";
    private static final int FILE_COUNT = 4;
    private static final String FILE_SIZE = "4m";
    /** The JVM reads them as something else. */
    private static final String UNUSABLE = "\"%\n";
    private static final Pattern SAFEPOINT =
            Pattern.compile("\\[(\\d+)ns] Safepoint \"([^\"]*)\",.* Total: +(\\d+) ns.*");
    private static final Pattern COLLECTION = Pattern.compile("\\[(\\d+)ns] GC\\(\\d+\\) (Pause .*)");

    private final Path path;
    private final boolean isOn;

    /** Told what a line says. */
    public interface Handler {

        /**
         * All threads have stood still.
         *
         * @param endTickNs  when they went on.
         * @param durationNs with the time until the last of them had stopped.
         * @param operation  for which they did, in the JVM's words.
         */
        void onSafepoint(long endTickNs, long durationNs, String operation);

        /**
         * Garbage was collected, in the safepoint whose line comes next.
         *
         * @param what in the JVM's words: which collection, how much, how long.
         */
        void onCollection(long tickNs, String what);
    }

    private JvmLog(final Path path, final boolean isOn) {
        this.path = path;
        this.isOn = isOn;
    }

    /**
     * Begins, beside whatever else is to be done, what the first {@link #open} in a process would take 0.1 s and more
     * for: it starts the JVM's management.
     */
    public static void prepare() {
        final Thread thread = new Thread(ManagementFactory::getPlatformMBeanServer, "jvm-management");
        thread.setDaemon(true);
        thread.start();
    }

    /** Switches the log on. */
    public static JvmLog open(final Path path) {
        final Path absolute = path.toAbsolutePath();
        final String problem = absolute.toString().chars().anyMatch(each -> UNUSABLE.indexOf(each) >= 0)
                ? "its path holds a character that it cannot"
                : command("output=\"" + absolute + "\"", "what=safepoint=info,gc=info", "decorators=timenanos",
                        "output_options=filecount=" + FILE_COUNT + ",filesize=" + FILE_SIZE);
        if (!problem.isEmpty()) {
            LOG.warn("no log of the JVM's pauses: file={} {}", absolute, problem);
        }
        return new JvmLog(absolute, problem.isEmpty());
    }

    /** Reads a line of it, without its end; what is neither of the two is passed over. */
    public static void read(final String line, final Handler handler) {
        final Matcher safepoint = SAFEPOINT.matcher(line);
        final Matcher collection = COLLECTION.matcher(line);
        if (safepoint.matches()) {
            handler.onSafepoint(
                    Long.parseLong(safepoint.group(1)), Long.parseLong(safepoint.group(3)), safepoint.group(2));
        } else if (collection.matches()) {
            handler.onCollection(Long.parseLong(collection.group(1)), collection.group(2));
        }
    }

    /** Switches it off; the JVM's other logs stay as they are. */
    @Override
    public void close() {
        if (isOn) {
            command("output=\"" + path + "\"", "what=all=off");
        }
    }

    /** @return what the JVM complains about; empty if nothing. */
    private static String command(final String... arguments) {
        try {
            final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
            final Object answer = server.invoke(new ObjectName(COMMANDS), "vmLog", new Object[] {arguments},
                    new String[] {String[].class.getName()});
            return String.valueOf(answer).strip().replaceAll("\\s*\\R\\s*", "; ");
        } catch (final JMException | RuntimeException ex) {
            return ex.toString();
        }
    }
}
