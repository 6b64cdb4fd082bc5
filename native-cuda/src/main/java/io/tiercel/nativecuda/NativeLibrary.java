package io.tiercel.nativecuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import org.agrona.IoUtil;
import org.bytedeco.javacpp.Loader;

/** A library that JavaCPP has built of a class with native methods. Not on a hot path. */
public final class NativeLibrary {

    /** Where JavaCPP unpacks libraries. Ours, while it is not set: a directory of this process alone. */
    public static final String UNPACK_PROPERTY = "org.bytedeco.javacpp.cachedir";

    private static final FileAttribute<?> FOR_THIS_USER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    /** JavaCPP keeps to the first directory that it was told. Under the class's lock, as its property is. */
    private static Path unpackDirectory;
    /** Whether it stays until the process ends. */
    private static boolean isUnpackDirectoryKept;

    private final Class<?> bindings;
    private boolean isLoaded;

    public NativeLibrary(final Class<?> bindings) {
        this.bindings = bindings;
    }

    /**
     * Loads the library, once for the process. It is unpacked into a temporary directory that only this user can read
     * and that is gone again when it has been loaded: nothing is left in the home directory, where JavaCPP would put
     * it, nor by a process that is killed.
     *
     * @throws UnsatisfiedLinkError if it was not built, or this system cannot load it.
     */
    public void load() {
        synchronized (NativeLibrary.class) {
            if (isLoaded) {
                return;
            }
            if (System.getProperty(UNPACK_PROPERTY) != null) {
                Loader.load(bindings);
            } else {
                loadFromTemporaryDirectory();
            }
            isLoaded = true;
        }
    }

    /**
     * Leaves the directory of unpacked libraries there until the process ends, for bindings that look into it whenever
     * a class of theirs is first used. A process that is killed leaves it behind.
     *
     * @throws UnsatisfiedLinkError if there can be none.
     */
    public static void keepUnpackDirectory() {
        synchronized (NativeLibrary.class) {
            if (isUnpackDirectoryKept || System.getProperty(UNPACK_PROPERTY) != null) {
                return;
            }
            try {
                createUnpackDirectory();
            } catch (final IOException ex) {
                throw noDirectory(ex);
            }
            isUnpackDirectoryKept = true;
            Runtime.getRuntime().addShutdownHook(new Thread(
                    () -> IoUtil.delete(unpackDirectory.toFile(), true), "tiercel-unpacked-libraries"));
        }
    }

    /** Whether the library stands in the class path, for this system. */
    public boolean isBuilt() {
        final String library = System.mapLibraryName("jni" + bindings.getSimpleName());
        return bindings.getResource(Loader.getPlatform() + "/" + library) != null;
    }

    /** Why the library could not be loaded, in one line. JavaCPP looks in the class path first. */
    public String reason(final UnsatisfiedLinkError error) {
        return isBuilt()
                ? "the kernels cannot be loaded: " + error.getMessage() + "; a directory that allows execution can be"
                        + " named by -D" + UNPACK_PROPERTY
                : "kernels not built: no g++ when this was built, or for another system";
    }

    private void loadFromTemporaryDirectory() {
        try {
            if (!isUnpackDirectoryKept) {
                createUnpackDirectory();
            }
            System.setProperty(UNPACK_PROPERTY, unpackDirectory.toString());
            Loader.load(bindings);
        } catch (final IOException ex) {
            throw noDirectory(ex);
        } finally {
            System.clearProperty(UNPACK_PROPERTY);
            if (unpackDirectory != null && !isUnpackDirectoryKept) {
                IoUtil.delete(unpackDirectory.toFile(), true);
            }
        }
    }

    private static void createUnpackDirectory() throws IOException {
        unpackDirectory = unpackDirectory == null
                ? Files.createTempDirectory("tiercel-kernels-", FOR_THIS_USER)
                : Files.createDirectory(unpackDirectory, FOR_THIS_USER);
    }

    private static UnsatisfiedLinkError noDirectory(final IOException cause) {
        final UnsatisfiedLinkError error = new UnsatisfiedLinkError("no temporary directory to unpack into: " + cause);
        error.initCause(cause);
        return error;
    }
}
