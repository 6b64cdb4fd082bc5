package io.tiercel.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Prometheus' own tool for whoever writes for it; tests that need it say where it is not installed. */
public final class Promtool {

    private static final List<String> FOLDERS = List.of("/usr/bin", "/usr/local/bin", "/bin");

    private Promtool() {
    }

    /**
     * Runs it, and fails with what it says unless it is content.
     *
     * @param input for its standard input; null for none.
     */
    public static String check(final Path input, final String... arguments) throws IOException, InterruptedException {
        final List<String> command = Stream.concat(Stream.of(find()), Stream.of(arguments)).toList();
        final ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        if (input != null) {
            builder.redirectInput(input.toFile());
        }
        final Process process = builder.start();
        final String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), command + ": " + said);
        return said;
    }

    private static String find() {
        final String found = FOLDERS.stream().map(folder -> folder + "/promtool")
                .filter(file -> Files.isExecutable(Path.of(file))).findFirst().orElse(null);
        if (found == null) {
            System.out.println("not run: promtool is not installed");
        }
        Assumptions.assumeTrue(found != null, "not run: promtool is not installed");
        return found;
    }
}
