package io.tiercel.tools;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.Manifest;

/**
 * Which build this is: the version from the jar's manifest, and the git commit from the manifest
 * ({@code Implementation-Commit}), from {@code -Dtiercel.commit=…}, or, in a checkout, from git itself.
 */
public final class BuildInfo {

    public static final String COMMIT_PROPERTY = "tiercel.commit";
    public static final String UNKNOWN = "unknown";

    private static final String COMMIT_ATTRIBUTE = "Implementation-Commit";
    private static final String VERSION_ATTRIBUTE = "Implementation-Version";
    private static final long GIT_TIMEOUT_MS = 2_000;

    private BuildInfo() {
    }

    public static String version() {
        final String version = manifestAttribute(VERSION_ATTRIBUTE);
        return version == null ? "development" : version;
    }

    /** The commit, abbreviated, with {@code -dirty} behind it if git says so; or {@code unknown}. */
    public static String commit() {
        final String property = System.getProperty(COMMIT_PROPERTY);
        if (property != null && !property.isBlank()) {
            return property.trim();
        }
        final String attribute = manifestAttribute(COMMIT_ATTRIBUTE);
        return attribute == null || attribute.startsWith("$") || UNKNOWN.equals(attribute)
                ? commitOfCheckout()
                : attribute;
    }

    private static String manifestAttribute(final String name) {
        final String self = "/" + BuildInfo.class.getName().replace('.', '/') + ".class";
        final URL url = BuildInfo.class.getResource(self);
        if (url == null || !"jar".equals(url.getProtocol())) {
            return null;
        }
        final String text = url.toString();
        final String manifestUrl = text.substring(0, text.length() - self.length()) + "/META-INF/MANIFEST.MF";
        try (InputStream in = new URL(manifestUrl).openStream()) {
            final Attributes attributes = new Manifest(in).getMainAttributes();
            final String value = attributes.getValue(name);
            return value == null || value.isBlank() ? null : value.trim();
        } catch (final IOException e) {
            return null;
        }
    }

    /** Asks git about the folder that this class was loaded from, not the working directory, which may be any. */
    private static String commitOfCheckout() {
        try {
            final Path code = Path.of(BuildInfo.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            final Process git = new ProcessBuilder(List.of(
                    "git", "-C", code.toAbsolutePath().getParent().toString(),
                    "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            git.getOutputStream().close();
            if (!git.waitFor(GIT_TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
                git.destroyForcibly();
                return UNKNOWN;
            }
            final String output = new String(git.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).trim();
            return git.exitValue() == 0 && !output.isEmpty() ? output : UNKNOWN;
        } catch (final InterruptedException e) {
            Thread.currentThread().interrupt();
            return UNKNOWN;
        } catch (final Exception e) {
            return UNKNOWN; // no git, or not a checkout: a fact about this machine, not a failure
        }
    }
}
