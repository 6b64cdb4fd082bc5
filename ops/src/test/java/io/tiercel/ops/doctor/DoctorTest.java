package io.tiercel.ops.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DoctorTest {

    @TempDir
    private Path root;

    private MadeUpHost host;
    private Doctor doctor;

    @BeforeEach
    void makeUpHost() {
        host = MadeUpHost.good(root);
        doctor = new Doctor(host.files(), Path.of("/dev/shm/tiercel"), Path.of("/var/lib/tiercel/journal"));
    }

    @Test
    void shouldFindNothingWhereNothingIsWrong() {
        for (final Finding finding : doctor.examine()) {
            // The file system of the folder that stands for the host has the room that it has.
            if (!finding.found().contains("MB free")) {
                assertEquals(Verdict.GOOD, finding.verdict(), finding.toString());
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "/sys/fs/cgroup/cpu.max | 200000 100000 | cpu quota | BAD | 200000 100000 us of a period",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us | 50000 | cpu quota | BAD | 50000 us of a period",
        "/proc/cpuinfo | flags : fpu hypervisor tsc | virtual machine | ADVICE | yes",
        "/sys/devices/system/cpu/isolated | '' | isolated cores | BAD | none",
        "/sys/devices/system/cpu/smt/active | 1 | hyper-threads | ADVICE | on",
        "/sys/devices/system/cpu/cpu5/cpufreq/scaling_governor |"
                + " powersave | frequency governor | BAD | performance, powersave",
        "/sys/devices/system/cpu/cpu3/cpuidle/state1/disable |"
                + " 0 | idle states | BAD | deepest in use takes 133 us to wake",
        "/sys/devices/system/clocksource/clocksource0/current_clocksource | hpet | clock source | BAD | hpet",
        "/sys/devices/system/node/online | 0-1 | NUMA nodes | ADVICE | 2 nodes",
        "/sys/kernel/mm/transparent_hugepage/enabled | [always] madvise | transparent huge pages | BAD |"
                + " enabled always, defrag madvise",
        "/proc/meminfo | HugePages_Total: 0 | huge pages | ADVICE | none reserved",
        "/proc/irq/33/effective_affinity_list | 6 | interrupts | BAD | 1 on cores that were set apart",
        "/proc/sys/kernel/nmi_watchdog | 1 | kernel.nmi_watchdog | ADVICE | 1",
        "/proc/sys/vm/max_map_count | 4096 | vm.max_map_count | BAD | 4096",
        "/proc/self/limits | Max open files  1024  4096 files | open files | BAD | 1024",
        "/proc/self/status | Cpus_allowed_list: 0-1 | cores | ADVICE | '8 online, 2 for this process'",
        "/sys/dev/block/8:1/queue/rotational | 1 | journal's device | ADVICE | 'turns, scheduler [none] mq-deadline'",
        "/sys/dev/block/8:1/queue/scheduler | none [bfq] | journal's device | ADVICE | scheduler none [bfq]"
    })
    void shouldFindEachThingThatIsWrong(
            final String file, final String content, final String check, final Verdict verdict, final String found) {
        host.put(file, content);
        final Finding finding = finding(check);
        assertEquals(verdict, finding.verdict());
        assertEquals(found, finding.found());
        assertFalse(finding.reason().isBlank());
    }

    @Test
    void shouldFindSwapAndHowToSwitchItOff() {
        host.put("/proc/swaps", "Filename Type\n/dev/sda2  partition 8388604\n/swapfile file 1024\n");
        final Finding finding = finding("swap");
        assertEquals("/dev/sda2, /swapfile", finding.found());
        assertEquals(List.of("swapoff -a  # and out of /etc/fstab", "echo 0 > /proc/sys/vm/swappiness"),
                finding.commands());
    }

    @Test
    void shouldFindFileSystemsThatAreNoPlaceForLogsAndJournals() {
        host.put("/proc/self/mountinfo", "22 1 0:40 / / rw - overlay overlay rw\n");
        assertEquals("/dev/shm/tiercel on overlay", finding("Aeron's directory").found());
        assertEquals(Verdict.BAD, finding("Aeron's directory").verdict());
        assertEquals(Verdict.BAD, finding("journal's file system").verdict());
        assertTrue(finding("journal's file system").found().startsWith("/var/lib/tiercel/journal on overlay, "));
        assertEquals(Verdict.UNKNOWN, finding("journal's device").verdict());
        host.put("/proc/self/mountinfo", "22 1 0:40 / / rw - tmpfs tmpfs rw\n");
        assertEquals("what is journaled there is gone when the host stops", finding("journal's file system").reason());
    }

    @ParameterizedTest
    @CsvSource({"0700, GOOD", "0750, ADVICE", "2770, ADVICE", "0755, BAD", "0701, BAD"})
    void shouldFindFoldersThatOthersHaveRightsTo(final String mode, final Verdict verdict) throws IOException {
        for (final String folder : List.of("dev/shm/tiercel", "var/lib/tiercel/journal")) {
            Files.createDirectories(root.resolve(folder));
            Files.setAttribute(root.resolve(folder), "unix:mode", Integer.parseInt(mode, 8));
        }
        final Finding aeron = finding("Aeron's directory, rights");
        final Finding journal = finding("journal, rights");
        assertEquals(verdict, aeron.verdict());
        assertEquals(verdict, journal.verdict());
        assertTrue(aeron.found().endsWith(" has mode 0" + mode.substring(1)), aeron.found());
        assertEquals(verdict == Verdict.GOOD ? List.of() : List.of("chmod 0700 /dev/shm/tiercel"), aeron.commands());
    }

    @Test
    void shouldBeContentWithTheKernelSettingsThatAreInstalled() throws IOException {
        int settingCount = 0;
        for (final String line : Files.readAllLines(Path.of("host/60-tiercel.conf"))) {
            if (!line.isBlank() && !line.startsWith("#")) {
                final String[] words = line.split(" = ");
                host.put("/proc/sys/" + words[0].replace('.', '/'), words[1] + "\n");
                settingCount++;
            }
        }
        assertEquals(8, settingCount);
        for (final Finding finding : doctor.examine()) {
            if (finding.name().startsWith("kernel.") || finding.name().startsWith("vm.")
                    || finding.name().startsWith("net.")) {
                assertEquals(Verdict.GOOD, finding.verdict(), finding.toString());
            }
        }
    }

    @Test
    void shouldLookAtTheJvmsOfAppliancesOnly() {
        process(7, "java\0-XX:+UseG1GC\0org.example.Main\0serve");
        assertEquals("none runs; their JVMs' options are looked at when one does", finding("appliances").found());
        process(8, "java\0-XX:+UseSerialGC\0-XX:GuaranteedSafepointInterval=0\0-XX:+AlwaysPreTouch\0-XX:-UsePerfData\0"
                + "io.tiercel.tools.TiercelCommand\0serve\0--config\0a.yaml");
        host.put("/proc/8/status", "VmSwap:\t       0 kB\n");
        assertEquals(Verdict.GOOD, finding("JVM options, pid 8").verdict());
        assertEquals(Verdict.GOOD, finding("memory, pid 8").verdict());
        process(8, "java\0-javaagent:spy.jar\0-XX:+UseSerialGC\0-XX:+AlwaysPreTouch\0-XX:-UsePerfData\0"
                + "io.tiercel.tools.TiercelCommand\0serve");
        host.put("/proc/8/status", "VmSwap:\t  2048 kB\n");
        assertEquals("without -XX:GuaranteedSafepointInterval=0", finding("JVM options, pid 8").found());
        assertTrue(finding("JVM options, pid 8").reason().contains("-javaagent:spy.jar"));
        assertEquals("2048 kB swapped out", finding("memory, pid 8").found());
    }

    @Test
    void shouldChangeNothingUntilItIsTold() throws IOException {
        host.put("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
        host.put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n");
        host.put("/proc/irq/33/smp_affinity_list", "0-7\n").put("/proc/irq/33/effective_affinity_list", "6\n");
        final List<Finding> findings = doctor.examine();
        assertEquals("powersave\n", read("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor"));
        final List<String> done = doctor.apply(findings);
        assertEquals(List.of(
                "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor: powersave -> performance",
                "/sys/kernel/mm/transparent_hugepage/enabled: [always] madvise never -> madvise",
                "/sys/kernel/mm/transparent_hugepage/defrag: always defer [madvise] never -> madvise",
                "/proc/irq/33/smp_affinity_list: 0-7 -> 0-1"), done);
        assertEquals(Verdict.GOOD, finding("frequency governor").verdict());
    }

    @Test
    void shouldSayWhatCannotBeWrittenAndWriteTheRest() throws IOException {
        host.put("/proc/sys/vm/stat_interval", "1\n").put("/proc/sys/kernel/nmi_watchdog", "1\n");
        final List<Finding> findings = doctor.examine();
        Files.delete(root.resolve("proc/sys/kernel/nmi_watchdog"));
        Files.createDirectory(root.resolve("proc/sys/kernel/nmi_watchdog"));
        final List<String> done = doctor.apply(findings);
        assertTrue(done.get(0).startsWith("/proc/sys/kernel/nmi_watchdog: cannot be written: "), done.toString());
        assertEquals("/proc/sys/vm/stat_interval: 1 -> 10", done.get(1));
    }

    /** Nothing is known of a host without files, and nothing fails. */
    @Test
    void shouldExamineAHostOfWhichNothingCanBeSeen(@TempDir final Path nothing) {
        final Doctor blind = new Doctor(new HostFiles(nothing), Path.of("/dev/shm"), Path.of("/journal"));
        for (final Finding finding : blind.examine()) {
            assertTrue(finding.verdict() != Verdict.BAD || finding.name().equals("isolated cores"), finding.toString());
        }
        assertTrue(blind.apply(blind.examine()).isEmpty());
    }

    /** The kernel gives a setting to one reading only. */
    @Test
    void shouldReadAllOfASettingOfTheKernels() {
        final String setting = "/proc/sys/kernel/pid_max";
        final boolean isThere = Files.isReadable(Path.of(setting));
        if (!isThere) {
            System.out.println("not run: " + setting + " is not there");
        }
        Assumptions.assumeTrue(isThere, "not run: " + setting + " is not there");
        assertTrue(new HostFiles(Path.of("/")).number(setting, 0) > 300, "the kernel allows no less");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "0-3,8 | 0-3,8", "5 | 5", "1,2,3 | 1-3", "'' | ''", "x,4-2,7 | 7", "'0-1,3-3' | 0-1,3"})
    void shouldReadAndWriteListsOfProcessors(final String text, final String again) {
        assertEquals(again, CpuList.text(CpuList.parse(text)));
    }

    @Test
    void shouldTakeNoListForAnEmptyOne() {
        assertEquals(new BitSet(), CpuList.parse(null));
    }

    @Test
    void shouldRecordTheTimesBetweenReadingsOfTheClock() {
        final long[] readings = {0, 50, 100, 5_100, 5_150, 10_200};
        final int[] next = {0};
        final Histogram hiccups = HiccupMeter.measure(() -> readings[next[0]++], 10_000);
        assertEquals(5, hiccups.getTotalCount());
        assertEquals(50, hiccups.getValueAtPercentile(50));
        assertTrue(hiccups.valuesAreEquivalent(5_050, hiccups.getMaxValue()));
    }

    private Finding finding(final String check) {
        return doctor.examine().stream().filter(one -> one.name().equals(check)).findFirst().orElseThrow();
    }

    private void process(final int id, final String command) {
        host.put("/proc/" + id + "/cmdline", command + "\0");
    }

    private String read(final String path) throws IOException {
        return Files.readString(root.resolve(path.substring(1)));
    }
}
