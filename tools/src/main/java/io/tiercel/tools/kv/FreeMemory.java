package io.tiercel.tools.kv;

import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the machine has to give. */
final class FreeMemory {

    private static final Path MEMORY_INFO = Path.of("/proc/meminfo");
    private static final String AVAILABLE = "MemAvailable:";
    private static final long BYTES_PER_KB = 1_024;
    /** Where nobody says. */
    private static final long ASSUMED_BYTES = 1L << 30;

    private FreeMemory() {
    }

    static long bytes() {
        if (!Files.isReadable(MEMORY_INFO)) {
            return ASSUMED_BYTES;
        }
        try {
            return Files.readAllLines(MEMORY_INFO, StandardCharsets.US_ASCII).stream()
                    .filter(line -> line.startsWith(AVAILABLE))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * BYTES_PER_KB)
                    .findFirst()
                    .orElse(ASSUMED_BYTES);
        } catch (final IOException ex) {
            throw ToolException.environment("cannot read file=" + MEMORY_INFO + ": " + ex, ex);
        }
    }
}
