package io.tiercel.nativecuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the dynamic linker would find a shared library, without loading it: a probe must leave the process as it was,
 * and a JVM cannot unload. Looks in {@code LD_LIBRARY_PATH}, then in the linker's cache, then in the usual folders, as
 * {@code ld.so(8)} does.
 */
public final class SharedLibraries {

    private static final List<String> USUAL_FOLDERS = List.of(
            "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/lib64", "/usr/lib64", "/lib", "/usr/lib");

    private final List<Path> firstFolders;
    private final Path linkerCache;
    private final List<Path> lastFolders;

    public SharedLibraries(final List<Path> firstFolders, final Path linkerCache, final List<Path> lastFolders) {
        this.firstFolders = firstFolders;
        this.linkerCache = linkerCache;
        this.lastFolders = lastFolders;
    }

    /** Those of this machine. */
    public static SharedLibraries ofMachine() {
        return new SharedLibraries(
                folders(System.getenv("LD_LIBRARY_PATH")),
                Path.of("/etc/ld.so.cache"),
                USUAL_FOLDERS.stream().map(Path::of).toList());
    }

    /** Whether a library of this file name, version included ({@code libcuda.so.1}), can be found. */
    public boolean has(final String fileName) {
        return isIn(firstFolders, fileName) || isInCache(fileName) || isIn(lastFolders, fileName);
    }

    private static boolean isIn(final List<Path> folders, final String fileName) {
        return folders.stream().anyMatch(folder -> Files.isRegularFile(folder.resolve(fileName)));
    }

    /**
     * The cache holds each path as text that ends with a NUL, whatever its format's version. An entry may have outlived
     * its file, so the file is looked at too.
     */
    private boolean isInCache(final String fileName) {
        final String cache;
        try {
            cache = Files.readString(linkerCache, StandardCharsets.ISO_8859_1);
        } catch (final IOException ex) {
            return false;
        }
        final String ending = "/" + fileName + "\0";
        for (int at = cache.indexOf(ending); at >= 0; at = cache.indexOf(ending, at + 1)) {
            final int begin = cache.lastIndexOf('\0', at) + 1;
            if (isFile(cache.substring(begin, at + ending.length() - 1))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isFile(final String text) {
        // The text before the first path is the cache's header, without a NUL between the two.
        final int root = text.indexOf('/');
        try {
            return Files.isRegularFile(Path.of(text.substring(root)));
        } catch (final InvalidPathException ex) {
            return false;
        }
    }

    private static List<Path> folders(final String searchPath) {
        final List<Path> folders = new ArrayList<>();
        if (searchPath != null) {
            for (final String folder : searchPath.split(File.pathSeparator)) {
                if (!folder.isBlank()) {
                    folders.add(Path.of(folder));
                }
            }
        }
        return folders;
    }
}
