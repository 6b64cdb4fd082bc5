package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.matrix.MatrixParameters;
import io.tiercel.tools.ModelInputException;
import java.util.Locale;
import java.util.Map;

/**
 * How a network is to be held.
 *
 * @param weights        of the layers; head and embedding are int8, or int16 if the layers are.
 * @param activationBits 8 or 16.
 * @param window         newest tokens in 8 bits.
 * @param sinks          first tokens in 8 bits.
 * @param context        tokens in reach.
 * @param top            likeliest tokens that an answer names.
 * @param seed           of whatever chance there is in making codebooks.
 */
public record TransformerSettings(
        WeightFormat weights, int activationBits, CacheFormat cache, int window, int sinks, int context, int top,
        long seed) {

    public static final int DEFAULT_WINDOW = 64;

    private static final String WIDE = "16/16";
    private static final Map<String, Codec> CODECS = Map.of(
            "8", Codec.UNIFORM8, "4", Codec.UNIFORM4, "2", Codec.UNIFORM2, "1", Codec.UNIFORM1,
            "c4", Codec.COUPLED4, "c2", Codec.COUPLED2, "c1", Codec.COUPLED1);

    /**
     * A cache as the command line has it: keys and values, {@code 4/2}; a bare number is uniform bits a channel, with
     * a c before it coupled. {@code 16/16} keeps all tokens in 16 bits: then the window is the context.
     */
    public static CacheFormat cache(final String codecs, final Rotation rotation, final WhenFull whenFull) {
        if (codecs.equals(WIDE)) {
            return new CacheFormat(Codec.UNIFORM8, Codec.UNIFORM8, rotation, whenFull, Short.SIZE);
        }
        final String[] parts = codecs.toLowerCase(Locale.ROOT).split("/", -1);
        if (parts.length != 2 || !CODECS.containsKey(parts[0]) || !CODECS.containsKey(parts[1])) {
            throw new ModelInputException("kv=" + codecs + " is not KEYS/VALUES, each 8, 4, 2, 1, c4, c2 or c1, nor " +
                    WIDE);
        }
        return new CacheFormat(CODECS.get(parts[0]), CODECS.get(parts[1]), rotation, whenFull);
    }

    /** The same words for a cache. */
    public static String text(final CacheFormat cache) {
        if (cache.recentBits() == Short.SIZE) {
            return WIDE;
        }
        return text(cache.keys()) + "/" + text(cache.values());
    }

    public TransformerSettings withCache(final CacheFormat other, final int newWindow) {
        return new TransformerSettings(weights, activationBits, other, newWindow, sinks, context, top, seed);
    }

    /** The largest magnitude of a channel's integer in the window. */
    int recentMaximum() {
        return cache.recentBits() == Short.SIZE ? MatrixParameters.INT16_MAXIMUM : Byte.MAX_VALUE;
    }

    /** Of head and embedding. */
    WeightFormat headFormat() {
        return weights == WeightFormat.INT16 ? WeightFormat.INT16 : WeightFormat.INT8;
    }

    private static String text(final Codec codec) {
        return (codec.isCoupled() ? "c" : "") + codec.bits();
    }
}
