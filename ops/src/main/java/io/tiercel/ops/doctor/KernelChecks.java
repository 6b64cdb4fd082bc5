package io.tiercel.ops.doctor;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** Interrupts, and the kernel's own work and limits. */
final class KernelChecks implements HostCheck {

    /**
     * A number under {@code /proc/sys}.
     *
     * @param least what it has to be at the least; with {@code isMost} at the most.
     */
    private record Sysctl(String name, long least, boolean isMost, Verdict verdict, String reason) {

        private String file() {
            return "/proc/sys/" + name.replace('.', '/');
        }
    }

    private static final List<Sysctl> SYSCTLS = List.of(
            new Sysctl("kernel.nmi_watchdog", 0, true, Verdict.ADVICE,
                    "it interrupts every core regularly, to see whether it still runs"),
            new Sysctl("vm.stat_interval", 10, false, Verdict.ADVICE,
                    "each second the kernel adds up its counts of memory, on each core"),
            new Sysctl("kernel.timer_migration", 0, true, Verdict.ADVICE,
                    "timers of other cores may be moved to one that spins"),
            new Sysctl("vm.max_map_count", 65_530, false, Verdict.BAD,
                    "journal, sessions and Aeron's logs are mapped files; a map too many ends the process"),
            new Sysctl("net.core.rmem_max", 2_097_152, false, Verdict.ADVICE,
                    "Aeron over UDP loses what does not fit into a socket's buffer, and asks for it again"),
            new Sysctl("net.core.wmem_max", 2_097_152, false, Verdict.ADVICE,
                    "Aeron over UDP waits where a socket's buffer is full"));

    private static final long ENOUGH_FILES = 4_096;

    @Override
    public List<Finding> examine(final HostFiles host) {
        final List<Finding> findings = new ArrayList<>();
        findings.add(interrupts(host));
        for (final Sysctl sysctl : SYSCTLS) {
            findings.add(examine(host, sysctl));
        }
        findings.add(openFiles(host));
        return findings;
    }

    private static Finding examine(final HostFiles host, final Sysctl sysctl) {
        final long value = host.number(sysctl.file(), Long.MIN_VALUE);
        if (value == Long.MIN_VALUE) {
            return Finding.unknown(sysctl.name, "not in this kernel, or not for this user");
        }
        final boolean isGood = sysctl.isMost ? value <= sysctl.least : value >= sysctl.least;
        return isGood
                ? Finding.good(sysctl.name, Long.toString(value))
                : Finding.of(sysctl.name, sysctl.verdict, Long.toString(value), sysctl.reason)
                        .settings("sysctl -w " + sysctl.name + "=" + sysctl.least,
                                List.of(new Setting(sysctl.file(), Long.toString(sysctl.least))));
    }

    /** Those that a core which was set apart still takes. */
    private static Finding interrupts(final HostFiles host) {
        final String name = "interrupts";
        final BitSet isolated = CpuList.parse(host.line("/sys/devices/system/cpu/isolated"));
        if (isolated.isEmpty()) {
            return isBalanced(host)
                    ? Finding.of(name, Verdict.ADVICE, "irqbalance runs", "it moves interrupts to cores as it likes")
                            .command("systemctl disable --now irqbalance")
                    : Finding.good(name, "no irqbalance; no core is set apart");
        }
        final List<String> stray = new ArrayList<>();
        for (final String number : host.names("/proc/irq")) {
            final String affinity = host.line("/proc/irq/" + number + "/effective_affinity_list");
            if (affinity != null && CpuList.parse(affinity).intersects(isolated)) {
                stray.add(number);
            }
        }
        if (stray.isEmpty()) {
            return Finding.good(name, "none on cores " + CpuList.text(isolated));
        }
        final BitSet others = CpuList.parse(host.line("/sys/devices/system/cpu/online"));
        others.andNot(isolated);
        final List<Setting> settings = stray.stream()
                .map(number -> new Setting("/proc/irq/" + number + "/smp_affinity_list", CpuList.text(others)))
                .toList();
        return Finding.of(name, Verdict.BAD, stray.size() + " on cores that were set apart",
                "each takes microseconds of a hot thread's time")
                .settings("for irq in " + String.join(" ", stray) + "; do echo " + CpuList.text(others) +
                        " > /proc/irq/$irq/smp_affinity_list; done", settings);
    }

    private static boolean isBalanced(final HostFiles host) {
        return host.names("/proc").stream()
                .filter(name -> name.matches("\\d+"))
                .anyMatch(process -> "irqbalance".equals(host.line("/proc/" + process + "/comm")));
    }

    private static Finding openFiles(final HostFiles host) {
        final String name = "open files";
        final String limits = host.value("/proc/self/limits", "Max open files");
        if (limits == null) {
            return Finding.unknown(name, "/proc/self/limits does not say");
        }
        final String soft = limits.split("\\s+")[0];
        final boolean isEnough = "unlimited".equals(soft) || Long.parseLong(soft) >= ENOUGH_FILES;
        return isEnough
                ? Finding.good(name, soft)
                : Finding.of(name, Verdict.BAD, soft, "each client has log buffers of its own, and each is a file")
                        .command("ulimit -n 65536  # or LimitNOFILE=65536 in the systemd unit");
    }
}
