package io.tiercel.tools.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ToolException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufHeaderTest {

    private static final Object[] NUMBERS = {
        "llama.context_length", 512, "llama.embedding_length", 64, "llama.attention.head_count", 8};

    @TempDir
    private Path directory;

    @Test
    void shouldDivideTheModelByItsHeadsUnlessTheFileSaysOtherwise() throws IOException {
        assertEquals(new GgufHeader("llama", 8, 8, 512), read(DecodeTestData.gguf(DecodeTestData.VERSION, NUMBERS)));
        final Object[] more = Arrays.copyOf(NUMBERS, NUMBERS.length + 4);
        more[NUMBERS.length] = "llama.attention.key_length";
        more[NUMBERS.length + 1] = 96;
        more[NUMBERS.length + 2] = "llama.attention.value_length";
        more[NUMBERS.length + 3] = 32;
        assertEquals(new GgufHeader("llama", 96, 32, 512), read(DecodeTestData.gguf(DecodeTestData.VERSION, more)));
    }

    @Test
    void shouldRefuseWhatIsNoModel() throws IOException {
        final byte[] good = DecodeTestData.gguf(DecodeTestData.VERSION, NUMBERS);
        for (int length = 0; length < good.length; length++) {
            assertTrue(refusal(Arrays.copyOf(good, length)).endsWith("it ends too early"), "length=" + length);
        }
        assertTrue(refusal("GGML and some more".getBytes(StandardCharsets.US_ASCII)).endsWith("begin with GGUF"));
        assertTrue(refusal(DecodeTestData.gguf(4, NUMBERS)).contains("version=4"));
        assertTrue(refusal(DecodeTestData.gguf(DecodeTestData.VERSION)).contains("head_count is not there"));
        assertTrue(refusal(DecodeTestData.gguf(DecodeTestData.VERSION, "llama.attention.head_count", -1))
                .contains("head_count=-1"));
        final byte[] huge = good.clone();
        Arrays.fill(huge, 24, 31, (byte) 0x7F); // the first key's length
        assertTrue(refusal(huge).contains("a string of bytes="));
    }

    private GgufHeader read(final byte[] content) throws IOException {
        return GgufHeader.read(Files.write(directory.resolve("model.gguf"), content));
    }

    private String refusal(final byte[] content) {
        final ToolException error = assertThrows(ToolException.class, () -> read(content));
        assertEquals(ExitCode.ENVIRONMENT, error.exitCode());
        return error.getMessage();
    }
}
