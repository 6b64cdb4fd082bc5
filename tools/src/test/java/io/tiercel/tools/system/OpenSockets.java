package io.tiercel.tools.system;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The network sockets of a process, as Linux lists them in {@code /proc}. */
final class OpenSockets {

    private static final List<String> TABLES = List.of("tcp", "tcp6", "udp", "udp6", "raw", "raw6");
    private static final int INODE_COLUMN = 9;

    private OpenSockets() {
    }

    static boolean canBeListed() {
        return Files.isReadable(Path.of("/proc/self/net/tcp"));
    }

    /** A line of the kernel's table for each socket; empty if the process has none. */
    static List<String> of(final long pid) throws IOException {
        final Path folder = Path.of("/proc/" + pid);
        final Set<String> inodes = socketInodes(folder.resolve("fd"));
        final List<String> sockets = new ArrayList<>();
        for (final String table : TABLES) {
            final Path file = folder.resolve("net").resolve(table);
            if (!Files.isReadable(file)) {
                continue;
            }
            for (final String line : Files.readAllLines(file)) {
                final String[] columns = line.trim().split("\\s+");
                if (columns.length > INODE_COLUMN && inodes.contains(columns[INODE_COLUMN])) {
                    sockets.add(table + " " + line.trim());
                }
            }
        }
        return sockets;
    }

    private static Set<String> socketInodes(final Path descriptors) throws IOException {
        final Set<String> inodes = new HashSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(descriptors)) {
            for (final Path entry : entries) {
                final String target = target(entry);
                if (target.startsWith("socket:[")) {
                    inodes.add(target.substring("socket:[".length(), target.length() - 1));
                }
            }
        }
        return inodes;
    }

    private static String target(final Path entry) throws IOException {
        try {
            return Files.readSymbolicLink(entry).toString();
        } catch (final NoSuchFileException ex) {
            return ""; // closed meanwhile
        }
    }
}
