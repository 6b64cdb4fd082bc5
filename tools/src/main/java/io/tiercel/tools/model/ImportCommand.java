package io.tiercel.tools.model;

import io.tiercel.appliance.engine.bundle.Bundle;
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
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code tiercel model import}: a network of another program to a form that is read here. A Llama-shaped one becomes
 * the one form that {@code model quantize} reads; an ONNX graph becomes a bundle.
 */
@Command(
        name = "import",
        sortOptions = false,
        header = "Import a Llama-shaped language model, or an ONNX graph.",
        description = {
            "An ONNX graph (--format onnx, or INPUT ends in .onnx) becomes a bundle that the onnxruntime backend",
            "serves: a request brings one row of features, and the graph is fed the newest rows of the session.",
            "Its input is [batch, rows, columns] of floats, or [batch, columns] for a graph without memory.",
            "",
            "Else INPUT is a GGUF file (F32, F16, Q8_0), a llama2.c checkpoint (.bin, version 0 or 1), a directory",
            "with config.json and .safetensors files (LlamaForCausalLM, MixtralForCausalLM), or what this command",
            "wrote. The output is fp32, with the model's numbers in its metadata, the tokenizer beside the weights."})
final class ImportCommand extends ModelSubcommand {

    @Parameters(paramLabel = "INPUT", description = "The model, a file or a directory.")
    private Path input;

    @Option(names = {"-o", "--output"}, required = true, paramLabel = "FILE",
            description = "The .safetensors file to write.")
    private Path output;

    @Option(names = "--format", paramLabel = "llama|onnx",
            description = "What INPUT is. Default: onnx if its name ends in .onnx, else llama.")
    private Format format;

    @Option(names = "--tokenizer", paramLabel = "BIN",
            description = "The tokenizer, as llama2.c has it; instead of the one that the input holds.")
    private Path tokenizerFile;

    @ArgGroup(exclusive = false, heading = "%nONNX graphs:%n")
    private OnnxImportOptions onnx;

    /** Of the input. */
    private enum Format {
        LLAMA, ONNX
    }

    @Override
    void execute() throws IOException {
        if (!output.toString().endsWith(".safetensors")) {
            throw new ModelInputException("--output=" + output + " does not end in .safetensors");
        }
        final boolean isGraph = format == null ? input.toString().endsWith(".onnx") : format == Format.ONNX;
        if (isGraph && tokenizerFile != null) {
            throw new ModelInputException("--tokenizer is for --format=llama");
        }
        if (!isGraph && onnx != null) {
            throw new ModelInputException("options under ONNX graphs are for --format=onnx");
        }
        if (isGraph) {
            importGraph();
        } else {
            importLlama();
        }
    }

    private void importGraph() throws IOException {
        final Bundle bundle = new OnnxImport(input, onnx == null ? new OnnxImportOptions() : onnx).write(output);
        line("source", input + ", ONNX");
        new BundleReport(bundle).print(out());
    }

    private void importLlama() throws IOException {
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
