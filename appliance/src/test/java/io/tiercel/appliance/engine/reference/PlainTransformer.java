package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.exact.Elementwise;
import io.tiercel.appliance.engine.exact.Softmax;
import io.tiercel.appliance.engine.matrix.MatrixParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.engine.transformer.TransformerShape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The specification written a second time: matrices element by element with 64-bit sums, {@link PlainAttention}. */
final class PlainTransformer {

    private final TransformerParameters parameters;
    private final TransformerShape shape;
    private final List<PlainAttention> attention = new ArrayList<>();
    private long position;

    PlainTransformer(final Bundle bundle) {
        parameters = TransformerParameters.read(bundle);
        shape = parameters.shape();
        for (int i = 0; i < shape.layers(); i++) {
            attention.add(new PlainAttention(parameters, i));
        }
    }

    /** The logits of a step, its head's biases included. */
    float[] step(final int[] input) {
        final float[] x = embed(input);
        for (int i = 0; i < shape.layers(); i++) {
            addTo(x, attend(i, x));
            addTo(x, feed(i, x));
        }
        position++;
        final float[] logits = multiply(parameters.head(), norm(x, parameters.finalNorm()));
        if (parameters.headBiases() != null) {
            addTo(logits, parameters.headBiases());
        }
        return logits;
    }

    private float[] embed(final int[] input) {
        final MatrixParameters embedding = parameters.embedding();
        final float[] x = new float[shape.dimension()];
        if (shape.hasTokens()) {
            for (int c = 0; c < x.length; c++) {
                x[c] = (float) embedding.weight(input[0], c) * embedding.rowScales()[input[0]];
            }
            return x;
        }
        final int[] quantised = new int[input.length];
        final float maximum = parameters.features().maximum();
        for (int i = 0; i < input.length; i++) {
            final float normal = (Float.intBitsToFloat(input[i]) - parameters.features().means()[i]) *
                    parameters.features().inverseDeviations()[i];
            final float scaled = normal * parameters.features().inverseScale();
            quantised[i] = (int) Math.rint(Math.max(-maximum, Math.min(maximum, scaled)));
        }
        for (int c = 0; c < x.length; c++) {
            x[c] = (float) product(embedding, c, quantised) *
                    (embedding.rowScales()[c] * parameters.features().scale()) + parameters.features().biases()[c];
        }
        return x;
    }

    private float[] attend(final int layer, final float[] x) {
        final int size = shape.headSize();
        final float[] projected =
                multiply(parameters.layer(layer).attentionInput(), norm(x, parameters.layer(layer).attentionNorm()));
        final float[] cosines = new float[size / 2];
        final float[] sines = new float[size / 2];
        parameters.rotary().angles(position, cosines, sines);
        for (int head = 0; head < shape.heads() + 2 * shape.keyValueHeads(); head++) {
            if (head < shape.heads() + shape.keyValueHeads()) {
                VectorMath.rotate(projected, head * size, cosines, sines, size / 2);
            }
            if (parameters.isRotated()) {
                VectorMath.hadamard(projected, head * size, size, parameters.rotationScale());
            }
        }
        return multiply(parameters.layer(layer).attentionOutput(), attention.get(layer).attend(projected));
    }

    private float[] feed(final int layer, final float[] x) {
        final float[] normed = norm(x, parameters.layer(layer).feedNorm());
        if (!shape.hasRouter()) {
            return expert(layer, 0, normed);
        }
        final float[] routed = multiply(parameters.layer(layer).router(), normed);
        // Less from zero, as zeros of either sign are equals.
        final List<Integer> active = IntStream.range(0, shape.experts()).boxed()
                .sorted(Comparator.comparing((Integer i) -> 0 - routed[i]).thenComparing(i -> i))
                .limit(shape.activeExperts()).toList();
        final float[] shares = new float[active.size()];
        for (int i = 0; i < shares.length; i++) {
            shares[i] = routed[active.get(i)];
        }
        Softmax.apply(shares, new int[shares.length], shares.length);
        final float[] sum = new float[shape.dimension()];
        for (int i = 0; i < shares.length; i++) {
            final float[] change = expert(layer, active.get(i), normed);
            for (int c = 0; c < sum.length; c++) {
                sum[c] = sum[c] + shares[i] * change[c];
            }
        }
        return sum;
    }

    private float[] expert(final int layer, final int expert, final float[] normed) {
        final float[] both = multiply(parameters.layer(layer).expertInput(expert), normed);
        final float[] hidden = new float[shape.hidden()];
        for (int i = 0; i < hidden.length; i++) {
            hidden[i] = (both[i] * Elementwise.sigmoid(both[i])) * both[hidden.length + i];
        }
        return multiply(parameters.layer(layer).expertOutput(expert), hidden);
    }

    private float[] norm(final float[] vector, final float[] weights) {
        final float[] normed = new float[vector.length];
        VectorMath.norm(vector, weights, parameters.normEpsilon(), normed);
        return normed;
    }

    private float[] multiply(final MatrixParameters matrix, final float[] vector) {
        final int[] quantised = new int[vector.length];
        final float scale =
                VectorMath.quantise(vector, 0, vector.length, parameters.activationMaximum(), quantised);
        final float[] results = new float[matrix.rows()];
        for (int row = 0; row < results.length; row++) {
            results[row] = (float) product(matrix, row, quantised) * (matrix.rowScales()[row] * scale);
        }
        return results;
    }

    private static long product(final MatrixParameters matrix, final int row, final int[] vector) {
        long sum = 0;
        for (int column = 0; column < matrix.columns(); column++) {
            sum += (long) matrix.weight(row, column) * vector[column];
        }
        return matrix.format() == WeightFormat.INT16 ? sum : (int) sum;
    }

    private static void addTo(final float[] sum, final float[] addend) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] = sum[i] + addend[i];
        }
    }
}
