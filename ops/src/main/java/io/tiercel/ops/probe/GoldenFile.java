package io.tiercel.ops.probe;

import io.tiercel.protocol.client.ModelInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Answers that were learned: the first one of each version of a model, in a file, a line each. It knows that an answer
 * is another one than before, not that the first was right; for models that nobody computes exactly there is no more to
 * know, and only the same backend on the same kind of machine gives the same bits again.
 *
 * <pre>
 *   # model, version, steps: bits of the outputs
 *   flow 3f0c..e1 3: 3e99999a bd4ccccd
 * </pre>
 */
public final class GoldenFile implements KnownAnswers {

    private static final int FIELD_COUNT = 3;
    private static final int HEX = 16;

    private final Path path;
    private final Map<String, int[]> bitsByQuestion = new LinkedHashMap<>();

    /**
     * Reads the file, which need not be there yet.
     *
     * @throws IllegalArgumentException if a line is none of its own.
     */
    public GoldenFile(final Path path) throws IOException {
        this.path = path;
        if (Files.exists(path)) {
            int number = 0;
            for (final String line : Files.readAllLines(path)) {
                number++;
                if (!line.isBlank() && !line.startsWith("#")) {
                    read(line, number);
                }
            }
        }
    }

    @Override
    public int[] outputBits(final ModelInfo model, final ProbeQuestion question) {
        return bitsByQuestion.get(key(model, question));
    }

    @Override
    public boolean learn(final ModelInfo model, final ProbeQuestion question, final int[] outputBits) {
        final String key = key(model, question);
        final String line = key + ": " + Arrays.stream(outputBits)
                .mapToObj(bits -> HexFormat.of().toHexDigits(bits)).collect(Collectors.joining(" ")) + "\n";
        try {
            final String head = Files.exists(path) ? "" : "# model, version, steps: bits of the outputs\n";
            Files.writeString(path, head + line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (final IOException ex) {
            throw new UncheckedIOException("cannot write what was learned: file=" + path, ex);
        }
        bitsByQuestion.put(key, outputBits);
        return true;
    }

    private void read(final String line, final int number) {
        final int colon = line.indexOf(':');
        final String key = line.substring(0, Math.max(0, colon));
        try {
            if (key.split(" ").length != FIELD_COUNT) {
                throw new IllegalArgumentException("no 'model version steps:'");
            }
            bitsByQuestion.put(key, Arrays.stream(line.substring(colon + 1).trim().split(" "))
                    .mapToInt(bits -> Integer.parseUnsignedInt(bits, HEX)).toArray());
        } catch (final IllegalArgumentException ex) {
            throw new IllegalArgumentException(path + ":" + number + ": " + ex.getMessage(), ex);
        }
    }

    private static String key(final ModelInfo model, final ProbeQuestion question) {
        return model.alias() + " " + model.version() + " " + question.stepCount();
    }
}
