package io.tiercel.tools.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Somebody changes a journal after the appliance has closed it. */
@Timeout(120)
class TamperedJournalSystemTest {

    @RegisterExtension
    private static final Workbench BENCH = new Workbench();

    private static Path journal;

    @BeforeAll
    static void writeJournal() {
        final ServeConfig config = BENCH.config(BENCH.model(5));
        final TiercelProcess appliance = BENCH.serve(config);
        assertEquals(0, BENCH.client("desk-1", "--requests", "500").awaitExit());
        assertEquals(0, appliance.terminate(), appliance::toString);
        journal = config.journal();
    }

    @Test
    void shouldNameTheSequenceWhenAnOutputByteIsFlipped() throws IOException {
        final Path copy = BENCH.copy(journal, "flipped");
        final StoredRecord outcome = StoredRecord.find(copy, "outcomes", 321);
        outcome.flipBitNearTheEnd();
        outcome.write();

        final TiercelProcess replay = verify(copy);
        assertEquals(ExitCode.CHECK_FAILED, replay.awaitExit(), replay::toString);
        final String result = replay.awaitLine("replay: FAILED");
        assertTrue(result.contains("checksum") && result.contains("321"), replay::toString);
    }

    @Test
    void shouldNameTheSequenceAndTheFieldWhenTheChecksumWasMadeToFit() throws IOException {
        final Path copy = BENCH.copy(journal, "forged");
        final StoredRecord outcome = StoredRecord.find(copy, "outcomes", 321);
        outcome.flipBitNearTheEnd();
        outcome.makeChecksumFit();
        outcome.write();

        final TiercelProcess replay = verify(copy);
        assertEquals(ExitCode.CHECK_FAILED, replay.awaitExit(), replay::toString);
        assertEquals("replay: DIVERGED at sequence 321 (321 outcomes before it bit-identical)",
                replay.awaitLine("replay: "));
        assertTrue(replay.awaitLine("  field").contains("outputs"), replay::toString);
    }

    @Test
    void shouldNameTheBundleWhenItIsMissing() throws IOException {
        final Path copy = BENCH.copy(journal, "without-bundle");
        final Path bundle;
        try (var files = Files.list(copy.resolve("bundles"))) {
            bundle = files.findFirst().orElseThrow();
        }
        Files.delete(bundle);

        final TiercelProcess replay = verify(copy);
        assertEquals(ExitCode.CHECK_FAILED, replay.awaitExit(), replay::toString);
        final String sha256 = bundle.getFileName().toString().replace(".safetensors", "");
        assertTrue(replay.awaitLine("replay: FAILED").contains(sha256), replay::toString);
    }

    private static TiercelProcess verify(final Path directory) {
        return BENCH.run("replay", "verify", "--journal", directory.toString());
    }
}
