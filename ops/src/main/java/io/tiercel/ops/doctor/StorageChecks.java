package io.tiercel.ops.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Where Aeron's logs and the journal lie, and who gets at them. */
final class StorageChecks implements HostCheck {

    private static final Set<String> IN_MEMORY = Set.of("tmpfs", "hugetlbfs", "ramfs");
    private static final Set<String> LOCAL = Set.of("ext4", "xfs", "ext3", "ext2", "btrfs", "f2fs", "zfs");
    private static final long AERON_BYTES = 512L << 20;
    private static final long JOURNAL_BYTES = 10L << 30;
    private static final int MB = 1 << 20;
    private static final int PERMISSIONS = 0_777;
    private static final int OF_GROUP = 0_070;
    private static final int OF_OTHERS = 0_007;

    /** A line of {@code /proc/self/mountinfo}. */
    private record Mount(String device, String point, String type) {
    }

    private final Path aeronDirectory;
    private final Path journalDirectory;

    /** @param journalDirectory need not be there yet. */
    StorageChecks(final Path aeronDirectory, final Path journalDirectory) {
        this.aeronDirectory = aeronDirectory.toAbsolutePath().normalize();
        this.journalDirectory = journalDirectory.toAbsolutePath().normalize();
    }

    @Override
    public List<Finding> examine(final HostFiles host) {
        return List.of(aeron(host), rights(host, "Aeron's directory, rights", aeronDirectory,
                "who can write there can speak to the appliance, and who can read there hears what others ask"),
                journal(host), rights(host, "journal, rights", journalDirectory,
                        "who can read there has every request and every answer"),
                device(host));
    }

    private Finding aeron(final HostFiles host) {
        final String name = "Aeron's directory";
        final Mount mount = mountOf(host, aeronDirectory);
        if (mount == null) {
            return Finding.unknown(name, "/proc/self/mountinfo does not say where " + aeronDirectory + " is");
        }
        if (!IN_MEMORY.contains(mount.type)) {
            return Finding.of(name, Verdict.BAD, aeronDirectory + " on " + mount.type,
                    "the kernel writes each message to the disk, and a full queue there stops whoever sends")
                    .command("# in the configuration: aeron.directory: /dev/shm/tiercel");
        }
        final long free = freeBytes(host, aeronDirectory);
        final String found = aeronDirectory + " in memory, " + free / MB + " MB free";
        return free >= AERON_BYTES
                ? Finding.good(name, found)
                : Finding.of(name, Verdict.BAD, found, "a log that finds no memory ends its process, without a word")
                        .command("mount -o remount,size=2g " + mount.point);
    }

    private Finding journal(final HostFiles host) {
        final String name = "journal's file system";
        final Mount mount = mountOf(host, journalDirectory);
        if (mount == null) {
            return Finding.unknown(name, "/proc/self/mountinfo does not say where " + journalDirectory + " is");
        }
        final long free = freeBytes(host, journalDirectory);
        final String found = journalDirectory + " on " + mount.type + ", " + free / MB + " MB free";
        if (IN_MEMORY.contains(mount.type)) {
            return Finding.of(name, Verdict.BAD, found, "what is journaled there is gone when the host stops");
        }
        if (!LOCAL.contains(mount.type)) {
            return Finding
                    .of(name, Verdict.BAD, found, "an append there may wait for a network or for a copy of a layer")
                    .command("# in the configuration: journal.directory on a local ext4 or xfs");
        }
        return free >= JOURNAL_BYTES
                ? Finding.good(name, found)
                : Finding
                        .of(name, Verdict.ADVICE, found,
                                "10,000 requests a second are 864 million records a day in each of its two queues")
                        .command("# in the configuration: journal.keep-size, journal.keep-for");
    }

    private Finding device(final HostFiles host) {
        final String name = "journal's device";
        final Mount mount = mountOf(host, journalDirectory);
        final String folder = mount == null ? null : queueFolder(host, mount.device);
        if (folder == null) {
            return Finding.unknown(name, "no block device of this host");
        }
        final long rotational = host.number(folder + "rotational", 0);
        final String scheduler = host.line(folder + "scheduler");
        final String found = (rotational == 1 ? "turns, scheduler " : "scheduler ") + scheduler;
        if (rotational == 1) {
            return Finding.of(name, Verdict.ADVICE, found,
                    "with journal.durability: disk an answer waits for a disk that"
                            + " turns, which takes milliseconds; some virtual ones only say so");
        }
        return scheduler == null || scheduler.contains("[none]") || "none".equals(scheduler) ||
                scheduler.contains("[mq-deadline]")
                        ? Finding.good(name, found)
                        : Finding.of(name, Verdict.ADVICE, found,
                                "it lets writes wait to be fair to others, and there are none")
                                .setting(folder + "scheduler", "none");
    }

    /** A group may have been let in on purpose; everybody hardly ever is. */
    private static Finding rights(
            final HostFiles host, final String name, final Path directory, final String reason) {
        final Path folder = host.resolve(directory.toString());
        if (!Files.exists(folder)) {
            return Finding.good(name, directory + " is not there; it is made for the appliance's user alone");
        }
        final int mode;
        try {
            mode = (int) Files.getAttribute(folder, "unix:mode") & PERMISSIONS;
        } catch (final IOException ex) {
            return Finding.unknown(name, directory + " cannot be looked at: " + ex.getMessage());
        }
        final String found = String.format(Locale.ROOT, "%s has mode %04o", directory, mode);
        if ((mode & (OF_GROUP | OF_OTHERS)) == 0) {
            return Finding.good(name, found);
        }
        return Finding.of(name, (mode & OF_OTHERS) == 0 ? Verdict.ADVICE : Verdict.BAD, found, reason)
                .command("chmod 0700 " + directory);
    }

    /** A partition's queue is its disk's. */
    private static String queueFolder(final HostFiles host, final String device) {
        final String folder = "/sys/dev/block/" + device;
        if (host.line(folder + "/queue/scheduler") != null) {
            return folder + "/queue/";
        }
        return host.line(folder + "/../queue/scheduler") == null ? null : folder + "/../queue/";
    }

    /**
     * The mount whose point is the longest beginning of the path; of several at one point the last one hides the
     * others.
     */
    private static Mount mountOf(final HostFiles host, final Path path) {
        Mount found = null;
        for (final String line : host.lines("/proc/self/mountinfo")) {
            final String[] fields = line.split(" ");
            final int dash = List.of(fields).indexOf("-");
            if (fields.length > 5 && dash > 0 && dash + 1 < fields.length) {
                final String point = fields[4].replace("\\040", " ");
                if (path.startsWith(point) && (found == null || point.length() >= found.point.length())) {
                    found = new Mount(fields[2], point, fields[dash + 1]);
                }
            }
        }
        return found;
    }

    /** Of the nearest folder that is there. */
    private static long freeBytes(final HostFiles host, final Path path) {
        Path existing = host.resolve(path.toString());
        while (existing != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        try {
            return existing == null ? 0 : Files.getFileStore(existing).getUsableSpace();
        } catch (final IOException ex) {
            return 0;
        }
    }
}
