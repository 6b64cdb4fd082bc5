package io.tiercel.tools;

import io.tiercel.appliance.config.Layout;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** One line that names the machine a figure was measured on. */
public final class MachineInfo {

    /** For a client that spins, too. */
    private static final int OTHERS_CORE_COUNT = 1;

    private MachineInfo() {
    }

    public static String describe() {
        return cpuModel() + ", " + Runtime.getRuntime().availableProcessors() + " cores, "
                + System.getProperty("os.name") + " " + System.getProperty("os.version");
    }

    public static String runtime() {
        return System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version");
    }

    /** One line if the appliance's spinning threads leave no core to anybody else; else nothing. */
    public static void printNoteOfSpinningThreads(final PrintStream out, final Layout layout, final int inferWorkers) {
        final int threadCount = layout.threadCount(inferWorkers);
        final int coreCount = Runtime.getRuntime().availableProcessors();
        if (threadCount > coreCount - OTHERS_CORE_COUNT && threadCount > 1) {
            out.println("note: layout=" + layout.name().toLowerCase(Locale.ROOT) + " spins threads=" + threadCount
                    + " on cores=" + coreCount + ", which clients need too: answers will take milliseconds; "
                    + "layout=compact spins one");
        }
    }

    private static String cpuModel() {
        final Path cpuInfo = Path.of("/proc/cpuinfo");
        if (Files.isReadable(cpuInfo)) {
            try {
                for (final String line : Files.readAllLines(cpuInfo, StandardCharsets.UTF_8)) {
                    if (line.startsWith("model name")) {
                        return line.substring(line.indexOf(':') + 1).trim();
                    }
                }
            } catch (final IOException e) {
                return System.getProperty("os.arch") + " (" + e.getMessage() + ")";
            }
        }
        return System.getProperty("os.arch");
    }
}
