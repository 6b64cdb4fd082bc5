package io.tiercel.tools.model;

import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.llama.CanonicalFile;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.LlamaShape;
import io.tiercel.tools.llama.ModelFiles;
import io.tiercel.tools.llama.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tiercel model import}: a Llama-shaped network of another program to the one form that is read here. */
@Command(
        name = "import",
        sortOptions = false,
        header = "Import a Llama-shaped language model.",
        description = {
            "INPUT is a GGUF file (F32, F16, Q8_0), a llama2.c checkpoint (.bin, version 0 or 1), a directory with",
            "config.json and .safetensors files (LlamaForCausalLM, MixtralForCausalLM), or what this command wrote.",
            "The output is fp32, with the model's numbers in its metadata and the tokenizer beside the weights."})
final class ImportCommand extends ModelSubcommand {

    @Parameters(paramLabel = "INPUT", description = "The model, a file or a directory.")
    private Path input;

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "FILE",
            description = "The .safetensors file to write.")
    private Path output;

    @Option(names = "--tokenizer", paramLabel = "BIN",
            description = "The tokenizer, as llama2.c has it; instead of the one that the input holds.")
    private Path tokenizerFile;

    @Override
    void execute() throws IOException {
        if (!output.toString().endsWith(".safetensors")) {
            throw new ModelInputException("--output=" + output + " does not end in .safetensors");
        }
        LlamaModel model = ModelFiles.read(input);
        if (tokenizerFile != null) {
            model = model.withTokenizer(
                    ModelFiles.readTokenizer(tokenizerFile, model.shape().vocabularySize()));
        }
        CanonicalFile.write(model, output);
        print(model);
    }

    private void print(final LlamaModel model) throws IOException {
        final LlamaShape shape = model.shape();
        final Tokenizer tokenizer = model.tokenizer();
        line("source", input + ", " + model.format());
        line("output", output + ", " + Files.size(output) + " bytes");
        line("parameters", Long.toString(shape.parameterCount()));
        line("layers", shape.layerCount() + ", dimension " + shape.dimension());
        line("attention", shape.headCount() + " heads of " + shape.headSize() + ", " + shape.keyValueHeadCount() +
                " of keys and values, rotation base " + shape.ropeTheta());
        line("feed-forward", shape.hiddenCount() + (shape.isDense()
                ? ""
                : ", " + shape.activeExperts() + " of " + shape.expertCount() + " experts"));
        line("vocabulary", shape.vocabularySize() + (shape.isHeadTied() ? ", head tied" : ", head of its own"));
        line("context", shape.contextTokens() + " tokens");
        line("tokenizer", tokenizer == null
                ? "none"
                : tokenizer.size() + " pieces, begin " + tokenizer.bosId() + ", end " + tokenizer.eosId());
    }

    private void line(final String key, final String value) {
        out().printf(Locale.ROOT, "%-14s %s%n", key, value);
    }
}
