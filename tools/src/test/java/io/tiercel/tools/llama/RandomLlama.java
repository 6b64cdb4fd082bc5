package io.tiercel.tools.llama;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Small Llama-shaped networks from a seed, of odd sizes. Weights are multiples of 1/64 with at most seven bits, so that
 * F16, BF16 and Q8_0 hold them exactly.
 */
public final class RandomLlama {

    /** Of the weights. */
    public static final float STEP = 1f / 64;

    private static final String ALPHABET = "abc \u00e9";

    private RandomLlama() {
    }

    /** Any shape: the dimension may be odd, and heads wider or narrower than it leaves to them. */
    public static LlamaShape anyShape(final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final int experts = random.nextBoolean() ? 0 : random.nextInt(1, 5);
        return shape(random, random.nextInt(1, 40), experts);
    }

    /** Dense, and the heads share the dimension: what llama2.c can express. */
    public static LlamaShape squareShape(final long seed) {
        return shape(new SplittableRandom(seed), 0, 0);
    }

    /** @param dimension 0 for that of all heads. */
    private static LlamaShape shape(final SplittableRandom random, final int dimension, final int expertCount) {
        final int keyValueHeadCount = random.nextInt(1, 4);
        final int headCount = keyValueHeadCount * random.nextInt(1, 4);
        final int headSize = 2 * random.nextInt(1, 5);
        return new LlamaShape(dimension == 0 ? headCount * headSize : dimension, random.nextInt(1, 4), headCount,
                keyValueHeadCount, headSize, random.nextInt(1, 40), random.nextInt(3, 50), random.nextInt(20, 90),
                expertCount, expertCount == 0 ? 0 : random.nextInt(1, expertCount + 1), 10_000, 1e-5f,
                random.nextBoolean());
    }

    public static LlamaWeights weights(final LlamaShape shape, final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final int dimension = shape.dimension();
        final float[] embedding = values(random, shape.vocabularySize() * dimension);
        final List<LlamaWeights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < shape.layerCount(); i++) {
            layers.add(layer(shape, random));
        }
        final float[] head = shape.isHeadTied() ? embedding : values(random, embedding.length);
        return new LlamaWeights(shape, embedding, layers, values(random, dimension), head);
    }

    /** Pieces of a few letters; the first three are unknown, beginning and end. */
    public static Tokenizer tokenizer(final int vocabularySize, final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final byte[][] pieces = new byte[vocabularySize][];
        final float[] scores = new float[vocabularySize];
        final List<String> special = List.of("<unk>", "<s>", "</s>", "<0x0A>");
        for (int id = 0; id < vocabularySize; id++) {
            final String piece = id < special.size() ? special.get(id) : letters(random);
            pieces[id] = piece.getBytes(StandardCharsets.UTF_8);
            scores[id] = id < special.size() ? 0 : -random.nextInt(6);
        }
        return Tokenizer.of("random", pieces, scores, TokenizerBinReader.BOS_ID, TokenizerBinReader.EOS_ID);
    }

    static String letters(final SplittableRandom random) {
        final StringBuilder letters = new StringBuilder();
        for (int i = random.nextInt(1, 5); i > 0; i--) {
            letters.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return letters.toString();
    }

    private static LlamaWeights.Layer layer(final LlamaShape shape, final SplittableRandom random) {
        final int dimension = shape.dimension();
        final int feedForward = dimension * shape.hiddenCount();
        return new LlamaWeights.Layer(
                values(random, dimension),
                values(random, shape.queryWidth() * dimension),
                values(random, shape.keyValueWidth() * dimension),
                values(random, shape.keyValueWidth() * dimension),
                values(random, shape.queryWidth() * dimension),
                values(random, dimension),
                shape.isDense() ? null : values(random, shape.expertCount() * dimension),
                LlamaWeights.forEach(shape, i -> values(random, feedForward)),
                LlamaWeights.forEach(shape, i -> values(random, feedForward)),
                LlamaWeights.forEach(shape, i -> values(random, feedForward)));
    }

    private static float[] values(final SplittableRandom random, final int count) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextInt(-127, 128) * STEP;
        }
        return values;
    }
}
