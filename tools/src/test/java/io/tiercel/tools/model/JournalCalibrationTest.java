package io.tiercel.tools.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.TiercelCommand;
import io.tiercel.tools.journal.TokenJournal;
import io.tiercel.tools.llama.CanonicalFile;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.RandomLlama;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code model quantize --calibrate JOURNAL}: what clients sent makes the codecs. */
class JournalCalibrationTest {

    private static final int VOCABULARY = 12;

    @TempDir
    private Path directory;

    private final StringWriter err = new StringWriter();
    private Path model;
    private Path journal;

    @BeforeEach
    void writeModel() throws IOException {
        final LlamaShape shape = new LlamaShape(16, 2, 2, 1, 8, 20, VOCABULARY, 40, 0, 0, 10_000, 1e-5f, true);
        model = directory.resolve("random.safetensors");
        CanonicalFile.write(new LlamaModel(RandomLlama.weights(shape, 3), null, "random"), model);
        journal = directory.resolve("journal");
    }

    @Test
    void shouldMakeTheBundleOfTheSameSequencesInAFile() throws IOException {
        final Path file = directory.resolve("tokens.csv");
        Files.writeString(file, writeSessions());
        assertEquals(ExitCode.OK, quantise(journal, "journal.safetensors"), err::toString);
        assertEquals(ExitCode.OK, quantise(file, "file.safetensors"), err::toString);

        final byte[] ofJournal = Files.readAllBytes(directory.resolve("journal.safetensors"));
        final byte[] ofFile = Files.readAllBytes(directory.resolve("file.safetensors"));
        assertEquals("journal", Bundle.open(directory.resolve("journal.safetensors")).manifest().provenance()
                .get("calibration"));
        assertEquals(header(ofFile).replace("tokens.csv", "journal"), header(ofJournal));
        assertArrayEquals(tensors(ofFile), tensors(ofJournal));
    }

    @Test
    void shouldAskWhichModelWhenTheJournalHasSeveral() {
        final byte[] other = new byte[32];
        other[0] = (byte) 0xab;
        try (TokenJournal tokens = new TokenJournal(journal)) {
            tokens.infer(1, new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
            tokens.version(other).infer(1, new int[] {VOCABULARY});
        }
        refused("--model-version= has to name one of the models in " + journal + ": " + "00".repeat(32) + ", " +
                HexFormat.of().formatHex(other));
        refused("--model-version=7 has to name one of the models in " + journal + ": " + "00".repeat(32) + ", " +
                HexFormat.of().formatHex(other), "--model-version", "7");
        refused(journal + ": sequence=1 token=12 is not in 0..11", "--model-version", "ab");
        assertEquals(ExitCode.OK, quantise(journal, "a.safetensors", "--model-version", "00"), err::toString);
    }

    @Test
    void shouldRefuseInOneLineWhenThereIsNothingToCalibrateBy() throws IOException {
        Files.createDirectory(journal);
        refused(journal + " is not a journal: it has no journal.yaml");
        Files.delete(journal);
        new TokenJournal(journal).close();
        refused(journal + " has no requests");
    }

    @Test
    void shouldRefuseWhenNothingWasComputed() {
        try (TokenJournal tokens = new TokenJournal(journal)) {
            tokens.notComputed(1, OutcomeStatus.EXPIRED, 1, 2);
            tokens.reset(1);
        }
        refused(journal + ": no request of model=" + "00".repeat(32) + " was computed");
    }

    @Test
    void shouldRefuseWhenTheModelTakesFeatures() {
        try (TokenJournal tokens = new TokenJournal(journal)) {
            tokens.features(1, 1, 2, 3);
        }
        refused(journal + ": sequence=0 featureCount=3: the model takes no tokens");
    }

    @Test
    void shouldRefuseAModelVersionWithoutAJournal() {
        assertEquals(ExitCode.BAD_ARGUMENTS, run("--model-version", "ab", "-o", "none"));
        assertTrue(err.toString().contains("--model-version goes with a journal as --calibrate"), err.toString());
    }

    /** By chance, and returns those sequences as a file has them. */
    private String writeSessions() {
        final StringBuilder csv = new StringBuilder("session,token\n");
        final List<String> sequences = new ArrayList<>();
        final int[] open = {-1, -1, -1, -1};
        final SplittableRandom random = new SplittableRandom(5);
        try (TokenJournal tokens = new TokenJournal(journal)) {
            for (int i = 0; i < 120; i++) {
                final int session = random.nextInt(open.length);
                // The same key of another principal is another session.
                tokens.principal(session % 2);
                final int[] sent = random.ints(1 + random.nextInt(3), 0, VOCABULARY).toArray();
                switch (random.nextInt(12)) {
                    case 0 -> {
                        tokens.reset(session / 2);
                        open[session] = -1;
                    }
                    case 1 -> tokens.notComputed(session / 2, OutcomeStatus.EXPIRED, sent);
                    case 2 -> tokens.notComputed(session / 2, OutcomeStatus.CONTEXT_FULL, sent);
                    default -> {
                        tokens.infer(session / 2, sent);
                        if (open[session] < 0) {
                            open[session] = sequences.size();
                            sequences.add("");
                        }
                        for (final int token : sent) {
                            sequences.set(open[session],
                                    sequences.get(open[session]) + open[session] + "," + token + "\n");
                        }
                    }
                }
            }
            tokens.unanswered(0, 1, 2, 3);
        }
        sequences.forEach(csv::append);
        return csv.toString();
    }

    /** Of a safetensors file, behind the eight bytes with its length, without its checksum; spaces fill it up. */
    private static String header(final byte[] file) {
        return new String(file, Long.BYTES, headerBytes(file), StandardCharsets.UTF_8).strip()
                .replaceFirst("\"tiercel.crc32c\":\"[0-9a-f]{8}\"", "");
    }

    private static byte[] tensors(final byte[] file) {
        return Arrays.copyOfRange(file, Long.BYTES + headerBytes(file), file.length);
    }

    private static int headerBytes(final byte[] file) {
        return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    private void refused(final String message, final String... arguments) {
        assertEquals(ExitCode.BAD_ARGUMENTS, quantise(journal, "none.safetensors", arguments), err::toString);
        assertEquals("tiercel model quantize: " + message, err.toString().strip());
        assertTrue(Files.notExists(directory.resolve("none.safetensors")));
    }

    private int quantise(final Path calibration, final String output, final String... arguments) {
        final List<String> all = new ArrayList<>(List.of(
                "--calibrate", calibration.toString(), "--kv", "2/c2", "--window", "4", "-o",
                directory.resolve(output).toString()));
        all.addAll(List.of(arguments));
        return run(all.toArray(String[]::new));
    }

    private int run(final String... arguments) {
        err.getBuffer().setLength(0);
        final List<String> all = new ArrayList<>(List.of("model", "quantize", model.toString()));
        all.addAll(List.of(arguments));
        return TiercelCommand.commandLine(new PrintWriter(new StringWriter()), new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
    }
}
