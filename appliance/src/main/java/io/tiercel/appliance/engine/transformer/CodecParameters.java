package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.appliance.engine.matrix.MatrixParameters;

/**
 * How the keys, or the values, of one layer are coded; immutable, any thread. Arrays are by head and channel, [K x d],
 * and come out as they are held: not to be changed.
 *
 * <p>A token's key is first an integer of 8 bits for each channel, {@code rint(hold((k - mean) / scale, ±127))}; of 16
 * bits, held to ±32,639, where nothing is ever coded. When it leaves the window it is coded again from these integers:
 * <pre>
 *   uniform, b bits   code = hold(((k8 * reciprocal) >> 16) + 2^(b-1), 0..2^b - 1)
 *                     stands for (2 code - (2^b - 1)) step
 *   uniform, 8 bits   k8 itself; stands for k8 scale
 *   coupled           the entry of the codebook with the least sum of squares of its channels' differences
 *                     from k8, the first of equals; stands for entry scale
 * </pre>
 *
 * <p>Tensors, under {@code layers.N.keys} or {@code layers.N.values}: {@code .mean} F32 [K, d], {@code .scale} F32
 * [K, d] above zero; uniform below 8 bits {@code .step} F32 [K, d] above zero, {@code .reciprocal} I32 [K, d],
 * 1..2^23; coupled {@code .codebook} I8 [K, d / channels, 256, channels].
 */
public final class CodecParameters {

    /** Entries of a codebook. */
    public static final int ENTRIES = 256;
    /** A code of a uniform codec is a product with a reciprocal, shifted right by so many bits. */
    public static final int RECIPROCAL_BITS = 16;

    private static final int MAX_RECIPROCAL = 1 << 23;

    private final Codec codec;
    private final float[] means;
    private final float[] scales;
    private final float[] inverseScales;
    private final float[] steps;
    private final int[] reciprocals;
    private final byte[] codebook;

    private final int recentMaximum;

    private CodecParameters(final Bundle bundle, final String name, final Codec codec, final TransformerShape shape) {
        final int heads = shape.keyValueHeads();
        final int channels = shape.headSize();
        this.codec = codec;
        recentMaximum = recentMaximum(bundle.manifest().cache());
        means = bundle.floats(name + ".mean", heads, channels);
        scales = bundle.positiveFloats(name + ".scale", heads, channels);
        inverseScales = new float[scales.length];
        for (int i = 0; i < scales.length; i++) {
            inverseScales[i] = 1f / scales[i];
            if (Float.isInfinite(inverseScales[i])) {
                throw new BundleException(bundle.path() + ": tensor=" + name + ".scale index=" + i + " value=" +
                        scales[i] + " has no finite inverse");
            }
        }
        steps = codec.hasSteps() ? bundle.positiveFloats(name + ".step", heads, channels) : null;
        reciprocals = codec.hasSteps() ? reciprocals(bundle, name + ".reciprocal", heads, channels) : null;
        codebook = codec.isCoupled()
                ? bundle.bytes(name + ".codebook", DType.I8, heads, codec.codeCount(channels), ENTRIES,
                        codec.channels())
                : null;
    }

    static CodecParameters read(
            final Bundle bundle, final String name, final Codec codec, final TransformerShape shape) {
        if (shape.headSize() % codec.channels() != 0) {
            throw new BundleException(bundle.path() + ": manifest key=shape.headSize value=" + shape.headSize() +
                    " is not a multiple of the channels=" + codec.channels() + " that a code of " + name + " holds");
        }
        return new CodecParameters(bundle, name, codec, shape);
    }

    /** The largest magnitude of a channel's integer: of 8 bits, or of two planes of 8. */
    static int recentMaximum(final CacheFormat cache) {
        return cache.recentBits() == Byte.SIZE ? Byte.MAX_VALUE : MatrixParameters.INT16_MAXIMUM;
    }

    public Codec codec() {
        return codec;
    }

    public float[] means() {
        return means;
    }

    /** Of an 8-bit integer, above zero. */
    public float[] scales() {
        return scales;
    }

    /** 1 / scale, rounded once. */
    public float[] inverseScales() {
        return inverseScales;
    }

    /** Half of the distance between what two neighbouring codes stand for; null unless uniform below 8 bits. */
    public float[] steps() {
        return steps;
    }

    /**
     * 2^16 scale / width, as a whole number, where a code takes in so wide a range: about 2 step, but what is best for
     * it to take in and what is best for it to stand for need not be the same; null unless uniform below 8 bits.
     */
    public int[] reciprocals() {
        return reciprocals;
    }

    /** [K, d / channels, 256, channels]; null unless coupled. */
    public byte[] codebook() {
        return codebook;
    }

    /** The largest magnitude that a channel's value can be, its mean not counted. */
    double largest(final int channel) {
        final double recent = (recentMaximum + 1.0) * scales[channel];
        return steps == null ? recent : Math.max(recent, (1 << codec.bits()) * (double) steps[channel]);
    }

    private static int[] reciprocals(final Bundle bundle, final String name, final int heads, final int channels) {
        final int[] values = bundle.integers(name, heads, channels);
        for (int i = 0; i < values.length; i++) {
            if (values[i] < 1 || values[i] > MAX_RECIPROCAL) {
                throw new BundleException(bundle.path() + ": tensor=" + name + " index=" + i + " value=" + values[i] +
                        " is not in 1.." + MAX_RECIPROCAL);
            }
        }
        return values;
    }
}
