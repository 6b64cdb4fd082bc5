package io.tiercel.tools.llama;

import static io.tiercel.tools.llama.LlamaAsserts.assertSameWeights;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tiercel.protocol.FuzzSeeds;
import io.tiercel.tools.ModelInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Any bytes as a GGUF file: a refusal of one line, or a network that can be written, read again and run. */
@Timeout(20)
class GgufFuzzTest {

    private static final int VOCABULARY = 5;
    private static final LlamaShape DENSE =
            new LlamaShape(2, 1, 2, 1, 2, 1, VOCABULARY, 4, 0, 0, 10_000, 1e-5f, false);
    private static final LlamaShape EXPERTS =
            new LlamaShape(3, 1, 1, 1, 2, 2, VOCABULARY, 4, 2, 1, 10_000, 1e-5f, true);
    private static final LlamaShape BLOCKS =
            new LlamaShape(32, 1, 1, 1, 2, 1, VOCABULARY, 4, 0, 0, 10_000, 1e-5f, true);

    @FuzzTest
    void shouldHaveANetworkThatRunsWhenAFileIsAccepted(final byte[] bytes) {
        final LlamaModel model;
        try {
            readTensors(bytes);
            model = GgufReader.read("any", bytes);
        } catch (final ModelInputException ex) {
            assertTrue(ex.getMessage().startsWith("any: "), ex.getMessage());
            assertFalse(ex.getMessage().contains("\n"), ex.getMessage());
            return;
        }
        final LlamaModel again = ModelFiles.read("again", CanonicalFile.toBytes(model));
        assertSameWeights(model.weights(), again.weights());
        assertEquals(model.shape(), again.shape());
        assertEquals(model.shape().vocabularySize(), new LlamaForward(model.weights()).step(0).length);
        if (model.tokenizer() != null) {
            encode(model.tokenizer());
        }
    }

    /** The container alone: what it lists is there. */
    private static void readTensors(final byte[] bytes) {
        final GgufFile file = new GgufFile("any", bytes);
        long tensorBytes = 0;
        for (final String name : file.tensorNames()) {
            final GgufFile.Tensor tensor = file.tensor(name);
            tensorBytes += tensor.length();
            try {
                file.floats(name, tensor.shape().toArray(Integer[]::new));
            } catch (final ModelInputException ex) {
                assertTrue(ex.getMessage().endsWith(" is not finite"), ex.getMessage());
            }
        }
        assertTrue(tensorBytes <= bytes.length, "tensors overlap");
    }

    private static void encode(final Tokenizer tokenizer) {
        try {
            tokenizer.decode(tokenizer.encode("a \u00e9", true));
        } catch (final ModelInputException ex) {
            assertTrue(ex.getMessage().endsWith(" of the text has no piece"), ex.getMessage());
        }
    }

    @Test
    void shouldHaveSeedsOfEveryKind() {
        final Tokenizer tokenizer = RandomLlama.tokenizer(VOCABULARY, 1);
        FuzzSeeds.of(GgufFuzzTest.class, "shouldHaveANetworkThatRunsWhenAFileIsAccepted")
                .add("dense", LlamaFiles.gguf(RandomLlama.weights(DENSE, 1), tokenizer, GgufTensorType.F32))
                .add("experts", LlamaFiles.gguf(RandomLlama.weights(EXPERTS, 2), null, GgufTensorType.F16))
                .add("blocks", LlamaFiles.gguf(RandomLlama.weights(BLOCKS, 3), null, GgufTensorType.Q8_0))
                .add("no-tensors", new GgufBytes().text("general.architecture", "llama").toBytes())
                .add("arrays", new GgufBytes().floats("a", 1, 2).ints("b", 3).texts("c", new byte[] {4})
                        .key("d", GgufValueType.ARRAY, GgufBytes.bytes(24).putInt(9).putLong(1).putInt(0).putLong(0)
                                .array())
                        .toBytes())
                .add("aligned", new GgufBytes().alignment(8).tensor("a", GgufTensorType.F32, new float[] {1}, 1)
                        .tensor("b", GgufTensorType.F16, new float[] {1}, 1, 1).toBytes())
                .check();
    }
}
