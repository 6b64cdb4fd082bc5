package io.tiercel.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.agrona.IoUtil;

/** Whatever is wrong with a journal, and wherever, any number of threads finds what one finds. */
class ReplayThreadsProperties {

    private static final int[] THREADS = {2, 3, 7};
    private static final int CHANGES = 6;

    private static Path directory;

    @BeforeContainer
    static void makeDirectory() {
        try {
            directory = Files.createTempDirectory("tiercel-threads-");
        } catch (final IOException ex) {
            throw new UncheckedIOException(ex);
        }
    }

    @AfterContainer
    static void removeDirectory() {
        IoUtil.delete(directory.toFile(), true);
    }

    @Property(tries = 30)
    void shouldFindTheSameWhateverTheNumberOfThreads(
            @ForAll final long seed,
            @ForAll @IntRange(min = 1, max = 700) final int count,
            @ForAll @IntRange(max = 7) final int sessionLimit,
            @ForAll @IntRange(max = 3) final int changes) {
        final JournalFixture journal = JournalFixture.of(seed, count, sessionLimit);
        journal.writeBundles(directory);
        final SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < changes && journal.outcomes.size() > 1; i++) {
            change(journal, random);
        }
        final long from = random.nextInt(3) == 0 ? random.nextInt(count) : 0;

        final ReplayReport expected = verify(journal, from, 1);

        assertTrue(changes > 0 || expected.isIdentical(), () -> expected.divergence() + " " + expected.damage());
        for (final int threads : THREADS) {
            assertEquals(expected, verify(journal, from, threads), () -> "threads=" + threads);
        }
    }

    private static void change(final JournalFixture journal, final SplittableRandom random) {
        final int index = random.nextInt(journal.outcomes.size());
        final TestRecord outcome = journal.outcomes.get(index);
        final TestRecord request = journal.requests.get(index);
        switch (random.nextInt(CHANGES)) {
            case 0 -> outcome.frame[outcome.frame.length - 1] ^= 1;
            case 1 -> request.frame[request.frame.length - 1] ^= 1;
            case 2 -> outcome.principalId++;
            case 3 -> request.modelVersion[0]++;
            case 4 -> journal.outcomes.remove(index);
            default -> journal.outcomes.subList(index, journal.outcomes.size()).clear();
        }
    }

    private static ReplayReport verify(final JournalFixture journal, final long from, final int threads) {
        final ReplayOptions options = new ReplayOptions()
                .journalDirectory(directory)
                .fromSequence(from)
                .threads(threads)
                .nanoClock(() -> 0)
                .processorClock(() -> 0);
        return new ReplayVerifier(options).verify(journal.inMemory());
    }
}
