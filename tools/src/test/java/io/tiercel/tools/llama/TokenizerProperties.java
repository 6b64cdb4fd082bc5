package io.tiercel.tools.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ModelInputException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class TokenizerProperties {

    /** Unknown, beginning, end, 256 bytes, then what is given. */
    private static final int FIRST_PIECE = 3 + 256;

    @Property(tries = 300)
    void shouldMergeAsIfEachPairWereLookedAtEachTime(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 80) final int pieceCount) {
        final SplittableRandom random = new SplittableRandom(seed);
        final List<String> pieces = new ArrayList<>();
        final float[] scores = new float[pieceCount];
        for (int i = 0; i < pieceCount; i++) {
            pieces.add(RandomLlama.letters(random));
            scores[i] = random.nextInt(4) == 0 ? -0.0f : -random.nextInt(6);
        }
        final Tokenizer tokenizer = tokenizer(pieces, scores);
        final String text = RandomLlama.letters(random) + RandomLlama.letters(random) + RandomLlama.letters(random);
        assertEquals(naive(tokenizer, pieces, text), asList(tokenizer.encode(text, false)));
    }

    @Property(tries = 200)
    void shouldComeBackToTheTextWhenEncodedAndDecoded(@ForAll final String text, @ForAll final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final Tokenizer tokenizer = tokenizer(
                List.of(" ", RandomLlama.letters(random), RandomLlama.letters(random)), new float[3]);
        // What is no character on its own becomes a question mark in UTF-8.
        final byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        assertArrayEquals(utf8, tokenizer.decode(tokenizer.encode(text, true)));
    }

    @Example
    void shouldKeepTheSpaceWhenNothingIsBefore() {
        final Tokenizer tokenizer = tokenizer(List.of(" ", "a", " a"), new float[] {0, 0, 1});
        assertArrayEquals(new int[] {FIRST_PIECE + 2}, tokenizer.encode("a", false));
        assertArrayEquals(" a".getBytes(StandardCharsets.UTF_8), tokenizer.decode(-1, FIRST_PIECE + 2));
        assertArrayEquals("a".getBytes(StandardCharsets.UTF_8),
                tokenizer.decode(tokenizer.bosId(), FIRST_PIECE + 2));
        assertArrayEquals(new byte[0], tokenizer.decode(FIRST_PIECE, tokenizer.eosId()));
        assertArrayEquals(new byte[] {(byte) 0xC3}, tokenizer.decode(tokenizer.bosId(), 3 + 0xC3));
        assertArrayEquals(new int[0], tokenizer.encode("", false));
        assertArrayEquals(new int[] {1}, tokenizer.encode("", true));
    }

    /** Names of special pieces in a text are text: "<s>" must not end or begin anything. */
    @Example
    void shouldNotMakeSpecialPiecesOfTextWhenItSpellsThem() {
        final Tokenizer tokenizer = tokenizer(List.of("<", "s", ">", "<s", "</", "</s"), new float[6]);
        for (final int id : tokenizer.encode("<s></s><unk><0x0A>", false)) {
            assertTrue(id > 2 && id != 3 + '\n', "id=" + id);
        }
    }

    @Example
    void shouldRefuseWhenThereIsNoPieceForAByte() {
        final byte[][] pieces = {{'a'}, {'b'}, {' '}};
        final Tokenizer tokenizer = Tokenizer.of("small", pieces, new float[3], 0, 1);
        final ModelInputException refused =
                assertThrows(ModelInputException.class, () -> tokenizer.encode("c", false));
        assertEquals("tokenizer: byte=0x63 of the text has no piece", refused.getMessage());
    }

    @Example
    void shouldEncodeALongTextInTime() {
        final Tokenizer tokenizer = tokenizer(List.of(" ", "a", "aa", "aaaa", "aaaaaaaa"), new float[] {0, 0, 1, 2, 3});
        assertEquals(1 + 262_144 / 8, tokenizer.encode("a".repeat(262_144), false).length);
    }

    private static Tokenizer tokenizer(final List<String> pieces, final float[] pieceScores) {
        final byte[][] all = new byte[FIRST_PIECE + pieces.size()][];
        final float[] scores = new float[all.length];
        all[0] = bytes("<unk>");
        all[1] = bytes("<s>");
        all[2] = bytes("</s>");
        for (int i = 0; i < 256; i++) {
            all[3 + i] = bytes(String.format("<0x%02X>", i));
        }
        for (int i = 0; i < pieces.size(); i++) {
            all[FIRST_PIECE + i] = bytes(pieces.get(i));
            scores[FIRST_PIECE + i] = pieceScores[i];
        }
        return Tokenizer.of("test", all, scores, 1, 2);
    }

    /** As llama2.c does it: over all pairs, take the best, again. */
    private static List<Integer> naive(final Tokenizer tokenizer, final List<String> pieces, final String text) {
        final List<Integer> ids = new ArrayList<>();
        (" " + text).codePoints().mapToObj(Character::toString).forEach(character -> {
            if (pieces.contains(character)) {
                ids.add(FIRST_PIECE + pieces.indexOf(character));
            } else {
                for (final byte value : bytes(character)) {
                    ids.add(3 + (value & 0xFF));
                }
            }
        });
        while (true) {
            int bestIndex = -1;
            int bestId = -1;
            for (int i = 0; i + 1 < ids.size(); i++) {
                final int index = pieces.indexOf(text(tokenizer, ids.get(i)) + text(tokenizer, ids.get(i + 1)));
                if (index >= 0
                        && (bestId < 0 || tokenizer.score(FIRST_PIECE + index) > tokenizer.score(bestId))) {
                    bestId = FIRST_PIECE + index;
                    bestIndex = i;
                }
            }
            if (bestIndex < 0) {
                return ids;
            }
            ids.set(bestIndex, bestId);
            ids.remove(bestIndex + 1);
        }
    }

    private static String text(final Tokenizer tokenizer, final int id) {
        return new String(tokenizer.piece(id), StandardCharsets.UTF_8);
    }

    private static List<Integer> asList(final int[] ids) {
        return Arrays.stream(ids).boxed().toList();
    }

    private static byte[] bytes(final String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
