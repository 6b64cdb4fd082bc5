package io.tiercel.ops.doctor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A host's files in a folder: one where nothing is wrong, to be spoilt file by file. */
final class MadeUpHost {

    private static final String CPUS = "/sys/devices/system/cpu/";

    private final Path root;

    private MadeUpHost(final Path root) {
        this.root = root;
    }

    /** Eight cores, six of them set apart. */
    static MadeUpHost good(final Path root) {
        final MadeUpHost host = new MadeUpHost(root)
                .put("/proc/self/status", "Name:\tjava\nCpus_allowed_list:\t0-7\n")
                .put("/proc/self/limits",
                        "Limit   Soft Limit  Hard Limit  Units\nMax open files   65536  65536  files\n")
                .put("/proc/self/mountinfo", "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
                        + "25 22 0:22 / /dev/shm rw shared:4 - tmpfs tmpfs rw\n")
                .put("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme tsc avx512f\n")
                .put("/proc/swaps", "Filename\t\tType\t\tSize\n")
                .put("/proc/meminfo", "MemTotal: 16 kB\nHugePages_Total:     256\nHugepagesize:       2048 kB\n")
                .put("/sys/fs/cgroup/cpu.max", "max 100000\n")
                .put(CPUS + "online", "0-7\n")
                .put(CPUS + "isolated", "2-7\n")
                .put(CPUS + "smt/active", "0\n")
                .put("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n")
                .put("/sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm\n")
                .put("/sys/devices/system/node/online", "0\n")
                .put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n")
                .put("/sys/kernel/mm/transparent_hugepage/defrag", "always defer [madvise] never\n")
                .put("/sys/dev/block/8:1/queue/scheduler", "[none] mq-deadline\n")
                .put("/sys/dev/block/8:1/queue/rotational", "0\n")
                .put("/proc/irq/14/effective_affinity_list", "0\n")
                .put("/proc/sys/kernel/nmi_watchdog", "0\n")
                .put("/proc/sys/kernel/timer_migration", "0\n")
                .put("/proc/sys/kernel/numa_balancing", "0\n")
                .put("/proc/sys/vm/stat_interval", "120\n")
                .put("/proc/sys/vm/swappiness", "60\n")
                .put("/proc/sys/vm/max_map_count", "262144\n")
                .put("/proc/sys/net/core/rmem_max", "4194304\n")
                .put("/proc/sys/net/core/wmem_max", "4194304\n");
        for (int cpu = 0; cpu < 8; cpu++) {
            host.put(CPUS + "cpu" + cpu + "/cpufreq/scaling_governor", "performance\n");
            host.put(CPUS + "cpu" + cpu + "/cpuidle/state0/latency", "0\n");
            host.put(CPUS + "cpu" + cpu + "/cpuidle/state1/latency", "133\n");
            host.put(CPUS + "cpu" + cpu + "/cpuidle/state1/disable", "1\n");
        }
        return host;
    }

    MadeUpHost put(final String path, final String content) {
        final Path file = root.resolve(path.substring(1));
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, content, StandardCharsets.ISO_8859_1);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
        return this;
    }

    HostFiles files() {
        return new HostFiles(root);
    }
}
