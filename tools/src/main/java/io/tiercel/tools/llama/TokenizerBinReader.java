package io.tiercel.tools.llama;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Reads a tokenizer of llama2.c: {@code int32 longestPiece}, then for each piece {@code float score, int32 length,
 * bytes}, little-endian. How many there are it does not say, only the model does. Beginning and end are 1 and 2.
 */
final class TokenizerBinReader {

    static final int BOS_ID = 1;
    static final int EOS_ID = 2;

    /** llama2.c puts these on lines of their own, other files do not: they are never part of a text. */
    private static final Map<String, String> PLAIN = Map.of("\n<s>\n", "<s>", "\n</s>\n", "</s>");

    private TokenizerBinReader() {
    }

    static Tokenizer read(final String source, final byte[] bytes, final int vocabularySize) {
        final ByteCursor file = new ByteCursor(source, bytes);
        final int longest = file.readInt("longestPiece");
        final byte[][] pieces = new byte[vocabularySize][];
        final float[] scores = new float[vocabularySize];
        for (int id = 0; id < vocabularySize; id++) {
            if (file.remaining() == 0) {
                throw file.refused("pieces=" + id + " but the model's vocabulary=" + vocabularySize);
            }
            scores[id] = Float.intBitsToFloat(file.readInt("piece=" + id + " score"));
            final int length = file.readInt("piece=" + id + " length");
            if (length < 0 || length > longest) {
                throw file.refused("piece=" + id + " length=" + length + " is not in 0.." + longest);
            }
            pieces[id] = file.readBytes(length, "piece=" + id);
        }
        if (file.remaining() != 0) {
            throw file.refused("bytes=" + file.remaining() + " are left behind the pieces of the model's vocabulary=" +
                    vocabularySize);
        }
        makePlain(pieces, BOS_ID);
        makePlain(pieces, EOS_ID);
        return Tokenizer.of(source, pieces, scores, BOS_ID, EOS_ID);
    }

    private static void makePlain(final byte[][] pieces, final int id) {
        if (id < pieces.length) {
            final String text = new String(pieces[id], StandardCharsets.ISO_8859_1);
            pieces[id] = PLAIN.getOrDefault(text, text).getBytes(StandardCharsets.ISO_8859_1);
        }
    }
}
