package io.tiercel.ops.doctor;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Memory: whether it stays where it is, and in which pages. */
final class MemoryChecks implements HostCheck {

    private static final String THP = "/sys/kernel/mm/transparent_hugepage/";
    private static final Pattern CHOSEN = Pattern.compile("\\[(\\w+)]");

    @Override
    public List<Finding> examine(final HostFiles host) {
        final List<Finding> findings = new ArrayList<>();
        findings.add(swap(host));
        findings.add(transparentHugePages(host));
        findings.add(hugePages(host));
        findings.add(numa(host));
        return findings;
    }

    private static Finding swap(final HostFiles host) {
        final List<String> lines = host.lines("/proc/swaps");
        if (lines.isEmpty()) {
            return Finding.unknown("swap", "/proc/swaps is not there");
        }
        if (lines.size() == 1) {
            return Finding.good("swap", "none");
        }
        final List<String> devices = lines.stream().skip(1).map(line -> line.split("\\s+")[0]).toList();
        return Finding.of("swap", Verdict.BAD, String.join(", ", devices),
                "a page of a session's state or of the JVM that was swapped out costs milliseconds when it is touched")
                .command("swapoff -a  # and out of /etc/fstab")
                .setting("/proc/sys/vm/swappiness", "0");
    }

    private static Finding transparentHugePages(final HostFiles host) {
        final String name = "transparent huge pages";
        final String enabled = chosen(host.line(THP + "enabled"));
        if (enabled == null) {
            return Finding.good(name, "not in this kernel");
        }
        final String defrag = chosen(host.line(THP + "defrag"));
        final String found = "enabled " + enabled + ", defrag " + defrag;
        if (!"always".equals(enabled)) {
            return Finding.good(name, found);
        }
        return Finding.of(name, Verdict.BAD, found,
                "the kernel gathers pages into large ones behind a process's back, and whoever touches them meanwhile"
                        + " waits")
                .setting(THP + "enabled", "madvise")
                .setting(THP + "defrag", "madvise");
    }

    private static String chosen(final String line) {
        final Matcher matcher = CHOSEN.matcher(line == null ? "" : line);
        return matcher.find() ? matcher.group(1) : null;
    }

    private static Finding hugePages(final HostFiles host) {
        final String name = "huge pages";
        final String total = host.value("/proc/meminfo", "HugePages_Total");
        if (total == null) {
            return Finding.unknown(name, "/proc/meminfo does not say");
        }
        final String size = host.value("/proc/meminfo", "Hugepagesize");
        return "0".equals(total)
                ? Finding.of(name, Verdict.ADVICE, "none reserved", "with pages of 4 kB a walk through thousands of"
                        + " sessions misses the processor's table of pages at each of them")
                        .command("sysctl -w vm.nr_hugepages=256  # 512 MB, for TIERCEL_JAVA_OPTS=-XX:+UseLargePages")
                : Finding.good(name, total + " of " + size);
    }

    private static Finding numa(final HostFiles host) {
        final String name = "NUMA nodes";
        final BitSet nodes = CpuList.parse(host.line("/sys/devices/system/node/online"));
        if (nodes.cardinality() <= 1) {
            return Finding.good(name, "one");
        }
        final Finding finding = Finding.of(name, Verdict.ADVICE, nodes.cardinality() + " nodes",
                "memory of another node is twice as far; the appliance, its clients and the card's interrupts belong on"
                        + " one")
                .command("numactl --cpunodebind=0 --membind=0 tools/tiercel serve --config serve.yaml");
        return host.number("/proc/sys/kernel/numa_balancing", 0) == 0
                ? finding
                : finding.setting("/proc/sys/kernel/numa_balancing", "0");
    }
}
