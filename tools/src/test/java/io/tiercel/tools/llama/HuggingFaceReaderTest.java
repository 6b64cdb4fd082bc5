package io.tiercel.tools.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HuggingFaceReaderTest {

    private static final LlamaShape SHAPE =
            new LlamaShape(4, 2, 2, 1, 2, 3, 7, 5, 0, 0, 10_000, 1e-5f, false);

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            rope_scaling | {"type":"linear","factor":2} | key=rope_scaling value={"type":"linear","factor":2} is not
            quantization_config | {"bits":4} | key=quantization_config value={"bits":4} is not supported
            attention_bias | true | key=attention_bias value=true is not supported
            mlp_bias | true | key=mlp_bias value=true is not supported
            hidden_act | "gelu" | key=hidden_act value="gelu" is not supported; silu is
            hidden_act | null | key=hidden_act value=null is not supported; silu is
            architectures | ["GPT2LMHeadModel"] | key=architectures value=["GPT2LMHeadModel"] is not
            architectures | null | key=architectures value=null is not
            partial_rotary_factor | 0.5 | key=partial_rotary_factor value=0.5 is not supported
            sliding_window | 4 | key=sliding_window value=4 is not supported below max_position_embeddings=5
            hidden_size | 6 | tensor=model.embed_tokens.weight shape=[7, 4], expected [7, 6]
            vocab_size | 8 | tensor=model.embed_tokens.weight shape=[7, 4], expected [8, 4]
            intermediate_size | 2 | tensor=model.layers.0.mlp.gate_proj.weight shape=[3, 4], expected [2, 4]
            num_hidden_layers | 1 | tensor=model.layers.1.input_layernorm.weight is not part of a network of
            num_hidden_layers | 3 | tensor=model.layers.2.input_layernorm.weight is missing
            num_hidden_layers | "2" | key=num_hidden_layers value="2" is not an integer in 0..2147483647
            num_hidden_layers | 2.0 | key=num_hidden_layers value=2.0 is not an integer in 0..2147483647
            num_hidden_layers | 99999999999 | key=num_hidden_layers value=99999999999 is not an integer
            num_hidden_layers | null | key=num_hidden_layers is missing
            num_key_value_heads | 2 | tensor=model.layers.0.self_attn.k_proj.weight shape=[2, 4], expected [4, 4]
            num_attention_heads | 3 | tensor=model.layers.0.self_attn.q_proj.weight shape=[4, 4], expected [6, 4]
            head_dim | 3 | headSize=3 is odd
            rms_norm_eps | 0 | normEpsilon=0.0 is not between 0 and 1
            rope_theta | "10000" | key=rope_theta value="10000" is not a number
            rope_parameters | {"rope_type":"yarn"} | rope_parameters: key=rope_type value=yarn is not supported
            rope_parameters | 1 | key=rope_parameters value=1 is not an object
            tie_word_embeddings | true | isHeadTied=true but tensor=lm_head.weight is not model.embed_tokens.weight
            tie_word_embeddings | 1 | key=tie_word_embeddings value=1 is not a boolean
            """)
    void shouldRefuseInOneLineWhenTheConfigurationIsOfAnotherNetwork(
            final String key, final String value, final String expected) throws IOException {
        write(DType.F32, 1);
        configure(key, value);
        refused(expected);
    }

    @Test
    void shouldReadThetaWhenItIsAmongTheParameters() throws IOException {
        write(DType.F32, 1);
        configure("rope_parameters", "{\"rope_type\":\"default\",\"rope_theta\":500000.0}");
        assertEquals(500_000, ModelFiles.read(directory).shape().ropeTheta());
    }

    @Test
    void shouldRefuseWhenTheIndexDoesNotFitItsFiles() throws IOException {
        write(DType.F16, 2);
        final Path index = directory.resolve("model.safetensors.index.json");
        final String sound = Files.readString(index);
        Files.writeString(index, sound.replace("model-00001-of", "../model-00001-of"));
        refused("file=\"../model-00001-of-00002.safetensors\" is not a .safetensors file of the directory");
        Files.writeString(index, sound.replace("lm_head", "lm_tail"));
        refused("tensor=lm_head.weight is not in model.safetensors.index.json");
        Files.writeString(index, sound.replace("model-00001-of", "model-00002-of"));
        refused("is missing, model.safetensors.index.json has it there");
        Files.writeString(index, "[]");
        refused("is not a JSON object");
        Files.writeString(index, "{\"weight_map\":{},\"weight_map\":{}}");
        refused("is not valid JSON: Duplicate field 'weight_map'");
        Files.writeString(index, sound);
        Files.delete(directory.resolve("model-00001-of-00002.safetensors"));
        refused("no such file");
    }

    @Test
    void shouldRefuseWhenFilesAreMissing() throws IOException {
        refused("config.json: no such file");
        Files.writeString(directory.resolve("config.json"), LlamaFiles.config(SHAPE).toString());
        refused("no such file");
    }

    @Test
    void shouldRefuseOneFileAloneWhenItIsNotCanonical() throws IOException {
        write(DType.F32, 1);
        final ModelInputException refused = assertThrows(ModelInputException.class,
                () -> ModelFiles.read(directory.resolve("model.safetensors")));
        assertTrue(refused.getMessage().contains("give the directory with config.json"), refused.getMessage());
    }

    private void write(final DType dtype, final int shardCount) throws IOException {
        LlamaFiles.huggingFace(directory, RandomLlama.weights(SHAPE, 1), dtype, shardCount);
    }

    private void configure(final String key, final String json) throws IOException {
        final ObjectMapper mapper = new ObjectMapper();
        final ObjectNode config = LlamaFiles.config(SHAPE);
        config.set(key, mapper.readTree(json));
        Files.writeString(directory.resolve("config.json"), config.toString());
    }

    private void refused(final String expected) {
        String message = "";
        try {
            ModelFiles.read(directory);
        } catch (final ModelInputException | BundleException ex) {
            message = ex.getMessage();
        }
        assertTrue(message.startsWith(directory.toString()) && message.contains(expected),
                message + " but expected: " + expected);
        assertFalse(message.contains("\n"), message);
    }
}
