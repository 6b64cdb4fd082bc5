package io.tiercel.tools.llama;

import io.tiercel.tools.ModelInputException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * From text to token ids and back, as SentencePiece's byte-pair encoding does it and llama2.c after it. A space is put
 * before the text; each character becomes a piece, or its bytes pieces of their own ({@code <0xNN>}) where the
 * vocabulary does not have it; then, again and again, the two neighbours whose union has the highest score become
 * one, of equal ones those further left.
 *
 * <p>Pieces are bytes, held as strings of characters 0 to 255: a piece need not be whole UTF-8. Does not change; any
 * thread may use it.
 */
public final class Tokenizer {

    static final int MAX_PIECE_BYTES = 4096;

    /** As in llama2.c: a pair whose score is not above it stays apart. */
    private static final float LOWEST_SCORE = -1e10f;
    private static final int NONE = -1;
    private static final String UNKNOWN = "<unk>";

    private final String[] pieces;
    private final float[] scores;
    private final int bosId;
    private final int eosId;

    /** What stands in text, to its id; of equal pieces the first. */
    private final Map<String, Integer> idByPiece = new HashMap<>();
    /** The id of a byte's piece, or {@link #NONE}. */
    private final int[] idByByte = new int[256];
    /** The byte of an id's piece, or {@link #NONE}. */
    private final int[] byteById;
    /** What stands for a byte that has no piece, or {@link #NONE}. */
    private final int unknownId;

    private Tokenizer(final String[] pieces, final float[] scores, final int bosId, final int eosId) {
        this.pieces = pieces;
        this.scores = scores;
        this.bosId = bosId;
        this.eosId = eosId;
        unknownId = Arrays.asList(pieces).indexOf(UNKNOWN);
        byteById = new int[pieces.length];
        Arrays.fill(idByByte, NONE);
        for (int id = 0; id < pieces.length; id++) {
            byteById[id] = byteOf(pieces[id]);
            if (byteById[id] != NONE && idByByte[byteById[id]] == NONE) {
                idByByte[byteById[id]] = id;
            }
            if (byteById[id] == NONE && id != bosId && id != eosId && !pieces[id].equals(UNKNOWN)) {
                idByPiece.putIfAbsent(pieces[id], id);
            }
        }
    }

    /** @param source of the pieces, the beginning of what is said if they cannot be used. */
    static Tokenizer of(
            final String source, final byte[][] pieces, final float[] scores, final int bosId, final int eosId) {
        require(pieces.length >= 2 && pieces.length <= LlamaShape.MAX_VOCABULARY, source,
                "tokenizer pieces=" + pieces.length + " is not in 2.." + LlamaShape.MAX_VOCABULARY);
        require(scores.length == pieces.length, source,
                "tokenizer scores=" + scores.length + ", pieces=" + pieces.length);
        require(bosId >= 0 && bosId < pieces.length, source, "tokenizer bosId=" + bosId + " is not a piece");
        require(eosId >= 0 && eosId < pieces.length, source, "tokenizer eosId=" + eosId + " is not a piece");
        final String[] texts = new String[pieces.length];
        for (int id = 0; id < pieces.length; id++) {
            require(pieces[id].length <= MAX_PIECE_BYTES, source,
                    "tokenizer piece=" + id + " length=" + pieces[id].length + " is above " + MAX_PIECE_BYTES);
            require(Float.isFinite(scores[id]), source,
                    "tokenizer piece=" + id + " score=" + scores[id] + " is not finite");
            texts[id] = new String(pieces[id], StandardCharsets.ISO_8859_1);
        }
        return new Tokenizer(texts, scores.clone(), bosId, eosId);
    }

    /** Pieces. */
    public int size() {
        return pieces.length;
    }

    public int bosId() {
        return bosId;
    }

    public int eosId() {
        return eosId;
    }

    /** The bytes of a piece as it stands in the vocabulary: a byte's own piece is the six characters of its name. */
    public byte[] piece(final int id) {
        return pieces[id].getBytes(StandardCharsets.ISO_8859_1);
    }

    public float score(final int id) {
        return scores[id];
    }

