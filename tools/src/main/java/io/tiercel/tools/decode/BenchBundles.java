package io.tiercel.tools.decode;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.transformer.CacheCalibration;
import io.tiercel.tools.transformer.TokenSequences;
import io.tiercel.tools.transformer.TransformerQuantiser;
import io.tiercel.tools.transformer.TransformerSettings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A network in fp32 as bundles in memory, calibrated on a little text that it draws itself, once: it is their speed
 * that is measured. Not on a hot path.
 */
final class BenchBundles {

    private static final int DRAWN_SEQUENCES = 4;
    private static final int DRAWN_TOKENS = 400;
    private static final long SEED = 1;

    private final LlamaModel model;
    private final int context;
    private final int window;
    private final List<int[]> drawn;
    /** By window. */
    private final Map<Integer, CacheCalibration> calibrations = new HashMap<>();

    /**
     * @param context tokens in reach, whatever the network's file says.
     * @param window  newest tokens in 8 bits, of bundles that code the others.
     */
    BenchBundles(final LlamaModel model, final int context, final int window) {
        this.model = model;
        this.context = context;
        this.window = Math.min(window, context);
        drawn = TokenSequences.drawn(model, DRAWN_SEQUENCES, Math.min(context, DRAWN_TOKENS), context, SEED);
    }

    /**
     * Answers name one token, the likeliest.
     *
     * @param codecs as {@link TransformerSettings#cache} has them; {@code 16/16} goes with activations of 16 bits.
     */
    Bundle bundle(final Path name, final WeightFormat weights, final String codecs) {
        return Bundle.of(name, bytes(weights, codecs));
    }

    /** What a file of the bundle would hold. */
    byte[] bytes(final WeightFormat weights, final String codecs) {
        final CacheFormat cache = TransformerSettings.cache(codecs, Rotation.NONE, WhenFull.SLIDE);
        final boolean isWide = cache.recentBits() == Short.SIZE;
        final TransformerSettings settings = new TransformerSettings(weights,
                weights == WeightFormat.INT16 ? Short.SIZE : Byte.SIZE, cache, isWide ? context : window, 0, context,
                1, SEED);
        final CacheCalibration calibration = calibrations.computeIfAbsent(
                settings.window(), recent -> CacheCalibration.of(model.weights(), drawn, recent, context));
        return TransformerQuantiser.quantise(model, settings, calibration, Map.of(), Map.of()).toBytes();
    }

    /** Tokens as the network says them, of the first text drawn. */
    int[] text() {
        return drawn.get(0).clone();
    }
}
