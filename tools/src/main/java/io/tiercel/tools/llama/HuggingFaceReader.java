package io.tiercel.tools.llama;

import com.fasterxml.jackson.databind.JsonNode;
import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Reads a directory as Hugging Face's library writes it: {@code config.json}, and {@code model.safetensors} or the
 * files that {@code model.safetensors.index.json} names. Architectures: {@code LlamaForCausalLM} and
 * {@code MixtralForCausalLM}. A key that asks for something else than is computed here is refused. The tokenizer is
 * not read.
 */
final class HuggingFaceReader {

    private static final String LLAMA = "LlamaForCausalLM";
    private static final String MIXTRAL = "MixtralForCausalLM";
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    /** Names within the directory, never a way out of it. */
    private static final Pattern SHARD = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,200}\\.safetensors");

    private final Path directory;
    private final JsonFile config;

    private HuggingFaceReader(final Path directory) {
        this.directory = directory;
        config = JsonFile.open(directory.resolve("config.json"));
    }

    static LlamaModel read(final Path directory) {
        return new HuggingFaceReader(directory).read();
    }

    private LlamaModel read() {
        final LlamaShape shape = readShape();
        final HuggingFaceTensors tensors = new HuggingFaceTensors(directory.toString());
        if (Files.exists(directory.resolve(INDEX))) {
            addShards(tensors);
        } else {
            final SafetensorsReader file = SafetensorsReader.open(directory.resolve(SINGLE));
            file.tensors().forEach(tensor -> addUnlessPadding(tensors, tensor, file));
        }
        return new LlamaModel(tensors.read(shape), null, "Hugging Face " + architecture());
    }

    private LlamaShape readShape() {
        final boolean isMixtral = architecture().equals(MIXTRAL);
        refuseOtherNetworks();
        final int headCount = config.integer("num_attention_heads");
        return LlamaShape.builder(config.source())
                .dimension(config.integer("hidden_size"))
                .layers(config.integer("num_hidden_layers"))
                .heads(headCount, config.integer("num_key_value_heads", headCount), config.integer("head_dim", 0))
                .hidden(config.integer("intermediate_size"))
                .vocabulary(config.integer("vocab_size"))
                .context(config.integer("max_position_embeddings"))
                .experts(isMixtral ? config.integer("num_local_experts") : 0,
                        isMixtral ? config.integer("num_experts_per_tok") : 0)
                .ropeTheta(readTheta())
                .normEpsilon((float) config.number("rms_norm_eps"))
                .headTied(config.bool("tie_word_embeddings", false))
                .build();
    }

    private String architecture() {
        final JsonNode names = config.node("architectures");
        if (names.isArray() && names.size() == 1
                && (LLAMA.equals(names.get(0).asText()) || MIXTRAL.equals(names.get(0).asText()))) {
            return names.get(0).asText();
        }
        throw config.refused("key=architectures value=" + names + " is not [" + LLAMA + "] or [" + MIXTRAL + "]");
    }

    private void refuseOtherNetworks() {
        for (final String key : List.of("rope_scaling", "quantization_config")) {
            if (config.has(key)) {
                throw config.refused("key=" + key + " value=" + config.show(key) + " is not supported");
            }
        }
        for (final String key : List.of("attention_bias", "mlp_bias")) {
            if (config.bool(key, false)) {
                throw config.refused("key=" + key + " value=true is not supported");
            }
        }
        if (!"silu".equals(config.text("hidden_act"))) {
            throw config.refused("key=hidden_act value=" + config.show("hidden_act") + " is not supported; silu is");
        }
        if (config.number("partial_rotary_factor", 1) != 1) {
            throw config.refused("key=partial_rotary_factor value=" + config.show("partial_rotary_factor") +
                    " is not supported");
        }
        final int contextTokens = config.integer("max_position_embeddings");
        if (config.integer("sliding_window", contextTokens) < contextTokens) {
            throw config.refused("key=sliding_window value=" + config.show("sliding_window") +
                    " is not supported below max_position_embeddings=" + contextTokens);
        }
    }

    /** Newer configurations keep it among the rotation's parameters. */
    private double readTheta() {
        if (!config.has("rope_parameters")) {
            return config.number("rope_theta", Llama2cReader.ROPE_THETA);
        }
        final JsonFile parameters = config.object("rope_parameters");
        final String type = parameters.text("rope_type");
        if (type != null && !type.equals("default")) {
            throw parameters.refused("key=rope_type value=" + type + " is not supported; default is");
        }
        if (parameters.number("partial_rotary_factor", 1) != 1) {
            throw parameters.refused("key=partial_rotary_factor value=" +
                    parameters.show("partial_rotary_factor") + " is not supported");
        }
        return parameters.number("rope_theta", config.number("rope_theta", Llama2cReader.ROPE_THETA));
    }

    private void addShards(final HuggingFaceTensors tensors) {
        final JsonFile index = JsonFile.open(directory.resolve(INDEX));
        final Map<String, TreeSet<String>> namesByShard = namesByShard(index.object("weight_map"));
        requireTotalBytes(namesByShard);
        for (final Map.Entry<String, TreeSet<String>> entry : namesByShard.entrySet()) {
            final SafetensorsReader file = SafetensorsReader.open(directory.resolve(entry.getKey()));
            for (final TensorInfo tensor : file.tensors()) {
                if (entry.getValue().remove(tensor.name())) {
                    tensors.add(tensor.name(), file);
                } else if (!isPadding(tensor)) {
                    throw new ModelInputException(file.source() + ": tensor=" + ModelFiles.oneLine(tensor.name()) +
                            " is not in " + INDEX);
                }
            }
            if (!entry.getValue().isEmpty()) {
                throw new ModelInputException(file.source() + ": tensor=" +
                        ModelFiles.oneLine(entry.getValue().first()) + " is missing, " + INDEX + " has it there");
            }
        }
    }

    private Map<String, TreeSet<String>> namesByShard(final JsonFile weightMap) {
        final Map<String, TreeSet<String>> namesByShard = new TreeMap<>();
        for (final Map.Entry<String, JsonNode> entry : weightMap.entries()) {
            final JsonNode shard = entry.getValue();
            if (!shard.isTextual() || !SHARD.matcher(shard.textValue()).matches()) {
                throw weightMap.refused("tensor=" + entry.getKey() + " file=" + shard + " is not a .safetensors file" +
                        " of the directory");
            }
            namesByShard.computeIfAbsent(shard.textValue(), key -> new TreeSet<>()).add(entry.getKey());
        }
        return namesByShard;
    }

    /** All of them are in memory together. */
    private void requireTotalBytes(final Map<String, TreeSet<String>> namesByShard) {
        long totalBytes = 0;
        for (final String shard : namesByShard.keySet()) {
            try {
                final Path file = directory.resolve(shard);
                totalBytes += Files.exists(file) ? Files.size(file) : 0;
            } catch (final IOException ex) {
                throw new ModelInputException(directory.resolve(shard) + ": cannot be read: " + ex, ex);
            }
        }
        if (totalBytes > ModelFiles.MAX_FILE_BYTES) {
            throw new ModelInputException(directory + ": files of " + totalBytes + " bytes are above the limit of " +
                    ModelFiles.MAX_FILE_BYTES);
        }
    }

    private static void addUnlessPadding(
            final HuggingFaceTensors tensors, final TensorInfo tensor, final SafetensorsReader file) {
        if (!isPadding(tensor)) {
            tensors.add(tensor.name(), file);
        }
    }

    private static boolean isPadding(final TensorInfo tensor) {
        return CanonicalFile.isPadding(tensor);
    }
}
