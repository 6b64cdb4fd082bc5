package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.exact.Elementwise;
import io.tiercel.appliance.engine.transformer.CodecParameters;

/**
 * The keys, or the values, of one layer to integers, and these to codes; what {@link CodecParameters} says.
 * Immutable. Rows are by head and channel.
 */
final class TransformerCodec {

    final CodecParameters parameters;
    final Codec codec;
    private final int headSize;
    private final int codesOfHead;

    private final float recentMaximum;

    TransformerCodec(final CodecParameters parameters, final int headSize, final int recentMaximum) {
        this.recentMaximum = recentMaximum;
        this.parameters = parameters;
        this.codec = parameters.codec();
        this.headSize = headSize;
        codesOfHead = codec.codeCount(headSize);
    }

    /** Codes of one head's row. */
    int codesOfHead() {
        return codesOfHead;
    }

    /** {@code rint(hold((x - mean) * (1 / scale), ±maximum))} of a row, from an index of the vector. */
    void quantise(final float[] vector, final int from, final int[] row) {
        final float[] means = parameters.means();
        final float[] inverseScales = parameters.inverseScales();
        for (int i = 0; i < means.length; i++) {
            final float scaled = (vector[from + i] - means[i]) * inverseScales[i];
            row[i] = Elementwise.rint(Math.max(-recentMaximum, Math.min(recentMaximum, scaled)));
        }
    }

    /** The codes of one head's channels. */
    void code(final int[] row, final int head, final int[] codes) {
        for (int i = 0; i < codesOfHead; i++) {
            codes[i] = codec.isCoupled()
                    ? nearest(row, head, i)
                    : uniform(row[head * headSize + i], head * headSize + i);
        }
    }

    /**
     * The whole number that a code stands for, of one of its channels: in units of the step of its channel, or of the
     * scale for 8 bits and for coupled codes.
     */
    int value(final int head, final int code, final int channel) {
        if (codec.isCoupled()) {
            final int channels = codec.channels();
            final int group = head * codesOfHead + channel / channels;
            return parameters.codebook()[(group * CodecParameters.ENTRIES + code) * channels + channel % channels];
        }
        return codec.hasSteps() ? 2 * code - ((1 << codec.bits()) - 1) : (byte) code;
    }

    private int uniform(final int value, final int channel) {
        if (!codec.hasSteps()) {
            return value;
        }
        final int half = 1 << codec.bits() - 1;
        final int code = (value * parameters.reciprocals()[channel] >> CodecParameters.RECIPROCAL_BITS) + half;
        return Math.max(0, Math.min(2 * half - 1, code));
    }

    private int nearest(final int[] row, final int head, final int group) {
        final byte[] codebook = parameters.codebook();
        final int channels = codec.channels();
        int nearest = 0;
        int least = Integer.MAX_VALUE;
        for (int entry = 0; entry < CodecParameters.ENTRIES; entry++) {
            final int place = ((head * codesOfHead + group) * CodecParameters.ENTRIES + entry) * channels;
            int distance = 0;
            for (int i = 0; i < channels; i++) {
                final int difference = row[head * headSize + group * channels + i] - codebook[place + i];
                distance += difference * difference;
            }
            if (distance < least) {
                least = distance;
                nearest = entry;
            }
        }
        return nearest;
    }
}
