package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.nativecuda.NativeTools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The CUDA kernels of the {@code lstm} family against the Java reference, bit for bit, without a GPU: their sources
 * over the emulation ({@code emulation.h}), with several orders of threads; under the sanitizers, of which the thread
 * sanitizer finds races between CUDA threads; and without one of their barriers, which must go wrong.
 */
class CudaLstmEmulationTest {

    private static final int BATCHES = 4;

    @TempDir
    private static Path shared;

    private static NativeTools fast;

    @TempDir
    private Path directory;

    @BeforeAll
    static void build() throws IOException, InterruptedException {
        fast = new NativeTools(shared);
        fast.needCompiler("CUDA kernels over the emulation");
        build(fast, "-O1");
    }

    @Test
    void shouldEqualTheReferenceInAnyOrderOfThreads() throws IOException, InterruptedException {
        fast.assertSucceeds(command(fast, 4, "", 16));
    }

    @Test
    void shouldNoticeEachBarrierThatIsMissing() throws IOException, InterruptedException {
        final String log = fast.assertSucceeds(command(fast, 4, "--without-barriers", 6));
        assertTrue(log.lines().filter(line -> line.startsWith("without ")).count() > 10, log);
    }

    @ParameterizedTest
    @CsvSource({"'address,undefined,float-cast-overflow', 10, 2", "thread, 4, 1"})
    void shouldHaveNothingForASanitizerToFind(final String sanitizers, final int models, final int seeds)
            throws IOException, InterruptedException {
        final NativeTools tools = new NativeTools(directory);
        tools.needSanitizers("CUDA kernels over the emulation under sanitizers=" + sanitizers, sanitizers);
        build(tools, "-O0", "-g1", "-fsanitize=" + sanitizers, "-fno-sanitize-recover=all");
        tools.assertSucceeds(command(tools, seeds, "", models));
    }

    /** The thread sanitizer is told of fibers by the emulation, and must not look at how that is done. */
    private static void build(final NativeTools tools, final String... flags)
            throws IOException, InterruptedException {
        final boolean isForThreads = List.of(flags).contains("-fsanitize=thread");
        final List<String> common = new ArrayList<>(List.of("g++", "-std=c++17", "-ffp-contract=off", "-Wall",
                "-Wextra", "-Werror", "-I", NativeTools.CPP.toString(), "-I", NativeTools.CUDA.toString(),
                "-I", NativeTools.TEST_CPP.toString()));
        final List<String> emulation = new ArrayList<>(common);
        emulation.addAll(isForThreads ? List.of("-O1", "-g1", "-DEMULATION_TSAN") : List.of(flags));
        emulation.addAll(List.of("-c", NativeTools.TEST_CPP.resolve("emulation.cpp").toString(),
                "-o", tools.path("emulation.o").toString()));
        tools.assertSucceeds(emulation);
        final List<String> program = new ArrayList<>(common);
        program.addAll(List.of(flags));
        program.addAll(List.of(NativeTools.TEST_CUDA.resolve("emulated_test.cpp").toString(),
                tools.path("emulation.o").toString(), "-o", tools.path("emulated_test").toString()));
        tools.assertSucceeds(program);
    }

    private static List<String> command(
            final NativeTools tools, final int seeds, final String option, final int models) {
        final List<String> command = new ArrayList<>(List.of(tools.path("emulated_test").toString()));
        if (!option.isEmpty()) {
            command.add(option);
        }
        command.add(Integer.toString(seeds));
        for (int i = 0; i < models; i++) {
            command.add(LstmGoldenFiles.writeOdd(tools.path("golden-" + i), i, BATCHES).toString());
        }
        return command;
    }
}
