package io.tiercel.nativecuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the processor can do, as the kernel tells it: the {@code flags} line of {@code /proc/cpuinfo}. The kernel's word
 * counts, not the processor's own: what the kernel has masked would fault.
 */
final class CpuFeatures {

    static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private static final String FLAGS = "flags";

    private final Set<String> flags;

    private CpuFeatures(final Set<String> flags) {
        this.flags = flags;
    }

    /** Reads a file like {@code /proc/cpuinfo}; a machine without one has no features. */
    static CpuFeatures read(final Path cpuInfo) {
        try {
            return parse(Files.readAllLines(cpuInfo));
        } catch (final IOException ex) {
            return new CpuFeatures(Set.of());
        }
    }

    /** Features of all processors: a machine whose cores differ has what each of them has. */
    static CpuFeatures parse(final List<String> lines) {
        Set<String> common = null;
        for (final String line : lines) {
            final int colon = line.indexOf(':');
            if (colon >= 0 && FLAGS.equals(line.substring(0, colon).trim())) {
                final Set<String> own = new HashSet<>(List.of(line.substring(colon + 1).trim().split("\\s+")));
                if (common == null) {
                    common = own;
                } else {
                    common.retainAll(own);
                }
            }
        }
        return new CpuFeatures(common == null ? Set.of() : common);
    }

    boolean hasAvx2() {
        return flags.contains("avx2");
    }

    /** What the int8 kernels want: {@code vpdpbusd} on 512 bits, and the byte and word forms around it. */
    boolean hasAvx512Vnni() {
        return flags.contains("avx512_vnni") && flags.contains("avx512bw") && flags.contains("avx512vl");
    }
}
