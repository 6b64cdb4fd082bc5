package io.tiercel.ops.doctor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Appliances that run: the options of their JVMs, and whether their memory is all there. */
final class JvmChecks implements HostCheck {

    private static final String MAIN = "io.tiercel.tools.TiercelCommand";

    /** An option that has to be there, in one of some spellings. */
    private record Wanted(List<String> spellings, String reason) {
    }

    private static final List<Wanted> WANTED = List.of(
            new Wanted(List.of("-XX:+UseSerialGC", "-XX:+UseZGC", "-XX:+UseEpsilonGC", "-XX:+UseShenandoahGC"),
                    "the default collector has threads of its own and a dearer write barrier"),
            new Wanted(List.of("-XX:GuaranteedSafepointInterval=0"),
                    "on JDK 17 the JVM stops all threads once a second for nothing"),
            new Wanted(List.of("-XX:+AlwaysPreTouch"), "the heap's pages are asked for when they are first used"),
            new Wanted(List.of("-XX:-UsePerfData"), "the JVM writes its statistics to a mapped file, and waits for its"
                    + " disk at safepoints"));

    @Override
    public List<Finding> examine(final HostFiles host) {
        final List<Finding> findings = new ArrayList<>();
        for (final String process : host.names("/proc")) {
            if (process.matches("\\d+")) {
                final List<String> command = command(host, process);
                if (command.contains(MAIN) && command.contains("serve")) {
                    findings.add(options(process, command));
                    findings.add(memory(host, process));
                }
            }
        }
        return findings.isEmpty()
                ? List.of(Finding.good("appliances", "none runs; their JVMs' options are looked at when one does"))
                : findings;
    }

    private static List<String> command(final HostFiles host, final String process) {
        return Arrays.asList(String.join("\n", host.lines("/proc/" + process + "/cmdline")).split("\0"));
    }

    private static Finding options(final String process, final List<String> command) {
        final String name = "JVM options, pid " + process;
        final List<String> missing = new ArrayList<>();
        final StringBuilder reasons = new StringBuilder();
        for (final Wanted wanted : WANTED) {
            if (wanted.spellings.stream().noneMatch(command::contains)) {
                missing.add(wanted.spellings.get(0));
                reasons.append(reasons.isEmpty() ? "" : "; ").append(wanted.reason);
            }
        }
        final List<String> agents = command.stream().filter(option -> option.startsWith("-javaagent:")).toList();
        if (!agents.isEmpty()) {
            reasons.append(reasons.isEmpty() ? "" : "; ").append("agents rewrite the hot path: ")
                    .append(String.join(" ", agents));
        }
        if (reasons.isEmpty()) {
            return Finding.good(name, "as the launcher sets them");
        }
        final Finding finding = Finding.of(name, Verdict.BAD,
                missing.isEmpty() ? "with an agent" : "without " + String.join(" ", missing), reasons.toString());
        return missing.isEmpty()
                ? finding
                : finding.command("TIERCEL_JAVA_OPTS='" + String.join(" ", missing) + "' tools/tiercel serve …");
    }

    private static Finding memory(final HostFiles host, final String process) {
        final String name = "memory, pid " + process;
        final String swapped = host.value("/proc/" + process + "/status", "VmSwap");
        if (swapped == null) {
            return Finding.unknown(name, "/proc/" + process + "/status does not say");
        }
        return swapped.startsWith("0 ")
                ? Finding.good(name, "none swapped out")
                : Finding.of(name, Verdict.BAD, swapped + " swapped out", "whoever touches it waits for the disk")
                        .command("swapoff -a");
    }
}
