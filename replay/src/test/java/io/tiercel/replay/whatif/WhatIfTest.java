package io.tiercel.replay.whatif;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.JournalFixture;
import io.tiercel.replay.ReplayOptions;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WhatIfTest {

    private static final int COUNT = 300;
    private static final int SESSION_LIMIT = 6;

    @TempDir
    Path folder;

    private final JournalFixture journal = JournalFixture.of(42, COUNT, SESSION_LIMIT);
    private Path directory;
    private Candidate own;

    @BeforeEach
    void setUp() {
        directory = folder.resolve("journal");
        journal.write(directory);
        own = new Candidate("own", journal.bundles.get(0));
    }

    @Test
    void shouldFindNoChangeWhenTheCandidateIsTheJournalsOwnModel() {
        final WhatIfReport report = run(3, null, own);

        assertNull(report.damage());
        assertEquals(COUNT, report.requestCount() + report.otherCount());
        assertTrue(report.otherCount() > 0, "requests of the other bundle");
        for (final WhatIfReport.Result result : report.subjects()) {
            assertTrue(result.changes().answerCount() > 100, result.changes()::toString);
            assertEquals(0, result.changes().changedCount());
            assertEquals(0, result.changes().largest());
        }
        assertEquals(WhatIfReport.Measure.NONE, report.journaled().measure());
    }

    @Test
    void shouldFindTheSameChangesWhateverTheNumberOfThreads() {
        final WhatIfReport expected = run(1, null, other("a", 5), other("b", 6));

        assertEquals(0, expected.journaled().changes().changedCount());
        for (final int threads : new int[] {2, 5}) {
            final WhatIfReport report = run(threads, null, other("a", 5), other("b", 6));
            for (int index = 0; index <= 2; index++) {
                assertSame(expected.subjects().get(index), report.subjects().get(index));
            }
        }
        final Changes changes = expected.candidates().get(0).changes();
        assertEquals(changes.answerCount(), changes.changedCount());
        assertTrue(changes.changedDecisionCount() > 0 && changes.changedDecisionCount() < changes.answerCount());
    }

    private static void assertSame(final WhatIfReport.Result expected, final WhatIfReport.Result actual) {
        assertEquals(expected.changes().toString(), actual.changes().toString());
        assertEquals(expected.changeUnits(), actual.changeUnits());
        assertEquals(expected.byHour().toString(), actual.byHour().toString());
        assertEquals(expected.worstSessions(COUNT).toString(), actual.worstSessions(COUNT).toString());
    }

    @Test
    void shouldCountWhatIsComparedByHourAndBySessionAsInAll() {
        final WhatIfReport.Result result = run(2, null, other("a", 5)).candidates().get(0);

        assertEquals(result.changes().answerCount(),
                result.byHour().values().stream().mapToLong(Changes::answerCount).sum());
        assertEquals(result.changes().answerCount(),
                result.bySession().values().stream().mapToLong(Changes::answerCount).sum());
        assertEquals(1, result.byHour().size());
        assertTrue(result.bySession().size() > 5);
    }

    @Test
    void shouldCompareOnlyTheRange() {
        final WhatIfReport report = new WhatIf(
                options(2).fromSequence(100).toSequence(199), own, List.of(other("a", 5)), null).run();
        final long all = run(2, null, other("a", 5)).candidates().get(0).changes().answerCount();

        assertEquals(199, report.lastSequence());
        assertTrue(report.candidates().get(0).changes().answerCount() < all / 2);
        assertEquals(0, report.journaled().changes().changedCount(), "sessions are what they were before the range");
    }

    @Test
    void shouldBeRightAlwaysWhenTheLabelsAreWhatTheJournalDecided() throws IOException {
        final WhatIfReport report = run(2, labels(decisions()), other("a", 5));

        assertEquals(1.0, report.journaled().quality().accuracy());
        assertEquals(1.0, report.journaled().quality().balancedAccuracy());
        assertEquals(report.labelledCount(), report.journaled().quality().count());
        final Quality quality = report.candidates().get(0).quality();
        assertTrue(quality.accuracy() > 0 && quality.accuracy() < 1);
        assertTrue(quality.crossEntropy() > report.journaled().quality().crossEntropy());
    }

    /** A line for each computed request of the own bundle: its sequence, and its last step's likeliest class. */
    private List<String> decisions() {
        final List<String> lines = new ArrayList<>();
        try (JoinedJournal records = JoinedJournal.open(directory)) {
            while (records.next()) {
                final int outputs = records.outcomeFrame().outputsLength() / Float.BYTES;
                if (records.outcomeFrame().status() == OutcomeStatus.OK &&
                        records.requestFrame().modelId() != 1) {
                    final int first = outputs - JournalFixture.OUTPUTS;
                    int best = 0;
                    for (int i = 1; i < JournalFixture.OUTPUTS; i++) {
                        best = output(records, first + i) > output(records, first + best) ? i : best;
                    }
                    lines.add(records.sequence() + "," + best);
                }
            }
        }
        return lines;
    }

    private static float output(final JoinedJournal records, final int index) {
        return records.outcomeFrame().buffer().getFloat(
                records.outcomeFrame().outputsOffset() + index * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void shouldNameBothValuesWhenACandidateDoesNotFit() {
        assertMisfit(RandomModels.lstm(1).features(7).outputs(3), "features=7", "features=6");
        assertMisfit(RandomModels.lstm(1).features(6).outputs(4), "outputs=4", "outputs=3");
        assertMisfit(RandomModels.lstm(1).features(6).outputs(3).task(Task.REGRESSION),
                "task=regression", "task=classification");
    }

    private void assertMisfit(final RandomModels model, final String ours, final String theirs) {
        final MisfitException misfit = assertThrows(MisfitException.class,
                () -> run(1, null, new Candidate("odd", model.bundle())));
        assertEquals("candidate=odd " + ours + " but the journal's model " +
                own.bundle().versionHex().substring(0, 16) + " has " + theirs, misfit.getMessage());
    }

    @Test
    void shouldNameWhatIsWrongWithLabels() throws IOException {
        assertBadLabels("line 3: sequence=7 is there twice", "7,1", "7,1");
        assertBadLabels("line 2: 7;1 is not a sequence and a number", "7;1");
        assertBadLabels("line 2: label=NaN is not finite", "7,NaN");
        assertBadLabels("has no labels");
        assertBadLabels("sequence=7 label=3.0 is not a class of the journal's model, 0..2", "7,3");
        assertBadLabels("sequence=7 label=0.5 is not a class of the journal's model, 0..2", "7,0.5");
        assertBadLabels("has 1 sequences, and none from 0 to 299, which is compared", "300,1");
        Files.writeString(folder.resolve("labels.csv"), "sequence;label\n");
        assertTrue(assertThrows(MisfitException.class, () -> RequestLabels.read(folder.resolve("labels.csv")))
                .getMessage().endsWith("labels.csv line 1 is not sequence,label"));
    }

    private void assertBadLabels(final String problem, final String... lines) {
        final MisfitException misfit =
                assertThrows(MisfitException.class, () -> run(1, labels(List.of(lines)), other("a", 5)));
        assertTrue(misfit.getMessage().endsWith(problem), misfit::getMessage);
    }

    @Test
    void shouldReportDamageWithWhatWasFoundBeforeIt() {
        JournalFixture.corruptOnDisk(directory.resolve("requests"), journal.requests.get(200));

        final WhatIfReport report = run(2, null, other("a", 5));

        assertEquals(200, report.damage().sequence());
        assertEquals(199, report.lastSequence());
    }

    private RequestLabels labels(final List<String> lines) throws IOException {
        final Path file = folder.resolve("labels.csv");
        Files.writeString(file, "sequence,label\n" + String.join("\n", lines));
        return RequestLabels.read(file);
    }

    private static Candidate other(final String name, final long seed) {
        final Bundle bundle = RandomModels.lstm(seed).hidden(16).features(JournalFixture.FEATURES)
                .outputs(JournalFixture.OUTPUTS).weights(WeightFormat.INT4).bundle();
        return new Candidate(name, bundle);
    }

    private WhatIfReport run(final int threads, final RequestLabels labels, final Candidate... candidates) {
        return new WhatIf(options(threads), own, List.of(candidates), labels).run();
    }

    private ReplayOptions options(final int threads) {
        return new ReplayOptions().journalDirectory(directory).backend("reference").threads(threads);
    }
}
