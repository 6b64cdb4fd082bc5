package io.tiercel.nativecuda.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.RunsOnce;
import io.tiercel.nativecuda.NativeTools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * The CUDA kernels of a family against the Java reference, bit for bit, without a GPU: their sources over the emulation
 * ({@code emulation.h}), with several orders of threads; under the sanitizers, of which the thread sanitizer finds
 * races between CUDA threads; and without one of their barriers, which must go wrong.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class CudaEmulation {

    private static final int MIN_BARRIERS = 10;

    @TempDir
    private static Path directory;

    private final String programName;
    private EmulatedProgram fast;

    /** @param programName of the family's source file in {@code src/test/cuda}. */
    CudaEmulation(final String programName) {
        this.programName = programName;
    }

    /** Writes the odd model of an index, with what the reference makes of random inputs; returns the file. */
    abstract Path writeOdd(Path file, int index);

    @BeforeAll
    void build() throws IOException, InterruptedException {
        RunsOnce.orSkip("CUDA kernels over the emulation: " + programName);
        final NativeTools tools = new NativeTools(directory);
        tools.needCompiler("CUDA kernels over the emulation");
        fast = new EmulatedProgram(tools, programName, "-O1");
    }

    /** So many models, each with the orders of threads of so many seeds. */
    final void assertEqualToTheReference(final int models, final int seeds) throws IOException, InterruptedException {
        run(fast, seeds, "", models);
    }

    final void assertEachBarrierIsNeeded(final int models, final int seeds) throws IOException, InterruptedException {
        final String log = run(fast, seeds, "--without-barriers", models);
        assertTrue(log.lines().filter(line -> line.startsWith("without ")).count() > MIN_BARRIERS, log);
    }

    final void assertSanitizersFindNothing(final String sanitizers, final int models, final int seeds)
            throws IOException, InterruptedException {
        final NativeTools tools = new NativeTools(
                Files.createDirectory(directory.resolve(sanitizers.replace(',', '-'))));
        tools.needSanitizers("CUDA kernels over the emulation under sanitizers=" + sanitizers, sanitizers);
        run(new EmulatedProgram(
                tools, programName, "-O0", "-g1", "-fsanitize=" + sanitizers, "-fno-sanitize-recover=all"),
                seeds, "", models);
    }

    private String run(final EmulatedProgram program, final int seeds, final String option, final int models)
            throws IOException, InterruptedException {
        return program.assertSucceeds(seeds, option, models, i -> writeOdd(program.golden(i), i));
    }
}
