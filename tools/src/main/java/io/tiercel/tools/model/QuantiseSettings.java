package io.tiercel.tools.model;

import io.tiercel.appliance.engine.bundle.Manifest.Task;
import io.tiercel.tools.ModelInputException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What a network's tensors do not say about it: names, normalisation, task, provenance. Filled from the YAML beside the
 * weights, then from the command line, which wins; {@link #conclude} fills in what neither said and checks the counts.
 */
final class QuantiseSettings {

    private Task task = Task.CLASSIFICATION;
    private int featureBits = 8;
    private List<String> featureNames = List.of();
    private List<String> labels = List.of();
    private float[] means = {};
    private float[] deviations = {};
    private final Map<String, String> provenance = new LinkedHashMap<>();

    QuantiseSettings task(final Task newTask) {
        task = newTask;
        return this;
    }

    QuantiseSettings featureBits(final int bits) {
        if (bits != 8 && bits != 16) {
            throw new ModelInputException("features.bits=" + bits + " is not 8 or 16");
        }
        featureBits = bits;
        return this;
    }

    QuantiseSettings featureNames(final List<String> names) {
        featureNames = names;
        return this;
    }

    QuantiseSettings labels(final List<String> names) {
        labels = names;
        return this;
    }

    QuantiseSettings means(final float[] values) {
        means = values;
        return this;
    }

    QuantiseSettings deviations(final float[] values) {
        deviations = values;
        return this;
    }

    QuantiseSettings provenance(final String key, final String value) {
        provenance.put(key, value);
        return this;
    }

    QuantiseSettings conclude(final FloatLstm lstm) {
        if (featureNames.isEmpty()) {
            featureNames = IntStream.range(0, lstm.featureCount()).mapToObj(i -> "f_" + i).toList();
        }
        if (labels.isEmpty()) {
            labels = IntStream.range(0, lstm.outputCount()).mapToObj(i -> "output_" + i).toList();
        }
        if (means.length == 0) {
            means = new float[lstm.featureCount()];
        }
        if (deviations.length == 0) {
            deviations = new float[lstm.featureCount()];
            Arrays.fill(deviations, 1);
        }
        checkCount("features.names", featureNames.size(), lstm.featureCount());
        checkCount("features.mean", means.length, lstm.featureCount());
        checkCount("features.deviation", deviations.length, lstm.featureCount());
        checkCount("labels", labels.size(), lstm.outputCount());
        for (int i = 0; i < means.length; i++) {
            final float inverse = 1 / deviations[i];
            if (!Float.isFinite(means[i]) || !(deviations[i] > 0) || !(inverse > 0) || !Float.isFinite(inverse)) {
                throw new ModelInputException("feature=" + featureNames.get(i) + " mean=" + means[i] + " deviation=" +
                        deviations[i] + ": the mean has to be finite, the deviation above zero");
            }
        }
        return this;
    }

    Task task() {
        return task;
    }

    int featureBits() {
        return featureBits;
    }

    List<String> featureNames() {
        return featureNames;
    }

    List<String> labels() {
        return labels;
    }

    Map<String, String> provenance() {
        return provenance;
    }

    Normalisation normalisation() {
        return new Normalisation(means, deviations);
    }

    private static void checkCount(final String key, final int count, final int expected) {
        if (count != expected) {
            throw new ModelInputException(key + " count=" + count + ", the network has " + expected);
        }
    }
}
