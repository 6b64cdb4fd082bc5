package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.RunsOnce;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A short run of the fuzzer over each target, from the committed inputs, with a fixed seed and a fixed number of
 * inputs: that fuzzing works here, and a look for what the last change broke. {@code tools/fuzz.sh} looks for longer.
 */
@Timeout(120)
class FuzzSystemTest {

    private static final Pattern TRIED = Pattern.compile("stat::number_of_executed_units: +(\\d+)");
    private static final Pattern REACHED = Pattern.compile("DONE +cov: (\\d+)");

    @RegisterExtension
    private final Workbench bench = new Workbench();

    @BeforeAll
    static void sayWhenThereIsNoFuzzer() {
        RunsOnce.orSkip("the fuzzer, from committed inputs and with a fixed seed");
        Workbench.assumeThat(FuzzRun.unavailable() == null, FuzzRun.unavailable());
    }

    @ParameterizedTest
    @EnumSource
    void shouldFindNothingInAShortRun(final FuzzTarget target) throws IOException {
        final Path root = Path.of("..").toRealPath();
        assertTrue(Files.isDirectory(target.corpus(root)), () -> "no committed inputs in " + target.corpus(root));
        forgetEarlierRuns(FuzzRun.work(root, target).resolve("corpus"));

        final TiercelProcess fuzzer = bench.fuzz(
                root.toString(), target.toString(), "-seed=1", "-runs=" + target.shortRunCount());
        assertEquals(0, fuzzer.awaitExit(), fuzzer::toString);

        final int tried = number(TRIED, fuzzer);
        System.out.println("fuzz " + target + ": " + tried + " inputs tried, " + number(REACHED, fuzzer) +
                " edges reached");
        assertTrue(tried >= target.shortRunCount(), fuzzer::toString);
    }

    /** So that each run begins with the same inputs. */
    private static void forgetEarlierRuns(final Path corpus) throws IOException {
        if (Files.isDirectory(corpus)) {
            try (var files = Files.newDirectoryStream(corpus)) {
                for (final Path file : files) {
                    Files.delete(file);
                }
            }
        }
    }

    private static int number(final Pattern pattern, final TiercelProcess fuzzer) {
        final List<String> lines = fuzzer.err();
        for (int i = lines.size() - 1; i >= 0; i--) {
            final Matcher matcher = pattern.matcher(lines.get(i));
            if (matcher.find()) {
                return Integer.parseInt(matcher.group(1));
            }
        }
        throw new AssertionError("nothing like " + pattern + "\n" + fuzzer);
    }
}
