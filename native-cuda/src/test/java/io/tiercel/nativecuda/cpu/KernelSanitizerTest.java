package io.tiercel.nativecuda.cpu;

import io.tiercel.nativecuda.NativeTools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Builds the kernels' own C++ test with a sanitizer and runs it: no access outside of what it was given, nothing that
 * C++ leaves undefined, no race between the threads of an executor. One sanitizer's program, which has one thread most
 * of the time, runs beside the other's compilers.
 */
@Execution(ExecutionMode.CONCURRENT)
class KernelSanitizerTest {

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
        final NativeTools tools = new NativeTools(directory);
        tools.needSanitizers("kernels under sanitizers=" + sanitizers, sanitizers);
        final List<String> flags = new ArrayList<>(
                List.of("-O1", "-g1", "-fsanitize=" + sanitizers, "-fno-sanitize-recover=all", "-Werror"));
        flags.addAll(WITHOUT_SLOW_PASSES);
        final List<String> build = new ArrayList<>(List.of("bash", NativeTools.CPP.resolve("build.sh").toString(),
                directory.toString()));
        build.addAll(flags);
        tools.assertSucceeds(build);
        final String program = tools.path("kernels_test").toString();
        final List<String> link = new ArrayList<>(List.of("g++", "-std=c++17", "-ffp-contract=off", "-Wall", "-Wextra",
                "-I", NativeTools.CPP.toString(), "-o", program));
        link.addAll(flags);
        link.addAll(List.of(NativeTools.TEST_CPP.resolve("kernels_test.cpp").toString(),
                NativeTools.TEST_CPP.resolve("transformer_test.cpp").toString(),
                tools.path("libtiercel_kernels.a").toString(), "-pthread"));
        tools.assertSucceeds(link);
        tools.assertSucceeds(List.of(program, "20261125", Integer.toString(models)));
    }
}
