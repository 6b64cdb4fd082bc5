package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.nativecuda.NativeTools;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The CUDA kernels of the {@code transformer} family against the Java reference, bit for bit, without a GPU: their
 * sources over the emulation ({@code emulation.h}), with several orders of threads; under the sanitizers, of which the
 * thread sanitizer finds races between CUDA threads; and without one of their barriers, which must go wrong.
 */
class CudaTransformerEmulationTest {

    private static final String PROGRAM = "emulated_transformer_test";
    private static final int ACTS = 5;

    @TempDir
    private static Path shared;

    private static EmulatedProgram fast;

    @TempDir
    private Path directory;

    @BeforeAll
    static void build() throws IOException, InterruptedException {
        final NativeTools tools = new NativeTools(shared);
        tools.needCompiler("CUDA kernels over the emulation");
        fast = new EmulatedProgram(tools, PROGRAM, "-O1");
    }

    @Test
    void shouldEqualTheReferenceInAnyOrderOfThreads() throws IOException, InterruptedException {
        run(fast, 2, "", 12);
    }

    @Test
    void shouldNoticeEachBarrierThatIsMissing() throws IOException, InterruptedException {
        final String log = run(fast, 2, "--without-barriers", 8);
        assertTrue(log.lines().filter(line -> line.startsWith("without ")).count() > 10, log);
    }

    @ParameterizedTest
    @CsvSource({"'address,undefined,float-cast-overflow', 8, 1", "thread, 4, 1"})
    void shouldHaveNothingForASanitizerToFind(final String sanitizers, final int models, final int seeds)
            throws IOException, InterruptedException {
        final NativeTools tools = new NativeTools(directory);
        tools.needSanitizers("CUDA kernels over the emulation under sanitizers=" + sanitizers, sanitizers);
        run(new EmulatedProgram(
                tools, PROGRAM, "-O0", "-g1", "-fsanitize=" + sanitizers, "-fno-sanitize-recover=all"),
                seeds, "", models);
    }

    private static String run(final EmulatedProgram program, final int seeds, final String option, final int models)
            throws IOException, InterruptedException {
        return program.assertSucceeds(
                seeds, option, models, i -> TransformerGoldenFiles.writeOdd(program.golden(i), i, ACTS));
    }
}
