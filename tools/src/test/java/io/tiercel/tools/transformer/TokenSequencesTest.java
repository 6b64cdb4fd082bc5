package io.tiercel.tools.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenSequencesTest {

    @TempDir
    private Path folder;

    @Test
    void shouldKeepSessionsApartWhenTheyTakeTurns() throws IOException {
        assertSequences("session,token,split\n1,5,train\n2,6,train\n1,7,test\n2,8,train\n1,9,train\n",
                new int[] {5, 9}, new int[] {6, 8});
    }

    @Test
    void shouldBeOneSequenceOfAllRowsWhenThereAreNeitherSessionsNorASplit() throws IOException {
        assertSequences("token\n3\n1\n2\n", new int[] {3, 1, 2});
    }

    @Test
    void shouldNameTheLineWhenATokenIsNotOfTheVocabulary() throws IOException {
        final Path file = write("session,token\n1,5\n1,10\n");
        assertEquals(file + ": line 3 token=10 is not in 0..9", assertThrows(ModelInputException.class,
                () -> TokenSequences.read(file, null, "train", 10)).getMessage());
    }

    @Test
    void shouldSpreadPiecesOverAllTokensWhenThereAreTooMany() {
        final int[] tokens = IntStream.range(0, 100).toArray();
        final List<int[]> one = List.of(tokens);
        assertSame(one, TokenSequences.spread(one, 100, 10));
        final List<int[]> pieces = TokenSequences.spread(List.of(tokens, new int[] {7}), 35, 10);
        assertEquals(3, pieces.size());
        assertArrayEquals(IntStream.range(0, 10).toArray(), pieces.get(0));
        assertArrayEquals(IntStream.range(30, 40).toArray(), pieces.get(1));
        assertArrayEquals(IntStream.range(70, 80).toArray(), pieces.get(2));
    }

    private void assertSequences(final String text, final int[]... expected) throws IOException {
        final List<int[]> sequences = TokenSequences.read(write(text), null, "train", 10);
        assertEquals(expected.length, sequences.size());
        for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(expected[i], sequences.get(i));
        }
    }

    private Path write(final String text) throws IOException {
        return Files.writeString(folder.resolve("tokens.csv"), text);
    }
}
