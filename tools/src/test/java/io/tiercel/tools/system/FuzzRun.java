package io.tiercel.tools.system;

import com.code_intelligence.jazzer.Jazzer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Fuzzes one target, in a JVM of its own: {@code FuzzRun ROOT TARGET LIMIT…}, where ROOT is the checkout and a limit an
 * argument of libFuzzer, like {@code -runs=1000} or {@code -max_total_time=300}. The exit code is the fuzzer's: 0 if
 * nothing was found.
 *
 * <p>What reaches new code is kept in {@code tools/target/fuzz/TARGET/corpus}, to go on from the next time; what was
 * found is put beside it.
 */
final class FuzzRun {

    private static final List<String> SYSTEMS = List.of("linux", "mac", "windows");
    private static final List<String> PROCESSORS = List.of("amd64", "x86_64", "aarch64");

    private FuzzRun() {
    }

    public static void main(final String[] arguments) throws IOException, InterruptedException {
        final Path root = Path.of(arguments[0]).toAbsolutePath();
        final FuzzTarget target = FuzzTarget.parse(arguments[1]);
        final Path work = work(root, target);
        Files.createDirectories(work.resolve("corpus"));
        final List<String> limits = List.of(arguments).subList(2, arguments.length);
        Jazzer.main(target.arguments(root, work, limits).toArray(String[]::new));
    }

    static Path work(final Path root, final FuzzTarget target) {
        return root.resolve("tools/target/fuzz").resolve(target.toString());
    }

    /** Why the fuzzer, part of which is machine code, cannot run here; null if it can. */
    static String unavailable() {
        final String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        final String processor = System.getProperty("os.arch");
        final boolean isKnown = SYSTEMS.stream().anyMatch(system::startsWith) && PROCESSORS.contains(processor);
        return isKnown ? null : "the fuzzer has no driver for os.name=" + system + " os.arch=" + processor;
    }
}
