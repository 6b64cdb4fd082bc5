package io.tiercel.appliance.engine;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;

/** The settings of a random model, for properties; prints as what a failure needs to be repeated. */
public record LstmSetting(
        long seed, int layers, int hidden, int features, int outputs, int featureBits, WeightFormat weights,
        Task task) {

    public Bundle bundle() {
        return RandomModels.lstm(seed).layers(layers).hidden(hidden).features(features).outputs(outputs)
                .featureBits(featureBits).weights(weights).task(task).bundle();
    }
}
