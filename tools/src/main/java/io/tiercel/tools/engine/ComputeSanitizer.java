package io.tiercel.tools.engine;

import io.tiercel.tools.ChildJvm;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * NVIDIA's {@code compute-sanitizer} over the comparison with the reference, in a JVM of its own, if the machine has
 * it: accesses to memory that are not the kernels', and races in their shared memory. It slows kernels down, so the
 * models are small.
 */
final class ComputeSanitizer {

    private static final String NAME = "compute-sanitizer";
    private static final Path USUAL = Path.of("/usr/local/cuda/bin", NAME);
    private static final List<String> TOOLS = List.of("memcheck", "racecheck");
    private static final String SHAPE = "2x32/8";
    private static final String TRANSFORMER = "2x32/2x16/24/20/40/8";
    private static final int FOUND_SOMETHING = 9;

    private ComputeSanitizer() {
    }

    /**
     * Runs each tool.
     *
     * @param out     gets a line for each.
     * @param program null for the one of the machine.
     * @return of each tool, what it came to: "nothing found", or why not.
     */
    static Map<String, String> run(final Consumer<String> out, final Path program) {
        final Path found = program == null ? find() : program;
        final Map<String, String> results = new LinkedHashMap<>();
        for (final String tool : TOOLS) {
            final String result = found == null || !Files.isExecutable(found)
                    ? "not run: no " + (found == null ? NAME : found) + " here"
                    : run(found, tool);
            out.accept(NAME + " " + tool + ": " + result);
            results.put(tool, result);
        }
        return results;
    }

    private static Path find() {
        final String path = System.getenv("PATH");
        for (final String directory : (path == null ? "" : path).split(File.pathSeparator)) {
            if (!directory.isEmpty() && Files.isExecutable(Path.of(directory, NAME))) {
                return Path.of(directory, NAME);
            }
        }
        return Files.isExecutable(USUAL) ? USUAL : null;
    }

    private static String run(final Path program, final String tool) {
        final List<String> command = new ArrayList<>(List.of(
                program.toString(), "--tool", tool, "--error-exitcode", Integer.toString(FOUND_SOMETHING)));
        command.addAll(ChildJvm.command(List.of("bench", "gpu", "--check-only", "--shapes", SHAPE,
                "--transformers", TRANSFORMER)));
        try {
            final Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String last = "";
            try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    last = line.isBlank() ? last : line.strip();
                }
            }
            final int exitCode = process.waitFor();
            return exitCode == 0 ? "nothing found" : "exit code " + exitCode + ": " + last;
        } catch (final IOException ex) {
            return "not run: " + ex.getMessage();
        } catch (final InterruptedException ex) {
            Thread.currentThread().interrupt();
            return "not run: interrupted";
        }
    }
}
