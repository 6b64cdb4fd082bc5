package io.tiercel.tools.llama;

import static io.tiercel.tools.llama.LlamaAsserts.assertSameTokenizer;
import static io.tiercel.tools.llama.LlamaAsserts.assertSameWeights;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.tiercel.appliance.engine.bundle.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Random networks written in each format come back bit for bit, in the order of halves. */
class ModelFilesProperties {

    @Property(tries = 60)
    void shouldReadWhatWasWrittenWhenCheckpoint(
            @ForAll final long seed, @ForAll @IntRange(min = 0, max = 1) final int version) {
        final LlamaWeights weights = RandomLlama.weights(RandomLlama.squareShape(seed), seed);
        final LlamaModel model = ModelFiles.read("random.bin", LlamaFiles.llama2c(weights, version));
        assertSameWeights(weights, model.weights());
        assertEquals(weights.shape(), model.shape());
        assertNull(model.tokenizer());
        assertEquals("llama2.c version " + version, model.format());
    }

    @Property(tries = 100)
    void shouldReadWhatWasWrittenWhenGguf(
            @ForAll final long seed, @ForAll final GgufTensorType type, @ForAll final boolean inBlocks) {
        final LlamaWeights weights = RandomLlama.weights(inBlocks ? blocks(seed) : RandomLlama.anyShape(seed), seed);
        final Tokenizer tokenizer = RandomLlama.tokenizer(weights.shape().vocabularySize(), seed);
        final LlamaModel model = ModelFiles.read("random", LlamaFiles.gguf(weights, tokenizer, type));
        assertSameWeights(weights, model.weights());
        assertSameTokenizer(tokenizer, model.tokenizer());
        assertEquals(weights.shape(), model.shape());
    }

    @Property(tries = 40)
    void shouldReadWhatWasWrittenWhenDirectory(
            @ForAll final long seed, @ForAll @IntRange(min = 1, max = 4) final int shardCount,
            @ForAll @IntRange(min = 0, max = 2) final int dtypeIndex) throws IOException {
        final LlamaWeights weights = RandomLlama.weights(RandomLlama.anyShape(seed), seed);
        final Path directory = Files.createTempDirectory("llama");
        try {
            final DType dtype = new DType[] {DType.F32, DType.F16, DType.BF16}[dtypeIndex];
            LlamaFiles.huggingFace(directory, weights, dtype, shardCount);
            final LlamaModel model = ModelFiles.read(directory);
            assertSameWeights(weights, model.weights());
            assertEquals(weights.shape(), model.shape());
        } finally {
            try (var files = Files.newDirectoryStream(directory)) {
                for (final Path file : files) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
    }

    @Property(tries = 60)
    void shouldReadWhatWasWrittenWhenCanonical(@ForAll final long seed, @ForAll final boolean hasTokenizer) {
        final LlamaWeights weights = RandomLlama.weights(RandomLlama.anyShape(seed), seed);
        final Tokenizer tokenizer =
                hasTokenizer ? RandomLlama.tokenizer(weights.shape().vocabularySize(), seed) : null;
        final byte[] bytes = CanonicalFile.toBytes(new LlamaModel(weights, tokenizer, "random"));
        final LlamaModel model = ModelFiles.read("random", bytes);
        assertSameWeights(weights, model.weights());
        assertEquals(weights.shape(), model.shape());
        if (hasTokenizer) {
            assertSameTokenizer(tokenizer, model.tokenizer());
        } else {
            assertNull(model.tokenizer());
        }
        assertArrayEquals(bytes, CanonicalFile.toBytes(model));
    }

    @Property(tries = 30)
    void shouldReadWhatWasWrittenWhenTokenizer(
            @ForAll final long seed, @ForAll @IntRange(min = 3, max = 300) final int vocabularySize) {
        final Tokenizer tokenizer = RandomLlama.tokenizer(vocabularySize, seed);
        assertSameTokenizer(tokenizer,
                TokenizerBinReader.read("random", LlamaFiles.tokenizer(tokenizer), vocabularySize));
    }

    @Example
    void shouldHoldOneArrayWhenAHeadIsTheEmbeddingOnceMore() {
        final LlamaShape shape = RandomLlama.squareShape(1).withTiedHead(false);
        final LlamaWeights weights = RandomLlama.weights(shape, 1);
        final LlamaWeights twice = new LlamaWeights(shape, weights.embedding(), weights.layers(), weights.finalNorm(),
                weights.embedding().clone());
        final LlamaModel model = ModelFiles.read("twice", LlamaFiles.gguf(twice, null, GgufTensorType.F32));
        assertEquals(true, model.shape().isHeadTied());
        assertEquals(true, model.weights().head() == model.weights().embedding());
    }

    /** Rows of whole Q8_0 blocks. */
    private static LlamaShape blocks(final long seed) {
        final LlamaShape any = RandomLlama.anyShape(seed);
        return new LlamaShape(64, any.layerCount(), any.headCount(), any.keyValueHeadCount(), 32, 96,
                any.vocabularySize(), any.contextTokens(), any.expertCount(), any.activeExperts(), any.ropeTheta(),
                any.normEpsilon(), any.isHeadTied());
    }
}
