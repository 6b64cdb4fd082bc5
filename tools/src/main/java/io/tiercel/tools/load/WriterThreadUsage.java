package io.tiercel.tools.load;

import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the kernel did to the calling thread so far: page faults, and the times that it was taken off its core. Two of
 * these, before and after, tell whether a stall was a fault, the scheduler or neither.
 *
 * @param minorFaults          pages mapped without reading from a device.
 * @param majorFaults          pages read from a device.
 * @param involuntarySwitches  times that another thread was given the core.
 * @param voluntarySwitches    times that the thread waited for something.
 */
record WriterThreadUsage(long minorFaults, long majorFaults, long involuntarySwitches, long voluntarySwitches) {

    private static final int MINOR_FAULTS_FIELD = 7;
    private static final int MAJOR_FAULTS_FIELD = 9;

    /** Reads {@code /proc/thread-self}; all zero where there is none. */
    static WriterThreadUsage ofCurrentThread() {
        final Path self = Path.of("/proc/thread-self");
        if (!Files.isReadable(self.resolve("stat"))) {
            return new WriterThreadUsage(0, 0, 0, 0);
        }
        try {
            final String stat = Files.readString(self.resolve("stat"), StandardCharsets.ISO_8859_1);
            // Fields are counted behind the thread's name, which may contain blanks.
            final String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            long involuntary = 0;
            long voluntary = 0;
            for (final String line : Files.readAllLines(self.resolve("status"), StandardCharsets.ISO_8859_1)) {
                if (line.startsWith("nonvoluntary_ctxt_switches:")) {
                    involuntary = valueOf(line);
                } else if (line.startsWith("voluntary_ctxt_switches:")) {
                    voluntary = valueOf(line);
                }
            }
            return new WriterThreadUsage(Long.parseLong(fields[MINOR_FAULTS_FIELD]),
                    Long.parseLong(fields[MAJOR_FAULTS_FIELD]), involuntary, voluntary);
        } catch (final IOException e) {
            throw ToolException.environment("cannot read " + self + ": " + e.getMessage(), e);
        }
    }

    WriterThreadUsage since(final WriterThreadUsage earlier) {
        return new WriterThreadUsage(minorFaults - earlier.minorFaults, majorFaults - earlier.majorFaults,
                involuntarySwitches - earlier.involuntarySwitches, voluntarySwitches - earlier.voluntarySwitches);
    }

    private static long valueOf(final String line) {
        return Long.parseLong(line.substring(line.indexOf(':') + 1).trim());
    }
}
