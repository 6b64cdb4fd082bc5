package io.tiercel.nativecuda;

import io.tiercel.appliance.engine.matrix.MatrixParameters;
import io.tiercel.appliance.engine.transformer.CodecParameters;
import io.tiercel.appliance.engine.transformer.FeatureParameters;
import io.tiercel.appliance.engine.transformer.TransformerLayerParameters;
import io.tiercel.appliance.engine.transformer.TransformerParameters;

/** A {@code transformer} bundle's weights, given to native kernels one after the other, by the numbers they have. */
public final class TransformerWeights {

    /** Who packs them; parameters are those of the C functions {@code tiercel_transformer_set_*}. */
    public interface Target {

        /** @param matrix of {@code enum tiercel_transformer_matrix}. */
        void matrix(
                int layer, int matrix, int expert, byte[] codes, byte[] lowCodes, byte[] multipliers, float[] scales);

        /** @param vector of {@code enum tiercel_transformer_vector}. */
        void vector(int layer, int vector, float[] values);

        void rotarySteps(long[] steps);

        /** Steps and reciprocals, and codebook, are null where the codec has none. */
        void codec(
                int layer, int isValues, float[] means, float[] scales, float[] steps, int[] reciprocals,
                byte[] codebook);
    }

    /** As {@code enum tiercel_transformer_matrix} has them. */
    private enum Matrix {
        EMBEDDING, HEAD, ATTENTION_INPUT, ATTENTION_OUTPUT, ROUTER, EXPERT_INPUT, EXPERT_OUTPUT
    }

    /** As {@code enum tiercel_transformer_vector} has them. */
    private enum Vector {
        FINAL_NORM, HEAD_BIASES, ROTARY_CIRCLE, FEATURE_MEANS, FEATURE_DEVIATIONS, EMBEDDING_BIASES, ATTENTION_NORM,
        FEED_NORM
    }

    private final TransformerParameters parameters;
    private final Target target;

    private TransformerWeights(final TransformerParameters parameters, final Target target) {
        this.parameters = parameters;
        this.target = target;
    }

    /** Each of them once. */
    public static void give(final TransformerParameters parameters, final Target target) {
        new TransformerWeights(parameters, target).give();
    }

    private void give() {
        give(0, Matrix.EMBEDDING, 0, parameters.embedding());
        give(0, Matrix.HEAD, 0, parameters.head());
        give(0, Vector.FINAL_NORM, parameters.finalNorm());
        give(0, Vector.ROTARY_CIRCLE, parameters.rotary().circle());
        target.rotarySteps(parameters.rotary().steps());
        if (parameters.headBiases() != null) {
            give(0, Vector.HEAD_BIASES, parameters.headBiases());
        }
        final FeatureParameters features = parameters.features();
        if (features != null) {
            give(0, Vector.FEATURE_MEANS, features.means());
            give(0, Vector.FEATURE_DEVIATIONS, features.inverseDeviations());
            give(0, Vector.EMBEDDING_BIASES, features.biases());
        }
        for (int i = 0; i < parameters.shape().layers(); i++) {
            give(i, parameters.layer(i));
        }
    }

    private void give(final int index, final TransformerLayerParameters layer) {
        give(index, Vector.ATTENTION_NORM, layer.attentionNorm());
        give(index, Matrix.ATTENTION_INPUT, 0, layer.attentionInput());
        give(index, Matrix.ATTENTION_OUTPUT, 0, layer.attentionOutput());
        give(index, 0, layer.keys());
        give(index, 1, layer.values());
        give(index, Vector.FEED_NORM, layer.feedNorm());
        if (layer.router() != null) {
            give(index, Matrix.ROUTER, 0, layer.router());
        }
        for (int expert = 0; expert < parameters.shape().feedForwards(); expert++) {
            give(index, Matrix.EXPERT_INPUT, expert, layer.expertInput(expert));
            give(index, Matrix.EXPERT_OUTPUT, expert, layer.expertOutput(expert));
        }
    }

    private void give(final int layer, final Matrix which, final int expert, final MatrixParameters matrix) {
        target.matrix(layer, which.ordinal(), expert, matrix.codes(), matrix.lowCodes(), matrix.multipliers(),
                matrix.rowScales());
    }

    private void give(final int layer, final Vector which, final float[] values) {
        target.vector(layer, which.ordinal(), values);
    }

    private void give(final int layer, final int isValues, final CodecParameters codec) {
        target.codec(layer, isValues, codec.means(), codec.scales(), codec.steps(), codec.reciprocals(),
                codec.codebook());
    }
}
