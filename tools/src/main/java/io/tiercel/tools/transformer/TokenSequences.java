package io.tiercel.tools.transformer;

import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.llama.LlamaForward;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Where tokens to calibrate with, or to measure on, come from. */
public final class TokenSequences {

    private static final String TOKEN = "token";
    private static final String SPLIT = "split";
    private static final String SESSION = "session";

    private TokenSequences() {
    }

    /**
     * A file: CSV with a column {@code token} is a sequence for each value of its column {@code session}, in the order
     * of their first rows, or one if there is no such column; of the rows whose column {@code split}, if there is one,
     * is as wanted. Anything else is text for the tokenizer, a sequence.
     *
     * @param tokenizer null if the model has none.
     * @throws ModelInputException naming the file and line.
     */
    public static List<int[]> read(
            final Path path, final Tokenizer tokenizer, final String split, final int vocabularySize)
            throws IOException {
        if (!Files.isRegularFile(path)) {
            throw new ModelInputException(path + ": no such file");
        }
        if (path.toString().endsWith(".csv")) {
            return readCsv(path, split, vocabularySize);
        }
        if (tokenizer == null) {
            throw new ModelInputException(
                    path + ": is text, and the model has no tokenizer; tokens are read from .csv");
        }
        return List.of(tokenizer.encode(Files.readString(path), true));
    }

    /**
     * What the network itself says, drawn by its probabilities from the beginning of a text: for a model that comes
     * without its data. The same seed gives the same tokens.
     *
     * @param length  of each sequence.
     * @param context tokens that a token attends to, itself included.
     */
    public static List<int[]> drawn(
            final LlamaModel model, final int count, final int length, final int context, final long seed) {
        final int begin = model.tokenizer() == null ? 0 : model.tokenizer().bosId();
        final List<int[]> sequences = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            final SplittableRandom random = new SplittableRandom(seed + i);
            final LlamaForward forward = LlamaForward.sliding(model.weights(), context, null);
            final int[] sequence = new int[length];
            int token = begin;
            for (int k = 0; k < sequence.length; k++) {
                sequence[k] = token;
                token = draw(forward.step(token), random);
            }
            sequences.add(sequence);
        }
        return sequences;
    }

    /**
     * The sequences as they are if they have no more tokens than that; else pieces of them, spread evenly over all, as
     * many as there is room for.
     *
     * @param pieceTokens of a piece; shorter sequences stay whole.
     */
    static List<int[]> spread(final List<int[]> sequences, final int maxTokens, final int pieceTokens) {
        if (sequences.stream().mapToLong(sequence -> sequence.length).sum() <= maxTokens) {
            return sequences;
        }
        final List<int[]> pieces = new ArrayList<>();
        for (final int[] sequence : sequences) {
            for (int start = 0; start < sequence.length; start += pieceTokens) {
                pieces.add(Arrays.copyOfRange(sequence, start, Math.min(sequence.length, start + pieceTokens)));
            }
        }
        final int longest = pieces.stream().mapToInt(piece -> piece.length).max().orElse(1);
        final int count = Math.max(1, Math.min(pieces.size(), maxTokens / longest));
        final List<int[]> spread = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            spread.add(pieces.get((int) ((long) pieces.size() * i / count)));
        }
        return spread;
    }

    private static int draw(final float[] logits, final SplittableRandom random) {
        final float largest = logits[LlamaForward.greedy(logits)];
        double total = 0;
        for (final float logit : logits) {
            total += StrictMath.exp(logit - (double) largest);
        }
        double rest = random.nextDouble() * total;
        for (int i = 0; i < logits.length; i++) {
            rest -= StrictMath.exp(logits[i] - (double) largest);
            if (rest < 0) {
                return i;
            }
        }
        return logits.length - 1;
    }

    private static List<int[]> readCsv(final Path path, final String split, final int vocabularySize)
            throws IOException {
        final List<String> lines = Files.readAllLines(path);
        if (lines.isEmpty()) {
            throw new ModelInputException(path + ": is empty");
        }
        final List<String> columns = Arrays.asList(lines.get(0).split(",", -1));
        final int tokenColumn = columns.indexOf(TOKEN);
        final int splitColumn = columns.indexOf(SPLIT);
        final int sessionColumn = columns.indexOf(SESSION);
        if (tokenColumn < 0) {
            throw new ModelInputException(path + ": line 1 has no column " + TOKEN);
        }
        final Map<String, IntStream.Builder> sessions = new LinkedHashMap<>();
        for (int i = 1; i < lines.size(); i++) {
            final String[] cells = lines.get(i).split(",", -1);
            if (cells.length != columns.size()) {
                throw new ModelInputException(
                        path + ": line " + (i + 1) + " has " + cells.length + " cells, line 1 has " +
                                columns.size());
            }
            if (splitColumn < 0 || cells[splitColumn].equals(split)) {
                sessions.computeIfAbsent(sessionColumn < 0 ? "" : cells[sessionColumn], any -> IntStream.builder())
                        .add(token(path, i + 1, cells[tokenColumn], vocabularySize));
            }
        }
        if (sessions.isEmpty()) {
            throw new ModelInputException(path + ": no row has " + SPLIT + "=" + split);
        }
        return sessions.values().stream().map(tokens -> tokens.build().toArray()).toList();
    }

    private static int token(final Path path, final int line, final String cell, final int vocabularySize) {
        try {
            final int token = Integer.parseInt(cell.trim());
            if (token >= 0 && token < vocabularySize) {
                return token;
            }
        } catch (final NumberFormatException expected) {
            // Said below, as any other that is none.
        }
        throw new ModelInputException(path + ": line " + line + " token=" + cell + " is not in 0.." +
                (vocabularySize - 1));
    }
}
