package io.tiercel.tools.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.RandomModels;
import io.tiercel.appliance.engine.RandomTransformers;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.protocol.Sha256;
import io.tiercel.replay.JournalFixture;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.journal.CommandRun;
import io.tiercel.tools.journal.TokenJournal;
import io.tiercel.tools.transformer.TransformerEvaluation;
import io.tiercel.tools.transformer.TransformerSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WhatIfCommandTest {

    private static final int COUNT = 120;

    @TempDir
    Path folder;

    private final JournalFixture journal = JournalFixture.of(3, COUNT);

    @Test
    void shouldPrintARowForEachModelAndWriteNothingIntoTheJournal() throws IOException {
        final Path directory = written();
        final Path candidate = RandomModels.lstm(9).hidden(8).features(JournalFixture.FEATURES)
                .outputs(JournalFixture.OUTPUTS).write(folder);
        final Path json = folder.resolve("report.json");
        final Map<String, String> before = contents(directory);

        final Path page = folder.resolve("report.html");

        final CommandRun run = whatIf("--model", candidate.toString(), "--json", json.toString(), "--html",
                page.toString(), "--threads", "2");

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        assertTrue(run.out.contains("the journal's own"), run.out);
        assertTrue(run.out.contains(candidate.getFileName().toString()), run.out);
        assertTrue(run.out.contains("2023-11-14 22"), run.out);
        final JsonNode report = new ObjectMapper().readTree(Files.readString(json));
        assertEquals(0, report.get("journaled").get("changed").asInt());
        assertEquals(report.get("candidates").get(0).get("answers"), report.get("candidates").get(0).get("changed"));
        assertTrue(report.get("candidates").get(0).get("quality").isNull());
        assertTrue(Files.readString(page).contains(candidate.getFileName().toString()));
        assertEquals(before, contents(directory));
    }

    @Test
    void shouldTakeTheJournalsNextTokensAsLabels() throws IOException {
        final Path directory = folder.resolve("journal");
        final Bundle own = Bundle.open(RandomTransformers.writeTokens(5, 12, folder));
        final Bundle other = Bundle.open(RandomTransformers.writeTokens(6, 12, folder));
        final List<int[]> sequences = List.of(new int[] {1, 4, 9, 2, 7}, new int[] {3, 3, 8});
        try (TokenJournal tokens = new TokenJournal(directory).version(own.version())) {
            tokens.infer(1, new int[] {1, 4}, 0, 0, 0, 0, 0, 0);
            tokens.infer(2, new int[] {3}, 0, 0, 0, 0, 0, 0);
            tokens.infer(1, new int[] {9}, 0, 0, 0, 0, 0, 0);
            tokens.infer(2, new int[] {3, 8}, 0, 0, 0, 0, 0, 0);
            tokens.infer(1, new int[] {2, 7}, 0, 0, 0, 0, 0, 0);
        }
        Files.createDirectories(directory.resolve("bundles"));
        Files.copy(own.path(), directory.resolve("bundles").resolve(own.versionHex() + ".safetensors"));
        final Path json = folder.resolve("report.json");

        final CommandRun run = whatIf("--model", other.path().toString(), "--json", json.toString());

        assertEquals(ExitCode.OK, run.exitCode, run::toString);
        final JsonNode report = new ObjectMapper().readTree(Files.readString(json));
        assertEquals(perplexity(own, sequences), report.get("journaled").get("quality").get("perplexity").asDouble(),
                1e-6);
        assertEquals(perplexity(other, sequences),
                report.get("candidates").get(0).get("quality").get("perplexity").asDouble(), 1e-6);
        assertEquals(6, report.get("journaled").get("quality").get("count").asInt());
    }

    private static double perplexity(final Bundle bundle, final List<int[]> sequences) {
        try (TransformerSession session = new TransformerSession(bundle, Backends.select("reference", bundle))) {
            return TransformerEvaluation.of(session, sequences).perplexity();
        }
    }

    @Test
    void shouldRefuseInOneLineWhatDoesNotGoTogether() throws IOException {
        final Path directory = written();
        final Path wide = RandomModels.lstm(9).features(7).outputs(3).write(folder);

        assertRefused("nothing to try: give --model=BUNDLE, or --weights or --kv with --source", whatIf());
        assertRefused("--weights=int4: it needs the unquantised network, --source=FILE", whatIf("--weights", "int4"));
        assertRefused("--kv=4/4: it needs the unquantised network, --source=FILE", whatIf("--kv", "4/4"));
        assertRefused("--kv=4/4 is for transformers, but the journal's model has family=lstm",
                whatIf("--kv", "4/4", "--source", wide.toString()));
        assertRefused("--source=x is for --weights and --kv, and neither is given",
                whatIf("--model", wide.toString(), "--source", "x"));
        assertRefused("--json=" + directory.resolve("x.json") + " lies in the journal " + directory,
                whatIf("--model", wide.toString(), "--json", directory.resolve("x.json").toString()));
        assertRefused("--model=nowhere is not a file", whatIf("--model", "nowhere"));
        assertRefused("candidate=" + wide.getFileName() + " features=7 but the journal's model ",
                whatIf("--model", wide.toString()));
        assertRefused("candidate=int4 cannot be made: ", whatIf("--weights", "int4", "--source", wide.toString()));
        assertRefused("--model-version=zz is of 0 of the bundles in the journal",
                whatIf("--model", wide.toString(), "--model-version", "zz"));
        final Path labels = Files.writeString(folder.resolve("labels.csv"), "sequence,label\n900,1\n");
        assertRefused("labels=" + labels + " has 1 sequences, and none from 0 to " + (COUNT - 1),
                whatIf("--model", journal.bundlePath(directory, 0).toString(), "--labels", labels.toString()));
    }

    @Test
    void shouldExit1WhenTheJournalIsCutShortOrABundleIsMissing() throws IOException {
        journal.outcomes.remove(COUNT - 1);
        final Path directory = written();
        final Path copy = Files.copy(journal.bundlePath(directory, 0), folder.resolve("copy.safetensors"));

        final CommandRun cut = whatIf("--model", copy.toString());
        final CommandRun allowed = whatIf("--model", copy.toString(), "--allow-open-tail");
        Files.delete(journal.bundlePath(directory, 0));
        Files.delete(journal.bundlePath(directory, 1));
        final CommandRun missing = whatIf("--model", copy.toString());

        assertEquals(ExitCode.CHECK_FAILED, cut.exitCode, cut::toString);
        assertEquals("open tail in requests at sequence 119: 1 request at the end has no outcome yet", cut.err);
        assertEquals(ExitCode.OK, allowed.exitCode, allowed::toString);
        assertEquals(ExitCode.CHECK_FAILED, missing.exitCode, missing::toString);
        assertTrue(missing.err.startsWith("missing bundle in bundles at sequence 0: "), missing.err);
    }

    private static void assertRefused(final String message, final CommandRun run) {
        assertEquals(ExitCode.BAD_ARGUMENTS, run.exitCode, run::toString);
        assertTrue(run.err.startsWith(message), run.err);
        assertEquals(1, run.err.lines().count(), run.err);
    }

    private Path written() {
        final Path directory = folder.resolve("journal");
        journal.write(directory);
        return directory;
    }

    private static Map<String, String> contents(final Path directory) throws IOException {
        final Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (final Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(file.toString(), Sha256.hexOf(Files.readAllBytes(file)) +
                        Files.getLastModifiedTime(file));
            }
        }
        return contents;
    }

    private CommandRun whatIf(final String... more) {
        final String[] arguments = new String[3 + more.length];
        arguments[0] = "whatif";
        arguments[1] = "--journal";
        arguments[2] = folder.resolve("journal").toString();
        System.arraycopy(more, 0, arguments, 3, more.length);
        return CommandRun.of(new ReplayCommand(), arguments);
    }
}
