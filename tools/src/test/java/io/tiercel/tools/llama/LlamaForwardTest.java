package io.tiercel.tools.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaForwardTest {

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void shouldAgreeWithAWholeSequenceAtOnceInDoublePrecision(final long seed) {
        final LlamaWeights weights = RandomLlama.weights(RandomLlama.anyShape(seed), seed);
        final int[] ids = ids(weights.shape(), seed, 12);
        final double[][] expected = new WholeSequence(weights).logits(ids);
        final LlamaForward forward = new LlamaForward(weights);
        for (int position = 0; position < ids.length; position++) {
            assertEquals(position, forward.position());
            final float[] logits = forward.step(ids[position]);
            final double scale = 1 + Arrays.stream(expected[position]).map(Math::abs).max().getAsDouble();
            for (int i = 0; i < logits.length; i++) {
                assertEquals(expected[position][i], logits[i], 2e-4 * scale, weights.shape() + " " + position);
            }
        }
    }

    @Test
    void shouldGiveTheSameBitsWhenResetAndWhenTheCacheGrows() {
        final LlamaShape shape = RandomLlama.anyShape(3);
        final LlamaWeights weights = RandomLlama.weights(shape, 3);
        final int[] ids = ids(shape, 3, Math.min(shape.contextTokens(), 80));
        final LlamaForward once = new LlamaForward(weights);
        final LlamaForward again = new LlamaForward(weights);
        for (final int id : ids) {
            again.step(id);
        }
        again.reset();
        for (final int id : ids) {
            assertArrayEquals(once.step(id).clone(), again.step(id));
        }
    }

    @Test
    void shouldShowKeysValuesQueriesAndProbabilitiesToTheObserver() {
        final LlamaShape shape = RandomLlama.anyShape(5);
        final List<String> calls = new ArrayList<>();
        final LlamaForward forward = new LlamaForward(RandomLlama.weights(shape, 5),
                (layerIndex, position, first, keys, values, queries, probabilities) -> {
                    calls.add(layerIndex + "@" + position);
                    assertEquals(shape.keyValueWidth(), keys.length);
                    assertEquals(shape.keyValueWidth(), values.length);
                    assertEquals(shape.queryWidth(), queries.length);
                    assertEquals(shape.headCount(), probabilities.length);
                    for (final float[] head : probabilities) {
                        assertEquals(1, IntStream.rangeClosed(0, position).mapToDouble(i -> head[i]).sum(), 1e-5);
                    }
                });
        forward.step(0);
        forward.step(1);
        final List<String> expected = new ArrayList<>();
        for (int i = 0; i < 2 * shape.layerCount(); i++) {
            expected.add(i % shape.layerCount() + "@" + i / shape.layerCount());
        }
        assertEquals(expected, calls);
    }

    /** With all scores equal the first experts are chosen, and what the others hold does not matter. */
    @Test
    void shouldTakeTheLowerIndexWhenExpertsAreEqual() {
        final LlamaShape shape = new LlamaShape(8, 1, 2, 1, 4, 6, 5, 16, 4, 2, 10_000, 1e-5f, true);
        final LlamaWeights weights = RandomLlama.weights(shape, 1);
        final float[][] down = weights.layers().get(0).down();
        Arrays.fill(weights.layers().get(0).router(), 0);
        final float[] before = new LlamaForward(weights).step(1).clone();
        Arrays.fill(down[2], 0);
        Arrays.fill(down[3], 0);
        assertArrayEquals(before, new LlamaForward(weights).step(1));
        Arrays.fill(down[1], 0);
        assertEquals(false, Arrays.equals(before, new LlamaForward(weights).step(1)));
    }

    @Test
    void shouldRefuseWhatIsNoTokenAndWhatIsBehindTheContext() {
        final LlamaShape shape = RandomLlama.anyShape(1);
        final LlamaForward forward = new LlamaForward(RandomLlama.weights(shape, 1));
        assertThrows(IllegalArgumentException.class, () -> forward.step(-1));
        assertThrows(IllegalArgumentException.class, () -> forward.step(shape.vocabularySize()));
        for (int i = 0; i < shape.contextTokens(); i++) {
            forward.step(0);
        }
        assertThrows(IllegalStateException.class, () -> forward.step(0));
    }

    private static int[] ids(final LlamaShape shape, final long seed, final int count) {
        return new SplittableRandom(seed).ints(count, 0, shape.vocabularySize()).toArray();
    }

    /** The network as the papers write it: no cache, all positions at once, double precision, the library's exp. */
    private static final class WholeSequence {

        private final LlamaWeights weights;
        private final LlamaShape shape;

        WholeSequence(final LlamaWeights weights) {
            this.weights = weights;
            shape = weights.shape();
        }

        double[][] logits(final int[] ids) {
            final double[][] stream = new double[ids.length][shape.dimension()];
            for (int t = 0; t < ids.length; t++) {
                for (int i = 0; i < shape.dimension(); i++) {
                    stream[t][i] = weights.embedding()[ids[t] * shape.dimension() + i];
                }
            }
            for (final LlamaWeights.Layer layer : weights.layers()) {
                final double[][] attended = attention(layer, normalise(stream, layer.attentionNorm()));
                for (int t = 0; t < ids.length; t++) {
                    add(stream[t], product(layer.output(), attended[t]), 1);
                }
                final double[][] normalised = normalise(stream, layer.feedForwardNorm());
                for (int t = 0; t < ids.length; t++) {
                    feedForward(layer, normalised[t], stream[t]);
                }
            }
            final double[][] normalised = normalise(stream, weights.finalNorm());
            return Arrays.stream(normalised).map(row -> product(weights.head(), row)).toArray(double[][]::new);
        }

        private double[][] attention(final LlamaWeights.Layer layer, final double[][] input) {
            final int size = shape.headSize();
            final double[][] queries = rotated(layer.query(), input);
            final double[][] keys = rotated(layer.key(), input);
            final double[][] result = new double[input.length][shape.queryWidth()];
            for (int head = 0; head < shape.headCount(); head++) {
                final int shared = head * shape.keyValueHeadCount() / shape.headCount();
                for (int t = 0; t < input.length; t++) {
                    double sum = 0;
                    final double[] total = new double[size];
                    for (int past = 0; past <= t; past++) {
                        double score = 0;
                        for (int i = 0; i < size; i++) {
                            score += queries[t][head * size + i] * keys[past][shared * size + i];
                        }
                        final double weight = Math.exp(score / Math.sqrt(size));
                        final double[] value = product(layer.value(), input[past]);
                        sum += weight;
                        for (int i = 0; i < size; i++) {
                            total[i] += weight * value[shared * size + i];
                        }
                    }
                    for (int i = 0; i < size; i++) {
                        result[t][head * size + i] = total[i] / sum;
                    }
                }
            }
            return result;
        }

        private double[][] rotated(final float[] matrix, final double[][] input) {
            final int size = shape.headSize();
            final double[][] result = new double[input.length][];
            for (int t = 0; t < input.length; t++) {
                final double[] plain = product(matrix, input[t]);
                result[t] = new double[plain.length];
                for (int i = 0; i < plain.length; i++) {
                    final int channel = i % size;
                    final int pair = channel % (size / 2);
                    final double angle = t / Math.pow(shape.ropeTheta(), 2.0 * pair / size);
                    final double other = channel < size / 2 ? -plain[i + size / 2] : plain[i - size / 2];
                    result[t][i] = plain[i] * Math.cos(angle) + other * Math.sin(angle);
                }
            }
            return result;
        }

        private void feedForward(final LlamaWeights.Layer layer, final double[] input, final double[] stream) {
            if (shape.isDense()) {
                add(stream, expert(layer, 0, input), 1);
                return;
            }
            final double[] scores = product(layer.router(), input);
            final int[] order = IntStream.range(0, scores.length).boxed()
                    .sorted((a, b) -> Double.compare(scores[b], scores[a]))
                    .mapToInt(Integer::intValue).limit(shape.activeExperts()).toArray();
            final double sum = Arrays.stream(order).mapToDouble(i -> Math.exp(scores[i])).sum();
            for (final int i : order) {
                add(stream, expert(layer, i, input), Math.exp(scores[i]) / sum);
            }
        }

        private static double[] expert(final LlamaWeights.Layer layer, final int index, final double[] input) {
            final double[] gate = product(layer.gate()[index], input);
            final double[] up = product(layer.up()[index], input);
            for (int i = 0; i < gate.length; i++) {
                gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
            }
            return product(layer.down()[index], gate);
        }

        private double[][] normalise(final double[][] rows, final float[] weight) {
            final double[][] result = new double[rows.length][shape.dimension()];
            for (int t = 0; t < rows.length; t++) {
                final double mean = Arrays.stream(rows[t]).map(x -> x * x).average().getAsDouble();
                for (int i = 0; i < weight.length; i++) {
                    result[t][i] = rows[t][i] / Math.sqrt(mean + shape.normEpsilon()) * weight[i];
                }
            }
            return result;
        }

        private static double[] product(final float[] matrix, final double[] vector) {
            final double[] result = new double[matrix.length / vector.length];
            for (int i = 0; i < matrix.length; i++) {
                result[i / vector.length] += matrix[i] * vector[i % vector.length];
            }
            return result;
        }

        private static void add(final double[] sum, final double[] addend, final double factor) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += factor * addend[i];
            }
        }
    }
}
