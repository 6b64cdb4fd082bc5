package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import java.util.SplittableRandom;

/** The settings of a random transformer, for properties; prints as what a failure needs to be repeated. */
public record TransformerSetting(
        long seed, int layers, int dimension, int heads, int keyValueHeads, int headSize, int hidden, int vocabulary,
        int features, int outputs, Task task, int context, int window, int sinks, int experts, int activeExperts,
        boolean isHeadTied, WeightFormat weights, WeightFormat head, int activationBits, Codec keys, Codec values,
        boolean isRotated, int recentBits) {

    public static final int SMALL_VOCABULARY = 23;
    public static final int SMALL_FEATURES = 5;

    private static final int[] HEAD_SIZES = {4, 8, 12, 16, 32, 40, 64, 128};
    private static final int[] DIMENSIONS = {4, 24, 32, 60, 64, 100, 128};
    private static final int[] WINDOWS = {0, 1, 3, 16, 17, 24};

    /** Small, with tokens of {@link #SMALL_VOCABULARY} in and the three likeliest next ones out. */
    public static TransformerSetting tokens(final long seed, final int context) {
        return small(seed, SMALL_VOCABULARY, 1, 6, Task.TOKENS, context);
    }

    /** Small, with feature vectors of {@link #SMALL_FEATURES} in and class scores out. */
    public static TransformerSetting features(final long seed, final int context) {
        return small(seed, 0, SMALL_FEATURES, 3, Task.CLASSIFICATION, context);
    }

    private static TransformerSetting small(
            final long seed, final int vocabulary, final int features, final int outputs, final Task task,
            final int context) {
        return new TransformerSetting(
                seed, 2, 16, 4, 2, 8, 20, vocabulary, features, outputs, task, context, 4, 1, 0, 0,
                false, WeightFormat.INT8, WeightFormat.INT8, 8, Codec.UNIFORM4, Codec.UNIFORM2, false, 8);
    }

    /** A setting of odd sizes, all from a seed. */
    public static TransformerSetting random(final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final boolean isTokens = random.nextInt(4) > 0;
        final boolean hasVocabulary = isTokens || random.nextBoolean();
        final Codec keys = Codec.values()[random.nextInt(Codec.values().length)];
        final Codec values = Codec.values()[random.nextInt(Codec.values().length)];
        final boolean isRotated = random.nextInt(3) == 0;
        final int headSize = headSize(random, Math.max(keys.channels(), values.channels()), isRotated);
        final int keyValueHeads = 1 + random.nextInt(3);
        final int heads = keyValueHeads * (1 + random.nextInt(3));
        // Products of 16 bits times 16 bits fit 32 while there are few of them.
        final boolean isWide = heads * headSize > 480;
        final int vocabulary = hasVocabulary ? 3 + random.nextInt(70) : 0;
        final int experts = random.nextInt(4) == 0 ? 1 + random.nextInt(4) : 0;
        final int window = WINDOWS[random.nextInt(WINDOWS.length)];
        final int sinks = random.nextInt(3) == 0 ? random.nextInt(6) : 0;
        final int coded =
                random.nextInt(5) == 0 && window > 0 ? 0 : 1 + random.nextInt(random.nextBoolean() ? 20 : 300);
        return new TransformerSetting(
                seed,
                1 + random.nextInt(3),
                DIMENSIONS[random.nextInt(DIMENSIONS.length)],
                heads,
                keyValueHeads,
                headSize,
                1 + random.nextInt(150),
                vocabulary,
                1 + random.nextInt(40),
                isTokens ? 2 * (1 + random.nextInt(3)) : 1 + random.nextInt(5),
                isTokens ? Task.TOKENS : random.nextBoolean() ? Task.CLASSIFICATION : Task.REGRESSION,
                sinks + window + coded,
                window,
                sinks,
                experts,
                experts == 0 ? 0 : 1 + random.nextInt(experts),
                isTokens && random.nextBoolean(),
                WeightFormat.values()[random.nextInt(3)],
                WeightFormat.values()[random.nextInt(3)],
                random.nextInt(3) == 0 && !isWide ? 16 : 8,
                keys,
                values,
                isRotated,
                coded == 0 && random.nextBoolean() ? 16 : 8);
    }

    /** The same, of a model of tokens. */
    public static TransformerSetting randomOfTokens(final long seed) {
        TransformerSetting setting = random(seed);
        while (setting.task != Task.TOKENS) {
            setting = random(setting.seed + 1);
        }
        return setting;
    }

    /** A small setting of odd sizes whose cache has two to four pages. */
    public static TransformerSetting randomOfPages(final long seed) {
        TransformerSetting setting = random(seed);
        while (!setting.isSmall() || setting.recentBits == 16) {
            setting = random(setting.seed + 1);
        }
        final int coded = 160 + new SplittableRandom(seed).nextInt(280);
        return new TransformerSetting(
                setting.seed, setting.layers, setting.dimension, setting.heads, setting.keyValueHeads,
                setting.headSize, setting.hidden, setting.vocabulary, setting.features, setting.outputs, setting.task,
                setting.sinks + setting.window + coded, setting.window, setting.sinks, setting.experts,
                setting.activeExperts, setting.isHeadTied, setting.weights, setting.head, setting.activationBits,
                setting.keys, setting.values, setting.isRotated, setting.recentBits);
    }

    /** Of what a step reads: 4 bytes each. */
    public int inputCount() {
        return vocabulary > 0 ? 1 : features;
    }

    /** An input of random values: a token, or floats' bits, now and then far out. */
    public int[] input(final SplittableRandom random) {
        if (vocabulary > 0) {
            return new int[] {random.nextInt(vocabulary)};
        }
        final int[] bits = new int[features];
        for (int i = 0; i < bits.length; i++) {
            final float value = random.nextInt(50) == 0 ? Float.MAX_VALUE : (float) random.nextDouble(-4, 4);
            bits[i] = Float.floatToRawIntBits(value);
        }
        return bits;
    }

    /** Of one seed in four with equal rows, so that logits and experts are equal: the lower index has to win. */
    public Bundle bundle() {
        final Bundle bundle = RandomTransformers.bundle(this);
        return (seed & 3) == 3 ? withEqualRows(new BundleEditor(bundle)) : bundle;
    }

    /** How many steps it takes to use slots of the cache again, or fewer where they take long. */
    public int stepsPastContext() {
        return Math.min(context + 40, isSmall() ? 420 : 80);
    }

    private boolean isSmall() {
        return layers * heads * headSize <= 100;
    }

    private static Bundle withEqualRows(final BundleEditor editor) {
        for (final String name : editor.names()) {
            if (name.matches("(head|embedding|layers[.][0-9]+[.]router)[.](weight|multiplier|scale)")) {
                final int rows = editor.elementCount(name.replaceAll("[.][a-z]+$", ".scale"));
                editor.change(name, data -> {
                    final byte[] bytes = data.array();
                    final int half = bytes.length / rows * (rows / 2);
                    System.arraycopy(bytes, 0, bytes, half, half);
                });
            }
        }
        return editor.bundle();
    }

    private static int headSize(final SplittableRandom random, final int multiple, final boolean isPowerOfTwo) {
        while (true) {
            final int size = HEAD_SIZES[random.nextInt(HEAD_SIZES.length)];
            if (size % multiple == 0 && (!isPowerOfTwo || Integer.bitCount(size) == 1)) {
                return size;
            }
        }
    }
}