    /**
     * Text as ids; nothing but the beginning for an empty text.
     *
     * @param addBos begin with {@link #bosId}.
     * @throws ModelInputException if a byte of the text has no piece.
     */
    public int[] encode(final String text, final boolean addBos) {
        final List<Integer> ids = new ArrayList<>();
        if (addBos) {
            ids.add(bosId);
        }
        if (!text.isEmpty()) {
            final byte[] utf8 = (" " + text).getBytes(StandardCharsets.UTF_8);
            new Merge(new String(utf8, StandardCharsets.ISO_8859_1)).appendTo(ids);
        }
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    /**
     * The bytes that an id adds to a text; a character may be spread over several ids. Beginning and end have none, and
     * the space at the front of a text, behind the beginning, is left out.
     *
     * @param previousId the id before it; -1 if there is none.
     */
    public byte[] decode(final int previousId, final int id) {
        if (id == bosId || id == eosId) {
            return new byte[0];
        }
        if (byteById[id] != NONE) {
            return new byte[] {(byte) byteById[id]};
        }
        final String piece = pieces[id];
        final boolean isAfterBos = previousId == bosId && piece.startsWith(" ");
        return (isAfterBos ? piece.substring(1) : piece).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The text of all ids. */
    public byte[] decode(final int[] ids) {
        final ByteArrayOutputStream text = new ByteArrayOutputStream();
        int previousId = NONE;
        for (final int id : ids) {
            text.writeBytes(decode(previousId, id));
            previousId = id;
        }
        return text.toByteArray();
    }

    /** The byte that a piece like {@code <0x0A>} stands for, or {@link #NONE}. */
    private static int byteOf(final String piece) {
        if (piece.length() != 6 || !piece.startsWith("<0x") || piece.charAt(5) != '>') {
            return NONE;
        }
        final int high = Character.digit(piece.charAt(3), 16);
        final int low = Character.digit(piece.charAt(4), 16);
        return high < 0 || low < 0 ? NONE : high << 4 | low;
    }

    private int idOfByte(final char value) {
        final int id = idByByte[value] == NONE ? unknownId : idByByte[value];
        if (id == NONE) {
            throw new ModelInputException(
                    "tokenizer: byte=" + String.format("0x%02X", (int) value) + " of the text has no piece");
        }
        return id;
    }

    private static void require(final boolean holds, final String source, final String message) {
        if (!holds) {
            throw new ModelInputException(source + ": " + message);
        }
    }

    /** Neighbours that may become one. The ids say later whether both still are what they were. */
    private record Pair(int left, int right, int leftId, int rightId, int mergedId, float score)
            implements Comparable<Pair> {

        /** Not Float.compare, for which 0 is more than -0. */
        @Override
        public int compareTo(final Pair other) {
            if (score != other.score) {
                return score > other.score ? -1 : 1;
            }
            return Integer.compare(left, other.left);
        }
    }

    /** One text on its way: a list of pieces, linked by indices, and the pairs of it, best first. */
    private final class Merge {

        private final int[] ids;
        private final int[] previous;
        private final int[] next;
        private final PriorityQueue<Pair> pairs = new PriorityQueue<>();
        private int count;

        Merge(final String utf8) {
            ids = new int[utf8.length()];
            previous = new int[utf8.length()];
            next = new int[utf8.length()];
            int start = 0;
            while (start < utf8.length()) {
                int end = start + 1;
                while (end < utf8.length() && (utf8.charAt(end) & 0xC0) == 0x80) {
                    end++;
                }
                appendCharacter(utf8.substring(start, end));
                start = end;
            }
            for (int i = 0; i < count; i++) {
                previous[i] = i - 1;
                next[i] = i + 1 < count ? i + 1 : NONE;
            }
            for (int i = 0; i + 1 < count; i++) {
                offer(i, i + 1);
            }
        }

        void appendTo(final List<Integer> result) {
            for (Pair pair = pairs.poll(); pair != null; pair = pairs.poll()) {
                if (ids[pair.left] == pair.leftId && ids[pair.right] == pair.rightId) {
                    merge(pair);
                }
            }
            for (int i = 0; i != NONE; i = next[i]) {
                result.add(ids[i]);
            }
        }

        private void appendCharacter(final String character) {
            final Integer id = idByPiece.get(character);
            if (id != null) {
                ids[count++] = id;
                return;
            }
            for (int i = 0; i < character.length(); i++) {
                ids[count++] = idOfByte(character.charAt(i));
            }
        }

        private void merge(final Pair pair) {
            ids[pair.left] = pair.mergedId;
            ids[pair.right] = NONE;
            next[pair.left] = next[pair.right];
            if (next[pair.left] != NONE) {
                previous[next[pair.left]] = pair.left;
                offer(pair.left, next[pair.left]);
            }
            if (previous[pair.left] != NONE) {
                offer(previous[pair.left], pair.left);
            }
        }

        private void offer(final int left, final int right) {
            final Integer merged = idByPiece.get(pieces[ids[left]] + pieces[ids[right]]);
            if (merged != null && scores[merged] > LOWEST_SCORE) {
                pairs.add(new Pair(left, right, ids[left], ids[right], merged, scores[merged]));
            }
        }
    }
}
