package io.tiercel.tools.llama;

import static io.tiercel.tools.llama.LlamaAsserts.assertSameTokenizer;
import static io.tiercel.tools.llama.LlamaAsserts.assertSameWeights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.tools.SharedData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A real language model of 260,032 parameters, in two formats, and what llama2.c makes it say. */
class Stories260kTest {

    private static final String FOLDER = "models/stories260k/";
    private static final int VOCABULARY = 512;
    private static final int REFERENCE_TOKENS = 200;

    @Test
    void shouldReadTheSameWeightsWhenTheFormatIsAnother() {
        final LlamaModel checkpoint = checkpoint();
        final LlamaModel gguf = gguf();
        assertSameWeights(checkpoint.weights(), gguf.weights());
        assertEquals(260_032, checkpoint.shape().parameterCount());
        // The checkpoint says 512 positions, the GGUF file 128; the head of the GGUF file is the embedding once more.
        assertEquals("LlamaShape[dimension=64, layerCount=5, headCount=8, keyValueHeadCount=4, headSize=8, " +
                "hiddenCount=172, vocabularySize=512, contextTokens=512, expertCount=0, activeExperts=0, " +
                "ropeTheta=10000.0, normEpsilon=1.0E-5, isHeadTied=true]", checkpoint.shape().toString());
        assertEquals(checkpoint.shape().toString(),
                gguf.shape().toString().replace("contextTokens=128", "contextTokens=512"));
    }

    @Test
    void shouldReadTheSameTokenizerWhenTheFormatIsAnother() {
        assertSameTokenizer(tokenizer(), gguf().tokenizer());
    }

    /** From the beginning alone, no prompt: llama2.c's {@code run stories260K.bin -z tok512.bin -t 0 -n 200}. */
    @Test
    void shouldTellTheSameStoryWhenGreedy() throws IOException {
        final String expected = Files.readString(SharedData.file(FOLDER + "stories260K_greedy200.txt"));
        assertEquals(expected, greedy(checkpoint().weights(), tokenizer()) + "\n");
    }

    @Test
    void shouldTellTheSameStoryWhenWrittenAndReadAgain() throws IOException {
        final LlamaModel model = checkpoint().withTokenizer(tokenizer());
        final LlamaModel again = ModelFiles.read("again.safetensors", CanonicalFile.toBytes(model));
        assertSameWeights(model.weights(), again.weights());
        assertSameTokenizer(model.tokenizer(), again.tokenizer());
        assertEquals(model.shape(), again.shape());
        assertEquals(greedy(model.weights(), model.tokenizer()), greedy(again.weights(), again.tokenizer()));
        assertTrue(SafetensorsReader.of("again", CanonicalFile.toBytes(model)).has("model.norm.weight"));
    }

    @Test
    void shouldComeBackToTheTextWhenEncodedAndDecoded() throws IOException {
        final Tokenizer tokenizer = tokenizer();
        final String story = Files.readString(SharedData.file(FOLDER + "stories260K_greedy200.txt"));
        for (final String text : List.of(story, "", " ", "  two  spaces ", "caf\u00e9 \u4e16 \ud83d\ude00")) {
            final int[] ids = tokenizer.encode(text, true);
            assertEquals(tokenizer.bosId(), ids[0]);
            assertEquals(text, new String(tokenizer.decode(ids), StandardCharsets.UTF_8));
        }
        // What the model itself was fed: " Once upon a time" in pieces of the vocabulary.
        assertArrayEquals(new int[] {1, 403, 407, 261, 378}, tokenizer.encode("Once upon a time", true));
    }

    private static String greedy(final LlamaWeights weights, final Tokenizer tokenizer) {
        final LlamaForward forward = new LlamaForward(weights);
        final ByteArrayOutputStream text = new ByteArrayOutputStream();
        int id = tokenizer.bosId();
        for (int i = 0; i < REFERENCE_TOKENS; i++) {
            final int nextId = LlamaForward.greedy(forward.step(id));
            text.writeBytes(tokenizer.decode(id, nextId));
            id = nextId;
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    private static LlamaModel checkpoint() {
        return ModelFiles.read(SharedData.file(FOLDER + "stories260K.bin"));
    }

    private static LlamaModel gguf() {
        return ModelFiles.read(SharedData.file(FOLDER + "stories260K.gguf"));
    }

    private static Tokenizer tokenizer() {
        return ModelFiles.readTokenizer(SharedData.file(FOLDER + "tok512.bin"), VOCABULARY);
    }
}
