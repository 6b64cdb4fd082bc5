package io.tiercel.nativecuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.RunsOnce;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.opentest4j.TestAbortedException;

/** Compilers and what they make, run by tests in a directory of theirs; a test without its tool says "not run". */
public final class NativeTools {

    /** Of this module, from any module's tests. */
    public static final Path MODULE = Path.of("..", "native-cuda").toAbsolutePath().normalize();
    public static final Path CPP = sources("main", "cpp");
    public static final Path CUDA = sources("main", "cuda");
    public static final Path TEST_CPP = sources("test", "cpp");
    public static final Path TEST_CUDA = sources("test", "cuda");

    private static final long LIMIT_SECONDS = 600;

    private final Path directory;

    public NativeTools(final Path directory) {
        this.directory = directory;
    }

    /** Goes on if {@link RunsOnce} lets it and g++ can build with these, comma-separated. */
    public void needSanitizers(final String what, final String sanitizers) throws IOException, InterruptedException {
        RunsOnce.orSkip(what);
        // A compiler that has no runtime of the sanitizer cannot build the smallest program with it.
        needProgram(what, "no g++ that has -fsanitize=" + sanitizers, List.of("g++", "-fsanitize=" + sanitizers,
                Files.writeString(path("probe.cpp"), "int main() {}\n").toString(), "-o", path("probe").toString()));
    }

    public void needCompiler(final String what) throws IOException, InterruptedException {
        needProgram(what, "g++ is missing", List.of("g++", "--version"));
    }

    public void needNvcc(final String what) throws IOException, InterruptedException {
        needProgram(what, "nvcc is missing", List.of("nvcc", "--version"));
    }

    /** Runs a command to its end, and fails with all that it has printed if that is not a good one. */
    public String assertSucceeds(final List<String> command) throws IOException, InterruptedException {
        assertEquals(0, run(command), () -> command + "\n" + logText());
        return logText();
    }

    /** A file in the test's directory. */
    public Path path(final String name) {
        return directory.resolve(name);
    }

    private void needProgram(final String what, final String reason, final List<String> command)
            throws IOException, InterruptedException {
        try {
            if (run(command) == 0) {
                return;
            }
        } catch (final IOException ex) {
            // No such program at all: the same.
            Files.deleteIfExists(log());
        }
        throw notRun(what, reason);
    }

    private int run(final List<String> command) throws IOException, InterruptedException {
        final Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log().toFile())
                .start();
        final boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly();
        }
        assertTrue(ended, () -> command + " took over " + LIMIT_SECONDS + " s\n" + logText());
        return process.exitValue();
    }

    private Path log() {
        return path("log");
    }

    private String logText() {
        try {
            return Files.readString(log());
        } catch (final IOException ex) {
            return "no log: " + ex;
        }
    }

    private static TestAbortedException notRun(final String what, final String reason) {
        System.out.println("not run: " + what + ": " + reason);
        return new TestAbortedException(reason);
    }

    private static Path sources(final String tree, final String language) {
        return MODULE.resolve("src").resolve(tree).resolve(language);
    }
}
