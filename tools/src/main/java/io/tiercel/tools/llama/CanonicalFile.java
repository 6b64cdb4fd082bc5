package io.tiercel.tools.llama;

import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.appliance.engine.bundle.SafetensorsWriter;
import io.tiercel.appliance.engine.bundle.TensorInfo;
import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The one form that all importers write: a safetensors file, tensors fp32 under Hugging Face's names, the numbers of
 * the shape as strings {@code llama.…} in its metadata, and the tokenizer, if there is one, as {@link TokenizerTensors}
 * has it.
 *
 * <p>The same model gives the same bytes.
 */
public final class CanonicalFile {

    static final String VERSION = "llama.version";
    static final String VERSION_1 = "1";

    private final SafetensorsReader file;
    private final Map<String, String> metadata;

    private CanonicalFile(final SafetensorsReader file) {
        this.file = file;
        metadata = file.metadata();
    }

    /** Writes a model; a file that is there already is replaced. */
    public static void write(final LlamaModel model, final Path path) throws IOException {
        final byte[] bytes = toBytes(model);
        if (bytes.length > ModelFiles.MAX_FILE_BYTES) {
            throw new ModelInputException(path + ": file size=" + bytes.length + " would be above the limit of " +
                    ModelFiles.MAX_FILE_BYTES);
        }
        // What cannot be read again is not written: too many tensors, for one.
        SafetensorsReader.of(path.toString(), bytes);
        Files.write(path, bytes);
    }

    static byte[] toBytes(final LlamaModel model) {
        final SafetensorsWriter file = new SafetensorsWriter();
        writeShape(model.shape(), file);
        HuggingFaceTensors.write(model.weights(), file);
        if (model.tokenizer() != null) {
            TokenizerTensors.write(model.tokenizer(), file::floats, file::bytes);
        }
        return file.toBytes();
    }

    static LlamaModel read(final SafetensorsReader file) {
        return new CanonicalFile(file).read();
    }

    static boolean isPadding(final TensorInfo tensor) {
        return tensor.name().startsWith(SafetensorsWriter.PADDING_PREFIX);
    }

    private LlamaModel read() {
        if (!VERSION_1.equals(metadata.get(VERSION))) {
            throw refused("metadata " + VERSION + "=" + metadata.get(VERSION) + ", expected " + VERSION_1 +
                    "; for files of Hugging Face's library give the directory with config.json");
        }
        final LlamaShape shape = readShape();
        final HuggingFaceTensors tensors = new HuggingFaceTensors(file.source());
        for (final TensorInfo tensor : file.tensors()) {
            if (!isPadding(tensor) && !tensor.name().startsWith(TokenizerTensors.PREFIX)) {
                tensors.add(tensor.name(), file);
            }
        }
        return new LlamaModel(tensors.read(shape), readTokenizer(shape), "canonical");
    }

    private static void writeShape(final LlamaShape shape, final SafetensorsWriter file) {
        file.metadata(VERSION, VERSION_1)
                .metadata("llama.dimension", Integer.toString(shape.dimension()))
                .metadata("llama.layers", Integer.toString(shape.layerCount()))
                .metadata("llama.heads", Integer.toString(shape.headCount()))
                .metadata("llama.keyValueHeads", Integer.toString(shape.keyValueHeadCount()))
                .metadata("llama.headSize", Integer.toString(shape.headSize()))
                .metadata("llama.hidden", Integer.toString(shape.hiddenCount()))
                .metadata("llama.vocabulary", Integer.toString(shape.vocabularySize()))
                .metadata("llama.contextTokens", Integer.toString(shape.contextTokens()))
                .metadata("llama.experts", Integer.toString(shape.expertCount()))
                .metadata("llama.activeExperts", Integer.toString(shape.activeExperts()))
                .metadata("llama.ropeTheta", Double.toString(shape.ropeTheta()))
                .metadata("llama.normEpsilon", Float.toString(shape.normEpsilon()))
                .metadata("llama.isHeadTied", Boolean.toString(shape.isHeadTied()));
    }

    private LlamaShape readShape() {
        return LlamaShape.builder(file.source())
                .dimension(integer("llama.dimension"))
                .layers(integer("llama.layers"))
                .heads(integer("llama.heads"), integer("llama.keyValueHeads"), integer("llama.headSize"))
                .hidden(integer("llama.hidden"))
                .vocabulary(integer("llama.vocabulary"))
                .context(integer("llama.contextTokens"))
                .experts(integer("llama.experts"), integer("llama.activeExperts"))
                .ropeTheta(number("llama.ropeTheta"))
                .normEpsilon((float) number("llama.normEpsilon"))
                .headTied(bool("llama.isHeadTied"))
                .build();
    }

    /** Null if the file has none. */
    private Tokenizer readTokenizer(final LlamaShape shape) {
        return TokenizerTensors.read(file.source(), new TokenizerTensors.Source() {

            @Override
            public boolean has(final String name) {
                return file.has(name);
            }

            @Override
            public float[] floats(final String name, final int... sizes) {
                requireShape(name, DType.F32, sizes[0]);
                return file.floats(name);
            }

            @Override
            public int[] integers(final String name, final int... sizes) {
                requireShape(name, DType.I32, sizes[0]);
                final int[] values = new int[sizes[0]];
                ByteBuffer.wrap(file.bytes(name)).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(values);
                return values;
            }

            @Override
            public byte[] bytes(final String name) {
                requireShape(name, DType.U8, file.tensor(name).length());
                return file.bytes(name);
            }
        }, shape.vocabularySize());
    }

    private void requireShape(final String name, final DType dtype, final int count) {
        final TensorInfo tensor = file.tensor(name);
        if (tensor.dtype() != dtype || !tensor.shape().equals(List.of(count))) {
            throw refused("tensor=" + name + " dtype=" + tensor.dtype() + " shape=" + tensor.shape() +
                    ", expected " + dtype + " [" + count + "]");
        }
    }

    private int integer(final String key) {
        try {
            return Integer.parseInt(text(key));
        } catch (final NumberFormatException ex) {
            throw notA("an integer", key, ex);
        }
    }

    private double number(final String key) {
        try {
            return Double.parseDouble(text(key));
        } catch (final NumberFormatException ex) {
            throw notA("a number", key, ex);
        }
    }

    private boolean bool(final String key) {
        final String text = text(key);
        if (text.equals("true") || text.equals("false")) {
            return Boolean.parseBoolean(text);
        }
        throw notA("a boolean", key, null);
    }

    private String text(final String key) {
        final String text = metadata.get(key);
        if (text == null) {
            throw refused("metadata " + key + " is missing");
        }
        return text;
    }

    private ModelInputException notA(final String kind, final String key, final Throwable cause) {
        final ModelInputException refused = refused("metadata " + key + "=" + text(key) + " is not " + kind);
        refused.initCause(cause);
        return refused;
    }

    private ModelInputException refused(final String what) {
        return new ModelInputException(file.source() + ": " + ModelFiles.oneLine(what));
    }
}
