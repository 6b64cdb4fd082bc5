package io.tiercel.appliance;

import org.agrona.IoUtil;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The appliance on a fake clock, with everything that can go wrong going wrong, as a seed says: the same seed gives the
 * same run, on any machine. {@code appliance/README.md} tells what is real in it and what is not.
 *
 * <p>Used by {@link SimulationTest}, a few seeds at a time, and by {@link SimulationMain}, for as long as one likes.
 */
final class Simulation implements AutoCloseable {

    /** In memory, where there is such a place: nothing in a run depends on the device. */
    private static final Path MEMORY = Path.of("/dev/shm");

    private final Path root;
    private final SimulatedModels models;

    Simulation() {
        try {
            root = Files.isWritable(MEMORY)
                    ? Files.createTempDirectory(MEMORY, "tiercel-simulation-")
                    : Files.createTempDirectory("tiercel-simulation-");
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
        models = new SimulatedModels(root);
    }

    /**
     * One seed.
     *
     * @param out gets each line of the trace as it comes; null for nowhere.
     * @throws AssertionError with the seed, the newest lines, and how to run it again, if anything does not hold.
     */
    SimulationTrace run(final long seed, final PrintStream out) {
        final Path directory = root.resolve("seed-" + seed);
        final SimulationTrace trace = new SimulationTrace(out);
        try (SimulationRun run = new SimulationRun(seed, makeDirectory(directory), models, trace)) {
            run.run();
        } catch (final RuntimeException | Error ex) {
            throw failure(seed, trace, ex);
        } finally {
            IoUtil.delete(directory.toFile(), true);
        }
        return trace;
    }

    @Override
    public void close() {
        models.close();
        IoUtil.delete(root.toFile(), true);
    }

    static AssertionError failure(final long seed, final SimulationTrace trace, final Throwable cause) {
        return new AssertionError("simulation failed: seed=" + seed + ": " + cause.getMessage() + "\n  " +
                trace.newest() + "\nrun it again: tools/simulate.sh --seed " + seed, cause);
    }

    private static Path makeDirectory(final Path directory) {
        try {
            return Files.createDirectories(directory);
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }
}
