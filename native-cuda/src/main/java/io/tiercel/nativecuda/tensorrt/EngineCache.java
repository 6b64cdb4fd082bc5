package io.tiercel.nativecuda.tensorrt;

import io.tiercel.protocol.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HexFormat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plans that were made before, one file each: {@code SHA-256 of the bundle}-{@code platform}.plan, which is the SHA-256
 * of what follows, and the plan. A file that is damaged counts as none. A plan holds code, so the directory is this
 * user's alone, and one that others may write to is not used.
 *
 * <p>Two processes may write one file: each writes its own and moves it there. A cache that cannot be written costs the
 * next start its time, and no more.
 */
final class EngineCache {

    /** Where plans are kept; without it, {@code tiercel/tensorrt} in {@code XDG_CACHE_HOME} or in {@code ~/.cache}. */
    static final String DIRECTORY_PROPERTY = "tiercel.tensorrt.cache";

    private static final Logger LOG = LoggerFactory.getLogger(EngineCache.class);
    private static final int DIGEST_BYTES = 32;

    private final Path directory;

    EngineCache(final Path directory) {
        this.directory = directory;
    }

    static EngineCache ofUser() {
        final String asked = System.getProperty(DIRECTORY_PROPERTY);
        if (asked != null) {
            return new EngineCache(Path.of(asked));
        }
        final String caches = System.getenv("XDG_CACHE_HOME");
        final Path home = caches == null || caches.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(caches);
        return new EngineCache(home.resolve("tiercel").resolve("tensorrt"));
    }

    /** A plan; null if there is none, or none that is good. */
    byte[] read(final String versionHex, final String platform) {
        final Path file = file(versionHex, platform);
        try {
            if (!isThisUsersAlone()) {
                return null;
            }
            final byte[] bytes = Files.readAllBytes(file);
            if (bytes.length > DIGEST_BYTES) {
                final byte[] plan = Arrays.copyOfRange(bytes, DIGEST_BYTES, bytes.length);
                final String expected = HexFormat.of().formatHex(bytes, 0, DIGEST_BYTES);
                if (Sha256.hexOf(plan).equals(expected)) {
                    return plan;
                }
            }
            LOG.warn("{}: damaged, will be made again", file);
        } catch (final NoSuchFileException ex) {
            return null;
        } catch (final IOException ex) {
            LOG.warn("{}: cannot be read, will be made again: {}", file, ex.toString());
        }
        return null;
    }

    void write(final String versionHex, final String platform, final byte[] plan) {
        final Path file = file(versionHex, platform);
        try {
            Files.createDirectories(directory.toAbsolutePath().getParent());
            if (!Files.exists(directory)) {
                Files.createDirectory(
                        directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            if (!isThisUsersAlone()) {
                return;
            }
            final byte[] bytes = Arrays.copyOf(HexFormat.of().parseHex(Sha256.hexOf(plan)), DIGEST_BYTES + plan.length);
            System.arraycopy(plan, 0, bytes, DIGEST_BYTES, plan.length);
            final Path own = Files.createTempFile(directory, "plan-", ".part");
            try {
                Files.write(own, bytes);
                Files.move(own, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(own);
            }
        } catch (final IOException ex) {
            LOG.warn("{}: cannot be written, so the next start makes the plan again: {}", file, ex.toString());
        }
    }

    private boolean isThisUsersAlone() throws IOException {
        if (!Files.exists(directory)) {
            return false;
        }
        final String permissions = PosixFilePermissions.toString(Files.getPosixFilePermissions(directory));
        final boolean isAlone = permissions.charAt(4) == '-' && permissions.charAt(7) == '-';
        if (!isAlone) {
            LOG.warn("{}: others may write to it ({}), so no plan is taken from it or put there", directory,
                    permissions);
        }
        return isAlone;
    }

    private Path file(final String versionHex, final String platform) {
        return directory.resolve(versionHex + "-" + platform + ".plan");
    }
}
