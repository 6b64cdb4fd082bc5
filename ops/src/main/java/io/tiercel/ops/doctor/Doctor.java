package io.tiercel.ops.doctor;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Examines a host as an engineer would who has to find out why answers are late: reads the kernel's files, changes
 * nothing but by {@link #apply}.
 */
public final class Doctor {

    private final HostFiles host;
    private final List<HostCheck> checks;

    /**
     * @param aeronDirectory   where the media driver's files are or will be.
     * @param journalDirectory where the journal is or will be.
     */
    public Doctor(final HostFiles host, final Path aeronDirectory, final Path journalDirectory) {
        this.host = host;
        checks = List.of(
                new ProcessorChecks(),
                new MemoryChecks(),
                new KernelChecks(),
                new StorageChecks(aeronDirectory, journalDirectory),
                new JvmChecks());
    }

    public List<Finding> examine() {
        final List<Finding> findings = new ArrayList<>();
        for (final HostCheck check : checks) {
            findings.addAll(check.examine(host));
        }
        return findings;
    }

    /**
     * Writes the settings of findings, in their order; one that cannot be written keeps none of the others from being.
     *
     * @return a line for each: what it was and is, or why it stayed.
     */
    public List<String> apply(final List<Finding> findings) {
        final List<String> done = new ArrayList<>();
        for (final Finding finding : findings) {
            for (final Setting setting : finding.settings()) {
                done.add(apply(setting));
            }
        }
        return done;
    }

    private String apply(final Setting setting) {
        final String before = host.line(setting.file());
        try {
            host.write(setting);
        } catch (final IOException ex) {
            return setting.file() + ": cannot be written: " + ex;
        }
        return setting.file() + ": " + before + " -> " + host.line(setting.file());
    }
}
