package io.tiercel.protocol;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/**
 * Files with secrets in them: read only if nobody else can read or change them. What they hold never gets into a
 * message. And folders that are one user's alone.
 */
public final class SecretFiles {

    /** What a key must be, for messages. */
    public static final String KEY_RULE = "a key must be Base64 of " + Handshake.MIN_KEY_LENGTH + " to " +
            Handshake.MAX_KEY_LENGTH + " bytes";

    /** Of a folder that is one user's alone. */
    public static final Set<PosixFilePermission> PRIVATE_FOLDER =
            Set.copyOf(PosixFilePermissions.fromString("rwx------"));

    private static final int FORBIDDEN_MODE = 0_077;
    private static final int PERMISSIONS = 0_777;
    private static final int MAX_LENGTH = 64 * 1024;
    /** Belongs to the user that this process runs as. */
    private static final Path OWN_PROCESS = Path.of("/proc/self");

    private SecretFiles() {
    }

    /**
     * Refuses a file or folder that is not this user's alone.
     *
     * @throws SecretFileException naming the path, its owner or its mode.
     */
    public static void ensurePrivate(final Path path) {
        try {
            final String openness = openness(path);
            if (!openness.isEmpty()) {
                throw new SecretFileException(path + ": " + openness);
            }
            final Object owner = Files.getAttribute(path, "unix:uid");
            final Object user = Files.getAttribute(OWN_PROCESS, "unix:uid");
            if (!owner.equals(user)) {
                throw new SecretFileException(path + ": ownerUid=" + owner + ": must be the user's who reads it, uid=" +
                        user);
            }
        } catch (final IOException ex) {
            throw failure(path, ex);
        }
    }

    /**
     * Which mode gives others rights to a file or folder, and the one to give it; empty if nobody else has any.
     *
     * @throws IOException if it is not there.
     */
    public static String openness(final Path path) throws IOException {
        final int mode = (int) Files.getAttribute(path, "unix:mode") & PERMISSIONS;
        return (mode & FORBIDDEN_MODE) == 0
                ? ""
                : "mode=0" + Integer.toOctalString(mode) + ": others have rights; chmod " +
                        (Files.isDirectory(path) ? "0700" : "0600");
    }

    /** Makes a folder for this user alone, unless it is there; folders above it that are missing are made as usual. */
    public static void createFolder(final Path path) throws IOException {
        if (Files.isDirectory(path)) {
            return;
        }
        final Path parent = path.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        try {
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(PRIVATE_FOLDER));
        } catch (final FileAlreadyExistsException ex) {
            if (!Files.isDirectory(path)) {
                throw ex;
            }
        }
    }

    /**
     * The text of a file that is this user's alone.
     *
     * @throws SecretFileException if it is not, or cannot be read, or is longer than 64 KiB.
     */
    public static String read(final Path path) {
        ensurePrivate(path);
        try {
            if (!Files.isRegularFile(path) || Files.size(path) > MAX_LENGTH) {
                throw new SecretFileException(path + ": must be a regular file of at most " + MAX_LENGTH + " bytes");
            }
            return Files.readString(path, StandardCharsets.UTF_8);
        } catch (final IOException ex) {
            throw failure(path, ex);
        }
    }

    /**
     * A key from a file for clients: its only line that is neither empty nor begins with {@code #}.
     *
     * @throws SecretFileException if there is no such key.
     */
    public static byte[] readKey(final Path path) {
        final List<String> lines = read(path).lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .toList();
        if (lines.size() != 1) {
            throw new SecretFileException(path + ": lines=" + lines.size() + ": must be one line with a key");
        }
        final byte[] key = keyOf(lines.get(0));
        if (key == null) {
            throw new SecretFileException(path + ": " + KEY_RULE);
        }
        return key;
    }

    /** The key that a text stands for, or null if it is none. */
    public static byte[] keyOf(final String text) {
        try {
            final byte[] key = Base64.getDecoder().decode(text);
            return Handshake.isKey(key) ? key : null;
        } catch (final IllegalArgumentException ex) {
            return null;
        }
    }

    /** As it stands in files. */
    public static String textOf(final byte[] key) {
        return Base64.getEncoder().encodeToString(key);
    }

    private static SecretFileException failure(final Path path, final IOException cause) {
        if (cause instanceof NoSuchFileException) {
            return new SecretFileException(path + ": no such file");
        }
        if (cause instanceof AccessDeniedException) {
            return new SecretFileException(path + ": permission denied");
        }
        return new SecretFileException(path + ": cannot be read: " + cause.getMessage());
    }
}
