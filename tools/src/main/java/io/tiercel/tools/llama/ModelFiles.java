package io.tiercel.tools.llama;

import io.tiercel.appliance.engine.bundle.SafetensorsReader;
import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Reads a Llama-shaped model from whatever holds it: a directory as Hugging Face's library writes it, a GGUF file, a
 * llama2.c checkpoint, or a file of the canonical form.
 */
public final class ModelFiles {

    /** Files above this are refused before they are read. */
    public static final long MAX_FILE_BYTES = SafetensorsReader.MAX_FILE_BYTES;

    private static final int MAX_MESSAGE_LENGTH = 1_000;

    private ModelFiles() {
    }

    /** @throws ModelInputException or a BundleException, in one line, if it cannot be used. */
    public static LlamaModel read(final Path path) {
        if (Files.isDirectory(path)) {
            return HuggingFaceReader.read(path);
        }
        return read(path.toString(), readFile(path, MAX_FILE_BYTES));
    }

    /** Whether a path is to be read here, rather than as the weights of another kind of network. */
    public static boolean isLlama(final Path path) {
        final String name = path.toString();
        return Files.isDirectory(path) || name.endsWith(".gguf") || name.endsWith(".bin") ||
                name.endsWith(".safetensors") && Files.isRegularFile(path) &&
                        SafetensorsReader.open(path).metadata().containsKey(CanonicalFile.VERSION);
    }

    /**
     * Reads a llama2.c tokenizer.
     *
     * @param vocabularySize of the model that it is for.
     */
    public static Tokenizer readTokenizer(final Path path, final int vocabularySize) {
        final byte[] bytes = readFile(path, MAX_FILE_BYTES);
        if (bytes.length > 0 && bytes[0] == '{') {
            throw new ModelInputException(path + ": a tokenizer of JSON is not supported:" +
                    " it holds merges, not scores; give a llama2.c tokenizer .bin");
        }
        return TokenizerBinReader.read(path.toString(), bytes, vocabularySize);
    }

    /** The first bytes say what it is, and where they do not, the name. */
    static LlamaModel read(final String source, final byte[] bytes) {
        if (GgufFile.isGguf(bytes) || source.endsWith(".gguf")) {
            return GgufReader.read(source, bytes);
        }
        if (isSafetensors(bytes) || source.endsWith(".safetensors")) {
            return CanonicalFile.read(SafetensorsReader.of(source, bytes));
        }
        if (source.endsWith(".bin") || Llama2cReader.isVersioned(bytes)) {
            return Llama2cReader.read(source, bytes);
        }
        throw new ModelInputException(source + ": neither a GGUF file, a llama2.c .bin, a .safetensors file nor a" +
                " directory with config.json");
    }

    static byte[] readFile(final Path path, final long limitBytes) {
        try {
            final long size = Files.size(path);
            if (size > limitBytes) {
                throw new ModelInputException(
                        path + ": file size=" + size + " is above the limit of " + limitBytes);
            }
            return Files.readAllBytes(path);
        } catch (final NoSuchFileException ex) {
            throw new ModelInputException(path + ": no such file", ex);
        } catch (final IOException ex) {
            throw new ModelInputException(path + ": cannot be read: " + ex, ex);
        }
    }

    /** Text with parts of a hostile file in it, as one line that is not long, for a message. */
    static String oneLine(final String text) {
        final String start =
                text.length() > MAX_MESSAGE_LENGTH ? text.substring(0, MAX_MESSAGE_LENGTH) + "\u2026" : text;
        return start.replaceAll("[\\p{Cntrl}\\x{85}\\x{2028}\\x{2029}]", "?");
    }

    /** A header's length, then JSON: {@code {"}. */
    private static boolean isSafetensors(final byte[] bytes) {
        return bytes.length > Long.BYTES + 2
                && new String(bytes, Long.BYTES, 2, StandardCharsets.ISO_8859_1).equals("{\"");
    }
}
