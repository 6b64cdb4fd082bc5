package io.tiercel.tools.ops;

import io.tiercel.ops.doctor.Doctor;
import io.tiercel.ops.doctor.Finding;
import io.tiercel.ops.doctor.HiccupMeter;
import io.tiercel.ops.doctor.HostFiles;
import io.tiercel.ops.doctor.Verdict;
import io.tiercel.tools.DurationConverter;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.Json;
import io.tiercel.tools.MachineInfo;
import io.tiercel.tools.load.LatencyTable;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.SystemNanoClock;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel ops doctor}: what about this host makes answers late. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = {
            "Examines this host as one would who has to find out why answers are late: cores, clock, memory, " +
                    "interrupts, kernel settings, disks, JVMs of running appliances. Each finding comes with the " +
                    "reason and the command that mends it; then a thread spins and records what the host takes " +
                    "from it.",
            "Changes nothing without --apply."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:nothing is bad; there may be advice",
            "1:something is bad",
            "2:bad arguments",
            "3:the machine or a file failed"
        })
public final class DoctorCommand implements Callable<Integer> {

    @Option(names = "--aeron", paramLabel = "DIR", defaultValue = "/dev/shm",
            showDefaultValue = picocli.CommandLine.Help.Visibility.ALWAYS,
            description = "Directory of the media driver, as in aeron.directory.")
    private Path aeron;

    @Option(names = "--journal", paramLabel = "DIR", defaultValue = "journal",
            showDefaultValue = picocli.CommandLine.Help.Visibility.ALWAYS,
            description = "Directory of the journal, which need not be there yet.")
    private Path journal;

    @Option(names = "--hiccups", paramLabel = "TIME", defaultValue = "2s", converter = DurationConverter.class,
            showDefaultValue = picocli.CommandLine.Help.Visibility.ALWAYS,
            description = "How long to spin and record what the host takes; 0s does not. Put it on a core with "
                    + "taskset -c N tools/tiercel ops doctor.")
    private Duration hiccups;

    @Option(names = "--apply",
            description = "Writes what can be written, as root, until the next start of the host: each file is named "
                    + "with what it was and is. What needs a decision (kernel command line, swap, hyper-threads) "
                    + "stays.")
    private boolean apply;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the findings as JSON as well.")
    private Path json;

    @Option(names = "--root", paramLabel = "DIR", defaultValue = "/", hidden = true,
            description = "Where the kernel's files are.")
    private Path root;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        Json.checkWritable("--json", json);
        final PrintWriter out = spec.commandLine().getOut();
        final Doctor doctor = new Doctor(new HostFiles(root), aeron, journal);
        out.println(MachineInfo.describe());
        List<Finding> findings = doctor.examine();
        if (apply) {
            final List<String> done = doctor.apply(findings);
            out.printf("%napplied, until the next start of the host:%n");
            done.forEach(line -> out.println("  " + line));
            out.print(done.isEmpty() ? "  nothing to apply\n" : "");
            findings = doctor.examine();
        }
        out.printf("%n%s%n", DoctorReport.text(findings));
        final Histogram hiccupsNs = measure();
        if (hiccupsNs != null) {
            out.println(
                    "A thread that does nothing but read the clock, on this host as it is now: times between readings");
            out.println(new LatencyTable().add("hiccups", hiccupsNs));
        }
        out.println(DoctorReport.summary(findings));
        out.flush();
        if (json != null) {
            Json.write(json, DoctorReport.json(findings, hiccupsNs));
        }
        final boolean isBad = findings.stream().anyMatch(finding -> finding.verdict() == Verdict.BAD);
        return isBad ? ExitCode.CHECK_FAILED : ExitCode.OK;
    }

    /** Null if it is not wanted. */
    private Histogram measure() {
        return hiccups.isZero() ? null : HiccupMeter.measure(SystemNanoClock.INSTANCE, hiccups.toNanos());
    }
}
