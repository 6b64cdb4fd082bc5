package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.exact.Elementwise;
import io.tiercel.appliance.engine.transformer.CodecParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;
import io.tiercel.appliance.engine.transformer.TransformerShape;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention of one layer as the specification says it, without slots, pages or packed bits: every token's rows in a
 * list, and for each step the tokens in reach picked by their numbers. Sums are 64-bit.
 */
final class PlainAttention {

    private final TransformerParameters parameters;
    private final TransformerShape shape;
    private final CodecParameters keys;
    private final CodecParameters values;
    private final List<int[]> keyRows = new ArrayList<>();
    private final List<int[]> valueRows = new ArrayList<>();
    /** What the codes of a token stand for. */
    private final List<int[]> codedKeyRows = new ArrayList<>();
    private final List<int[]> codedValueRows = new ArrayList<>();

    PlainAttention(final TransformerParameters parameters, final int layer) {
        this.parameters = parameters;
        shape = parameters.shape();
        keys = parameters.layer(layer).keys();
        values = parameters.layer(layer).values();
    }

    /** Takes a token's queries, keys and values, turned and rotated already; returns what attention puts out, [H d]. */
    float[] attend(final float[] projected) {
        keyRows.add(bytes(keys, projected, shape.queryCount()));
        valueRows.add(bytes(values, projected, shape.queryCount() + shape.keyCount()));
        codedKeyRows.add(again(keys, keyRows.get(keyRows.size() - 1)));
        codedValueRows.add(again(values, valueRows.get(valueRows.size() - 1)));
        final float[] attended = new float[shape.queryCount()];
        for (int head = 0; head < shape.heads(); head++) {
            attend(projected, head, head / (shape.heads() / shape.keyValueHeads()), attended);
        }
        return attended;
    }

    private void attend(final float[] projected, final int head, final int shared, final float[] attended) {
        final int size = shape.headSize();
        final int newest = keyRows.size() - 1;
        final List<Integer> recent = new ArrayList<>();
        final List<Integer> coded = new ArrayList<>();
        for (int token = 0; token <= newest; token++) {
            final boolean isSink = token < shape.sinks();
            if (isSink || token > newest - shape.window()) {
                recent.add(token);
            } else if (token > newest - shape.window() - shape.codedTokens()) {
                coded.add(token);
            }
        }
        final int[] query = new int[size];
        final float scale = query(projected, head, keys.scales(), shared, query);
        final int[] codedQuery = new int[size];
        final float codedScale = keys.codec().hasSteps()
                ? query(projected, head, keys.steps(), shared, codedQuery)
                : query(projected, head, keys.scales(), shared, codedQuery);
        final List<Float> scores = new ArrayList<>();
        recent.forEach(token -> scores.add((float) product(query, keyRows.get(token), shared) * scale));
        coded.forEach(token -> scores.add((float) product(codedQuery, codedKeyRows.get(token), shared) *
                codedScale));
        final float largest = scores.stream().max(Float::compare).orElseThrow();
        long total = 0;
        final long[] recentSums = new long[size];
        final long[] codedSums = new long[size];
        for (int i = 0; i < scores.size(); i++) {
            final float exponent = Math.max(-32, scores.get(i) - largest);
            final long weight = Math.round(Math.rint(Elementwise.exp2(exponent) * 32_768f));
            total += weight;
            final boolean isRecent = i < recent.size();
            final int[] row = isRecent
                    ? valueRows.get(recent.get(i))
                    : codedValueRows.get(coded.get(i - recent.size()));
            for (int c = 0; c < size; c++) {
                (isRecent ? recentSums : codedSums)[c] += weight * row[shared * size + c];
            }
        }
        final float inverse = (float) (1.0 / (double) total);
        for (int c = 0; c < size; c++) {
            final int channel = shared * size + c;
            final float sum = values.codec().hasSteps()
                    ? (float) recentSums[c] * (inverse * values.scales()[channel]) +
                            (float) codedSums[c] * (inverse * values.steps()[channel])
                    : (float) (recentSums[c] + codedSums[c]) * (inverse * values.scales()[channel]);
            attended[head * size + c] = sum + values.means()[channel];
        }
        if (parameters.isRotated()) {
            VectorMath.hadamard(attended, head * size, size, parameters.rotationScale());
        }
    }

    private float query(
            final float[] projected, final int head, final float[] units, final int shared, final int[] query) {
        final int size = shape.headSize();
        final float[] folded = new float[size];
        for (int c = 0; c < size; c++) {
            folded[c] = projected[head * size + c] * units[shared * size + c];
        }
        return VectorMath.quantise(folded, 0, size, parameters.queryMaximum(), query) * parameters.softmaxScale();
    }

    private long product(final int[] query, final int[] row, final int shared) {
        long sum = 0;
        for (int c = 0; c < query.length; c++) {
            sum += (long) query[c] * row[shared * query.length + c];
        }
        return sum;
    }

    private int[] bytes(final CodecParameters codec, final float[] projected, final int from) {
        final int[] row = new int[codec.means().length];
        final float largest = parameters.recentMaximum();
        for (int i = 0; i < row.length; i++) {
            final float scaled = (projected[from + i] - codec.means()[i]) * (1f / codec.scales()[i]);
            row[i] = (int) Math.rint(Math.max(-largest, Math.min(largest, scaled)));
        }
        return row;
    }

    /** The whole numbers that the codes of a row of bytes stand for. */
    private static int[] again(final CodecParameters codec, final int[] row) {
        final int[] coded = new int[row.length];
        final Codec kind = codec.codec();
        for (int i = 0; i < row.length; i++) {
            if (kind.hasSteps()) {
                final int levels = 1 << kind.bits();
                final int code = Math.floorDiv(row[i] * codec.reciprocals()[i], 65_536) + levels / 2;
                coded[i] = 2 * Math.max(0, Math.min(levels - 1, code)) - (levels - 1);
            } else {
                coded[i] = row[i];
            }
        }
        for (int first = 0; kind.isCoupled() && first < row.length; first += kind.channels()) {
            final int codebook = first / kind.channels() * 256;
            int best = 0;
            for (int entry = 1; entry < 256; entry++) {
                if (distance(codec, row, first, codebook + entry) < distance(codec, row, first, codebook + best)) {
                    best = entry;
                }
            }
            for (int c = 0; c < kind.channels(); c++) {
                coded[first + c] = codec.codebook()[(codebook + best) * kind.channels() + c];
            }
        }
        return coded;
    }

    private static long distance(final CodecParameters codec, final int[] row, final int first, final int entry) {
        final int channels = codec.codec().channels();
        long distance = 0;
        for (int c = 0; c < channels; c++) {
            final long difference = row[first + c] - codec.codebook()[entry * channels + c];
            distance += difference * difference;
        }
        return distance;
    }
}
