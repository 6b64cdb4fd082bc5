package io.tiercel.tools.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.tools.llama.LlamaShape;
import java.util.Arrays;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Steps of codes in a small layer of two heads of queries, which share a head of four channels. */
class AttentionFitProperties {

    private static final int SIZE = 4;
    private static final int HEADS = 2;
    private static final int TOKENS = 120;
    private static final int WINDOW = 5;
    private static final int REACH = 40;
    private static final LlamaShape SHAPE =
            new LlamaShape(8, 1, HEADS, 1, SIZE, 8, 10, REACH, 0, 0, 10_000, 1e-5f, true);

    @Property(tries = 20)
    void shouldBringAttentionNearerWhenKeysHaveOneBit(@ForAll final long seed) {
        final CacheStatistics.Layer seen = layer(new SplittableRandom(seed));
        final UniformCodes keys = codes(seen.keys, 0.7f);

        final UniformCodes fitted = keys.withSteps(new AttentionFit(SHAPE, seen, WINDOW).keySteps(keys));

        assertTrue(divergence(seen, fitted) < divergence(seen, keys));
    }

    @Property(tries = 20)
    void shouldFindTheStepsThatKeysWereMadeWith(@ForAll final long seed) {
        final CacheStatistics.Layer seen = layer(new SplittableRandom(seed));
        final UniformCodes exact = codes(seen.keys, 0.7f);
        replace(seen.keys, exact);

        final float[] steps = new AttentionFit(SHAPE, seen, WINDOW).keySteps(exact.withSteps(steps(0.6f)));

        for (final float step : steps) {
            assertEquals(0.7, step, 0.01);
        }
    }

    @Property(tries = 20)
    void shouldFindTheStepsThatValuesWereMadeWith(@ForAll final long seed) {
        final CacheStatistics.Layer seen = layer(new SplittableRandom(seed));
        final UniformCodes exact = codes(seen.values, 0.7f);
        replace(seen.values, exact);

        final float[] steps = new AttentionFit(SHAPE, seen, WINDOW).valueSteps(exact.withSteps(steps(0.2f)), null);

        for (final float step : steps) {
            assertEquals(0.7, step, 1e-6);
        }
    }

    private static CacheStatistics.Layer layer(final SplittableRandom random) {
        final CacheStatistics.Layer layer = new CacheStatistics.Layer(SIZE);
        for (int token = 0; token < TOKENS; token++) {
            layer.keys.add(floats(random, SIZE));
            layer.values.add(floats(random, SIZE));
            layer.queries.add(floats(random, HEADS * SIZE));
            layer.firsts.add(Math.max(0, token + 1 - REACH));
        }
        return layer;
    }

    private static float[] floats(final SplittableRandom random, final int count) {
        final float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextDouble(-2, 2);
        }
        return floats;
    }

    /** Of one bit about 0. */
    private static UniformCodes codes(final Iterable<float[]> rows, final float step) {
        final byte[][] levels = new byte[TOKENS][SIZE];
        int token = 0;
        for (final float[] row : rows) {
            for (int c = 0; c < SIZE; c++) {
                levels[token][c] = (byte) (row[c] < 0 ? -1 : 1);
            }
            token++;
        }
        return new UniformCodes(new float[SIZE], steps(step), levels);
    }

    private static float[] steps(final float step) {
        final float[] steps = new float[SIZE];
        Arrays.fill(steps, step);
        return steps;
    }

    private static void replace(final Iterable<float[]> rows, final UniformCodes codes) {
        int token = 0;
        for (final float[] row : rows) {
            for (int c = 0; c < SIZE; c++) {
                row[c] = codes.steps()[c] * codes.levels()[token][c];
            }
            token++;
        }
    }

    private static double divergence(final CacheStatistics.Layer seen, final UniformCodes keys) {
        double divergence = 0;
        for (int token = 0; token < TOKENS; token++) {
            for (int head = 0; head < HEADS; head++) {
                final double[] exact = attention(seen, head, token, null);
                final double[] coded = attention(seen, head, token, keys);
                for (int i = 0; i < exact.length; i++) {
                    divergence += exact[i] * Math.log(exact[i] / coded[i]);
                }
            }
        }
        return divergence;
    }

    private static double[] attention(
            final CacheStatistics.Layer seen, final int head, final int token, final UniformCodes keys) {
        final int first = seen.firsts.get(token);
        final double[] weights = new double[token + 1 - first];
        for (int past = first; past <= token; past++) {
            double score = 0;
            for (int c = 0; c < SIZE; c++) {
                final double key = keys == null || token - past < WINDOW
                        ? seen.keys.get(past)[c]
                        : keys.steps()[c] * keys.levels()[past][c];
                score += seen.queries.get(token)[head * SIZE + c] * key;
            }
            weights[past - first] = Math.exp(score / Math.sqrt(SIZE));
        }
        final double total = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(weight -> weight / total).toArray();
    }
}
