package io.tiercel.nativecuda.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opentest4j.TestAbortedException;

/**
 * Builds the kernels' own C++ test with a sanitizer and runs it: no access outside of what it was given, nothing that
 * C++ leaves undefined, no race between the threads of an executor. One sanitizer's program, which has one thread most
 * of the time, runs beside the other's compilers.
 */
@Execution(ExecutionMode.CONCURRENT)
class KernelSanitizerTest {

    private static final Path SOURCES = Path.of("src", "main", "cpp").toAbsolutePath();
    private static final Path TESTS = Path.of("src", "test", "cpp").toAbsolutePath();
    /** C++ is the same on any Java: whoever tests on a second one says that they run elsewhere. */
    private static final String SWITCH = "tiercel.sanitizers";
    private static final long LIMIT_SECONDS = 600;
    /**
     * Passes of the compiler that take two fifths of its time on functions as large as sanitizers make them, in favour
     * of a faster program; no check is one of them.
     */
    private static final List<String> WITHOUT_SLOW_PASSES = List.of(
            "-fira-region=one", "-fira-algorithm=priority", "-fno-tree-pta", "-fno-forward-propagate");

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({"'address,undefined', 60", "thread, 25"})
    void shouldFindNothing(final String sanitizers, final int models) throws IOException, InterruptedException {
        needCompiler(sanitizers);
        final List<String> flags = new ArrayList<>(
                List.of("-O1", "-g1", "-fsanitize=" + sanitizers, "-fno-sanitize-recover=all", "-Werror"));
        flags.addAll(WITHOUT_SLOW_PASSES);
        final List<String> build = new ArrayList<>(List.of("bash", SOURCES.resolve("build.sh").toString(),
                directory.toString()));
        build.addAll(flags);
        assertSucceeds(build);
        final List<String> link = new ArrayList<>(List.of("g++", "-std=c++17", "-ffp-contract=off", "-Wall", "-Wextra",
                "-I", SOURCES.toString(), "-o", directory.resolve("kernels_test").toString()));
        link.addAll(flags);
        link.addAll(List.of(TESTS.resolve("kernels_test.cpp").toString(),
                TESTS.resolve("transformer_test.cpp").toString(),
                directory.resolve("libtiercel_kernels.a").toString(), "-pthread"));
        assertSucceeds(link);
        assertSucceeds(List.of(directory.resolve("kernels_test").toString(), "20261125", Integer.toString(models)));
    }

    /** A compiler that has no runtime of the sanitizer cannot build the smallest program with it. */
    private void needCompiler(final String sanitizers) throws IOException, InterruptedException {
        if ("elsewhere".equals(System.getProperty(SWITCH))) {
            System.out.println("not run: kernels under sanitizers=" + sanitizers + ": -D" + SWITCH + "=elsewhere");
            throw new TestAbortedException(SWITCH + "=elsewhere");
        }
        final Path probe = Files.writeString(directory.resolve("probe.cpp"), "int main() {}\n");
        try {
            if (run(List.of("g++", "-fsanitize=" + sanitizers, probe.toString(), "-o",
                    directory.resolve("probe").toString())) == 0) {
                return;
            }
        } catch (final IOException ex) {
            // No g++ at all: the same.
            Files.deleteIfExists(log());
        }
        System.out.println("not run: kernels under sanitizers=" + sanitizers + ": no g++ that has them");
        throw new TestAbortedException("no g++ with -fsanitize=" + sanitizers);
    }

    private void assertSucceeds(final List<String> command) throws IOException, InterruptedException {
        assertEquals(0, run(command), () -> command + "\n" + logText());
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
        return directory.resolve("log");
    }

    private String logText() {
        try {
            return Files.readString(log());
        } catch (final IOException ex) {
            return "no log: " + ex;
        }
    }
}
