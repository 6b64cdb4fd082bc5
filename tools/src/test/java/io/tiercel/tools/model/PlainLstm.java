package io.tiercel.tools.model;

import io.tiercel.tools.engine.LstmWeights;
import io.tiercel.tools.model.FloatLstm.Layer;
import io.tiercel.tools.matrix.FloatMatrix;
import java.util.Arrays;

/** {@link FloatLstm}, the oracle in double precision, over weights that come from no file. */
public final class PlainLstm {

    private final FloatLstm lstm;
    private final FloatLstm.Session session;
    private final Normalisation identity;

    public PlainLstm(final LstmWeights weights) {
        final int hidden = weights.hidden();
        final int rows = LstmWeights.GATES * hidden;
        final Layer[] layers = new Layer[weights.layers()];
        for (int i = 0; i < layers.length; i++) {
            layers[i] = new Layer(
                    new FloatMatrix(rows, weights.inputsOf(i), weights.input()[i]),
                    new FloatMatrix(rows, hidden, weights.recurrent()[i]),
                    weights.bias()[i]);
        }
        lstm = new FloatLstm(layers, new FloatMatrix(weights.outputs(), hidden, weights.head()), weights.headBias());
        session = lstm.newSession();
        final float[] ones = new float[weights.features()];
        Arrays.fill(ones, 1);
        identity = new Normalisation(new float[weights.features()], ones);
    }

    /** One step; the head's values, valid until the next one. */
    public double[] step(final float[] features) {
        lstm.step(session, features, identity);
        return session.outputs;
    }
}
