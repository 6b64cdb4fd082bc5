package io.tiercel.tools.llama;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Files cut off anywhere and changed anywhere: read, or refused in one line; never anything else. */
@Timeout(120)
class HostileFilesTest {

    private static final String SOURCE = "hostile.bin";
    private static final int VOCABULARY = 7;
    private static final LlamaShape DENSE =
            new LlamaShape(4, 1, 2, 1, 2, 3, VOCABULARY, 5, 0, 0, 10_000, 1e-5f, false);
    private static final LlamaShape EXPERTS =
            new LlamaShape(6, 1, 2, 1, 4, 3, VOCABULARY, 5, 2, 1, 10_000, 1e-5f, true);
    private static final int[] FLIPS = {0x01, 0x80, 0xFF};

    /** @param stride between the bytes that are changed: text is longer than binary numbers, and slower to read. */
    private record Sample(String name, byte[] bytes, int stride, Reader reader) {

        @Override
        public String toString() {
            return name;
        }
    }

    @FunctionalInterface
    private interface Reader {

        Object read(byte[] bytes);
    }

    static Stream<Sample> samples() {
        final LlamaWeights dense = RandomLlama.weights(DENSE, 1);
        final LlamaWeights experts = RandomLlama.weights(EXPERTS, 2);
        final Tokenizer tokenizer = RandomLlama.tokenizer(VOCABULARY, 3);
        final Reader model = bytes -> ModelFiles.read(SOURCE, bytes);
        return Stream.of(
                new Sample("llama2.c version 0", LlamaFiles.llama2c(dense, 0), 1, model),
                new Sample("llama2.c version 1", LlamaFiles.llama2c(dense, 1), 1, model),
                new Sample("GGUF", LlamaFiles.gguf(dense, tokenizer, GgufTensorType.F32), 1, model),
                new Sample("GGUF of experts", LlamaFiles.gguf(experts, tokenizer, GgufTensorType.F16), 1, model),
                new Sample("canonical", CanonicalFile.toBytes(new LlamaModel(experts, tokenizer, "")), 5, model),
                new Sample("tokenizer", LlamaFiles.tokenizer(tokenizer), 1,
                        bytes -> TokenizerBinReader.read(SOURCE, bytes, VOCABULARY)));
    }

    @ParameterizedTest
    @MethodSource("samples")
    void shouldRefuseWhenCutOff(final Sample sample) {
        sample.reader.read(sample.bytes);
        for (int length = 0; length < sample.bytes.length; length++) {
            final byte[] cut = Arrays.copyOf(sample.bytes, length);
            assertTrue(isRefused(sample.reader, cut), "length=" + length);
        }
        assertTrue(isRefused(sample.reader, Arrays.copyOf(sample.bytes, sample.bytes.length + 64)));
    }

    @ParameterizedTest
    @MethodSource("samples")
    void shouldReadOrRefuseWhenAByteIsChanged(final Sample sample) {
        for (int i = 0; i < sample.bytes.length; i += sample.stride) {
            for (final int flip : FLIPS) {
                final byte[] changed = sample.bytes.clone();
                changed[i] ^= (byte) flip;
                isRefused(sample.reader, changed);
            }
        }
    }

    /** Numbers where numbers may be: counts, lengths, offsets. */
    @ParameterizedTest
    @MethodSource("samples")
    void shouldReadOrRefuseWhenANumberIsALie(final Sample sample) {
        final long[] lies = {0, -1, (1L << 31) - 1, 1L << 61 | 1L << 28};
        for (int i = 0; i + Long.BYTES <= sample.bytes.length; i += sample.stride) {
            for (final long lie : lies) {
                final byte[] changed = sample.bytes.clone();
                ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putLong(i, lie);
                isRefused(sample.reader, changed);
                final byte[] narrow = sample.bytes.clone();
                ByteBuffer.wrap(narrow).order(ByteOrder.LITTLE_ENDIAN).putInt(i, (int) lie);
                isRefused(sample.reader, narrow);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("samples")
    void shouldReadOrRefuseWhenManyBytesAreChanged(final Sample sample) {
        final SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < 2_000; round++) {
            final byte[] changed = sample.bytes.clone();
            for (int i = random.nextInt(1, 6); i > 0; i--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt();
            }
            isRefused(sample.reader, changed);
        }
    }

    @Test
    void shouldReadOrRefuseADirectoryWhenItsConfigurationIsChanged(@TempDir final Path directory) throws IOException {
        LlamaFiles.huggingFace(directory, RandomLlama.weights(EXPERTS, 1), DType.BF16, 2);
        for (final String name : new String[] {"config.json", "model.safetensors.index.json"}) {
            final Path file = directory.resolve(name);
            final byte[] sound = Files.readAllBytes(file);
            for (int i = 0; i < sound.length; i += 3) {
                final byte[] changed = sound.clone();
                changed[i] ^= 0x11;
                Files.write(file, changed);
                isRefused(bytes -> ModelFiles.read(directory), changed);
                Files.write(file, Arrays.copyOf(sound, i));
                assertTrue(isRefused(bytes -> ModelFiles.read(directory), changed), name + " length=" + i);
            }
            Files.write(file, sound);
        }
        assertFalse(isRefused(bytes -> ModelFiles.read(directory), null));
    }

    @Test
    void shouldRefuseWhenNoFormatIsRecognised(@TempDir final Path directory) throws IOException {
        final Path file = Files.writeString(directory.resolve("notes.txt"), "not a model");
        assertThrows(ModelInputException.class, () -> ModelFiles.read(file));
        assertThrows(ModelInputException.class, () -> ModelFiles.read(directory));
        assertThrows(ModelInputException.class, () -> ModelFiles.read(directory.resolve("absent.gguf")));
        assertThrows(ModelInputException.class, () -> ModelFiles.readTokenizer(directory.resolve("absent.bin"), 5));
        final Path json = Files.writeString(directory.resolve("tokenizer.json"), "{\"model\":{}}");
        assertThrows(ModelInputException.class, () -> ModelFiles.readTokenizer(json, 5));
    }

    /** Fails for anything but a result or a refusal of one line that names the file. */
    private static boolean isRefused(final Reader reader, final byte[] bytes) {
        try {
            reader.read(bytes);
            return false;
        } catch (final ModelInputException | BundleException ex) {
            assertFalse(ex.getMessage().contains("\n"), ex.getMessage());
            assertTrue(ex.getMessage().contains(": "), ex.getMessage());
            return true;
        }
    }
}
