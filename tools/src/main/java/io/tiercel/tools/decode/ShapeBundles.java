package io.tiercel.tools.decode;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.tools.transformer.RandomNetwork;
import java.nio.file.Path;
import java.util.List;

/** Transformers with random weights, by a shape as {@code bench decode} takes it: what a step costs is theirs. */
public final class ShapeBundles {

    public static final String DEFAULT = DecodeShape.DEFAULT;

    private static final String CODECS = "4/4";
    private static final long SEED = 1;

    private ShapeBundles() {
    }

    /** @throws io.tiercel.tools.ToolException if the text is no shape. */
    public static void check(final String title) {
        DecodeShape.parse(title);
    }

    /**
     * The same network in int8 and in int4.
     *
     * @throws io.tiercel.tools.ToolException if the text is no shape.
     */
    public static List<Bundle> of(final String title) {
        final DecodeShape shape = DecodeShape.parse(title);
        final BenchBundles bundles = of(shape);
        return List.of(WeightFormat.INT8, WeightFormat.INT4).stream()
                .map(format -> bundle(shape, bundles, format))
                .toList();
    }

    /** What bundles of the shape are made of. */
    static BenchBundles of(final DecodeShape shape) {
        return new BenchBundles(
                RandomNetwork.of(shape.network(), SEED), shape.network().contextTokens(), shape.window());
    }

    static Bundle bundle(final DecodeShape shape, final BenchBundles bundles, final WeightFormat format) {
        return bundles.bundle(Path.of(shape.title()), format, CODECS);
    }
}
