package io.tiercel.tools.engine;

import io.tiercel.appliance.engine.lstm.LstmParameters;
import io.tiercel.tools.ToolException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The size of a benchmarked LSTM; its head has {@value #OUTPUTS} outputs. Immutable.
 *
 * @param layers   1..{@value LstmParameters#MAX_LAYERS}.
 * @param hidden   H, units of each layer, 1..{@value LstmParameters#MAX_HIDDEN}.
 * @param features F, inputs of the first layer, 1..{@value #MAX_FEATURES}.
 */
record EngineShape(int layers, int hidden, int features) {

    static final int OUTPUTS = 32;
    static final int MAX_FEATURES = 4096;

    /** Of all shapes; 4 bytes each still fit into the 2 GB that an ONNX file may have. */
    static final long MAX_WEIGHTS = 500_000_000;

    /** What is measured when nothing is asked for. */
    static final String DEFAULTS = "2x128,3x256,3x480,6x320,3x960,160K,635K,16.7M";

    /** By their number of weights, as publications of the field call them. */
    private static final Map<String, EngineShape> BY_WEIGHTS = Map.of(
            "160K", new EngineShape(2, 96, 128),
            "635K", new EngineShape(3, 160, 192),
            "16.7M", new EngineShape(4, 736, 512));

    private static final Pattern SIZES = Pattern.compile("(\\d{1,4})x(\\d{1,4})(?:/(\\d{1,4}))?");

    /** @throws ToolException if the text is neither a name nor {@code LxH} or {@code LxH/F} within the limits. */
    static EngineShape parse(final String text) {
        final EngineShape named = BY_WEIGHTS.get(text.toUpperCase(Locale.ROOT));
        if (named != null) {
            return named;
        }
        final Matcher sizes = SIZES.matcher(text);
        if (sizes.matches()) {
            final int hidden = Integer.parseInt(sizes.group(2));
            final EngineShape shape = new EngineShape(Integer.parseInt(sizes.group(1)), hidden,
                    sizes.group(3) == null ? hidden : Integer.parseInt(sizes.group(3)));
            if (shape.isWithinLimits()) {
                return shape;
            }
        }
        throw ToolException.badArgument("--shapes=" + text + " is neither of " + List.of("160K", "635K", "16.7M") +
                " nor LAYERSxHIDDEN or LAYERSxHIDDEN/FEATURES of 1.." + LstmParameters.MAX_LAYERS + " layers, 1.." +
                LstmParameters.MAX_HIDDEN + " hidden, 1.." + MAX_FEATURES + " features");
    }

    /** As {@link #parse} reads it; features only where they differ from the units. */
    String title() {
        return layers + "x" + hidden + (features == hidden ? "" : "/" + features);
    }

    /** Weights of all matrices: what a step multiplies that leaves nothing for afterwards. */
    long weightCount() {
        return weightCountAtRequest() + layers * 4L * hidden * hidden;
    }

    /** Weights that a step of the engine multiplies: all but the recurrent ones, whose turn is after the answer. */
    long weightCountAtRequest() {
        return 4L * hidden * features + (layers - 1) * 4L * hidden * hidden + (long) OUTPUTS * hidden;
    }

    private boolean isWithinLimits() {
        return layers >= 1 && layers <= LstmParameters.MAX_LAYERS
                && hidden >= 1 && hidden <= LstmParameters.MAX_HIDDEN
                && features >= 1 && features <= MAX_FEATURES;
    }
}
