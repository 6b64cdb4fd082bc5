package io.tiercel.replay;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.protocol.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The bundles that lie in a journal: {@code bundles/<SHA-256>.safetensors}. A journal is complete in itself, so they
 * are looked for nowhere else.
 */
public final class BundleStore {

    private static final String SUFFIX = ".safetensors";

    private final Path bundlesDirectory;

    public BundleStore(final Path journalDirectory) {
        this.bundlesDirectory = journalDirectory.resolve("bundles");
    }

    /**
     * The bundle whose SHA-256 is {@code versionHex}, its bytes checked against it.
     *
     * @param sequence the first record that needs it, for the report.
     * @throws DamageException if it is not there, is another, or cannot be read as a bundle.
     */
    public Bundle open(final String versionHex, final long sequence) {
        final Path path = bundlesDirectory.resolve(versionHex + SUFFIX);
        if (!Files.isRegularFile(path)) {
            throw damage(DamageKind.MISSING_BUNDLE, sequence, "modelVersion=" + versionHex + " is not at " + path);
        }
        final byte[] bytes = read(path, sequence);
        final String actualHex = Sha256.hexOf(bytes);
        if (!actualHex.equals(versionHex)) {
            throw damage(DamageKind.WRONG_BUNDLE, sequence, path + " has SHA-256 " + actualHex);
        }
        try {
            return Bundle.of(path, bytes);
        } catch (final BundleException ex) {
            throw damage(DamageKind.BAD_BUNDLE, sequence, ex.getMessage());
        }
    }

    /** The versions of which a bundle lies there, those that begin with these hexadecimal digits. */
    public List<String> versions(final String prefix) {
        try (Stream<Path> files = Files.list(bundlesDirectory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(SUFFIX) && name.startsWith(prefix))
                    .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                    .sorted()
                    .toList();
        } catch (final IOException ex) {
            return List.of();
        }
    }

    private static byte[] read(final Path path, final long sequence) {
        try {
            return Files.readAllBytes(path);
        } catch (final IOException ex) {
            throw damage(DamageKind.BAD_BUNDLE, sequence, path + " cannot be read: " + ex);
        }
    }

    static DamageException damage(final DamageKind kind, final long sequence, final String detail) {
        return new DamageException(kind, "bundles", sequence, detail);
    }
}
