package io.tiercel.ops.doctor;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Cores: how many, whose, how fast, how deep they sleep, and by which clock they tell the time. */
final class ProcessorChecks implements HostCheck {

    private static final String CPUS = "/sys/devices/system/cpu/";
    private static final String CLOCKS = "/sys/devices/system/clocksource/clocksource0/";
    /** From here on the appliance, its client and the kernel need not share cores. */
    private static final int ENOUGH_CORES = 4;
    /** A core that sleeps deeper than this takes longer to wake than an answer takes. */
    private static final long LONGEST_WAKE_US = 2;

    @Override
    public List<Finding> examine(final HostFiles host) {
        final BitSet allowed = CpuList.parse(host.value("/proc/self/status", "Cpus_allowed_list"));
        return List.of(
                cores(host, allowed),
                quota(host),
                hypervisor(host),
                isolated(host, allowed),
                smt(host),
                governor(host),
                idleStates(host),
                clockSource(host));
    }

    private static Finding cores(final HostFiles host, final BitSet allowed) {
        final BitSet online = CpuList.parse(host.line(CPUS + "online"));
        if (online.isEmpty()) {
            return Finding.unknown("cores", CPUS + "online is not there");
        }
        final String found = online.cardinality() + " online, " + allowed.cardinality() + " for this process";
        return allowed.cardinality() >= ENOUGH_CORES
                ? Finding.good("cores", found)
                : Finding.of("cores", Verdict.ADVICE, found, "every thread that spins wants a core of its own: the"
                        + " appliance one to eight, each client one, and one is left for the kernel and the JVM");
    }

    private static Finding quota(final HostFiles host) {
        final String name = "cpu quota";
        final String limit = host.line("/sys/fs/cgroup/cpu.max");
        final long oldLimit = host.number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", -1);
        final boolean isLimited = limit != null && !limit.startsWith("max");
        if (!isLimited && oldLimit <= 0) {
            return Finding.good(name, "none");
        }
        final String stopped = host.value("/sys/fs/cgroup/cpu.stat", "nr_throttled");
        return Finding.of(name, Verdict.BAD, (isLimited ? limit : oldLimit) + " us of a period" +
                (stopped == null ? "" : ", stopped " + stopped + " times"),
                "a thread that spins uses a quota up and is then stopped for the rest of the period, which is"
                        + " milliseconds")
                .command("# run it with whole cores (cpuset) and without a quota: docker run --cpuset-cpus=2-5,"
                        + " Kubernetes' static CPU manager");
    }

    private static Finding hypervisor(final HostFiles host) {
        final String name = "virtual machine";
        final String flags = host.value("/proc/cpuinfo", "flags");
        if (flags == null) {
            return Finding.unknown(name, "/proc/cpuinfo has no flags");
        }
        if (!flags.contains(" hypervisor")) {
            return Finding.good(name, "no");
        }
        return Finding.of(name, Verdict.ADVICE, "yes" + stolen(host),
                "the hypervisor takes cores away for milliseconds at a time, and no setting in here keeps it from that")
                .command("# a machine of one's own, or cores that the hypervisor has pinned");
    }

    /** The eighth number of the line of all processors. */
    private static String stolen(final HostFiles host) {
        final String times = host.value("/proc/stat", "cpu ");
        if (times == null) {
            return "";
        }
        final String[] numbers = times.split("\\s+");
        return numbers.length < 8 ? "" : ", " + numbers[7] + " hundredths of a second taken away since its start";
    }

    private static Finding isolated(final HostFiles host, final BitSet allowed) {
        final String name = "isolated cores";
        final String isolated = host.line(CPUS + "isolated");
        if (isolated != null && !isolated.isEmpty()) {
            return Finding.good(name, isolated);
        }
        if (allowed.cardinality() < ENOUGH_CORES) {
            return Finding.of(name, Verdict.ADVICE, "none", "there are too few cores to set some apart");
        }
        final BitSet hot = (BitSet) allowed.clone();
        hot.clear(hot.nextSetBit(0));
        hot.clear(hot.nextSetBit(0));
        final String list = CpuList.text(hot);
        return Finding.of(name, Verdict.BAD, "none",
                "whatever else runs here takes turns on the cores of hot threads, and the timer interrupts each of them"
                        + " up to 1,000 times a second")
                .command(
                        "# kernel command line (GRUB_CMDLINE_LINUX), then update-grub and a restart: isolcpus=" + list +
                                " nohz_full=" + list + " rcu_nocbs=" + list)
                .command("taskset -c " + list + " tools/tiercel serve --config serve.yaml");
    }

    private static Finding smt(final HostFiles host) {
        final String name = "hyper-threads";
        final long active = host.number(CPUS + "smt/active", -1);
        if (active < 0) {
            return Finding.unknown(name, CPUS + "smt/active is not there");
        }
        return active == 0
                ? Finding.good(name, "off")
                : Finding.of(name, Verdict.ADVICE, "on", "two threads of one core share its caches and its units: a hot"
                        + " thread is up to twice as slow while the other works")
                        .command("echo off > " + CPUS + "smt/control");
    }

    private static Finding governor(final HostFiles host) {
        final String name = "frequency governor";
        final Set<String> governors = new LinkedHashSet<>();
        final List<Setting> settings = new ArrayList<>();
        for (final String processor : host.processors()) {
            final String file = CPUS + processor + "/cpufreq/scaling_governor";
            final String governor = host.line(file);
            if (governor != null) {
                governors.add(governor);
                if (!"performance".equals(governor)) {
                    settings.add(new Setting(file, "performance"));
                }
            }
        }
        if (governors.isEmpty()) {
            return Finding.unknown(name, "the firmware or the hypervisor decides: no cpufreq here");
        }
        final String found = String.join(", ", governors);
        return settings.isEmpty()
                ? Finding.good(name, found)
                : Finding
                        .of(name, Verdict.BAD, found,
                                "a core that had little to do is slow when the next request comes")
                        .settings("cpupower frequency-set -g performance", settings);
    }

    private static Finding idleStates(final HostFiles host) {
        final String name = "idle states";
        long deepestUs = -1;
        final List<Setting> settings = new ArrayList<>();
        for (final String processor : host.processors()) {
            for (final String state : host.names(CPUS + processor + "/cpuidle")) {
                final String folder = CPUS + processor + "/cpuidle/" + state + "/";
                final long wakeUs = host.number(folder + "latency", -1);
                if (wakeUs >= 0 && host.number(folder + "disable", 0) == 0) {
                    deepestUs = Math.max(deepestUs, wakeUs);
                    if (wakeUs > LONGEST_WAKE_US) {
                        settings.add(new Setting(folder + "disable", "1"));
                    }
                }
            }
        }
        if (deepestUs < 0) {
            return Finding.unknown(name, "the hypervisor decides: no cpuidle here");
        }
        final String found = "deepest in use takes " + deepestUs + " us to wake";
        return settings.isEmpty()
                ? Finding.good(name, found)
                : Finding.of(name, Verdict.BAD, found,
                        "a core that sleeps answers only once it is awake, and its caches are cold then")
                        .settings("cpupower idle-set -D " + LONGEST_WAKE_US, settings)
                        .command("# for good, on the kernel command line: intel_idle.max_cstate=0"
                                + " processor.max_cstate=1");
    }

    private static Finding clockSource(final HostFiles host) {
        final String name = "clock source";
        final String source = host.line(CLOCKS + "current_clocksource");
        if (source == null) {
            return Finding.unknown(name, CLOCKS + "current_clocksource is not there");
        }
        if ("tsc".equals(source)) {
            return Finding.good(name, source);
        }
        final Finding bad =
                Finding.of(name, Verdict.BAD, source, "each time stamp costs a microsecond and more where it is"
                        + " not read off the processor's own counter, and a request takes five");
        final String available = host.line(CLOCKS + "available_clocksource");
        return available != null && available.contains("tsc")
                ? bad.setting(CLOCKS + "current_clocksource", "tsc")
                : bad.command(
                        "# kernel command line: tsc=reliable clocksource=tsc, if the processor's counter is steady");
    }
}
