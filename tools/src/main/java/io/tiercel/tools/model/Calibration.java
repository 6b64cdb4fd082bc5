package io.tiercel.tools.model;

import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the activations of a network look like on real rows: the scales under which they lose least as integers, and
 * how large each one is, which says how much an error in a weight would matter. Only rows of the {@code train} split
 * count where the file has one; every row moves the state.
 */
final class Calibration {

    /** Of each vector at most this many values are kept to choose a scale by, evenly spread over the rows. */
    private static final int SAMPLE_LIMIT = 1 << 18;
    private static final double DEFAULT_FEATURE_RANGE = 6;
    private static final int CANDIDATES = 64;

    /** Collects one vector's values. */
    private static final class Collector {

        private final double[] squares;
        private double[] magnitudes = new double[1024];
        private int count;
        private long seen;
        private long stride = 1;
        private long vectors;

        Collector(final int width) {
            squares = new double[width];
        }

        void add(final double[] vector) {
            vectors++;
            for (int i = 0; i < vector.length; i++) {
                squares[i] += vector[i] * vector[i];
                if (seen++ % stride == 0) {
                    keep(Math.abs(vector[i]));
                }
            }
        }

        /** When full, every second value goes and the stride doubles: deterministic and even. */
        private void keep(final double magnitude) {
            if (count == magnitudes.length) {
                if (count < SAMPLE_LIMIT) {
                    magnitudes = Arrays.copyOf(magnitudes, 2 * count);
                } else {
                    count /= 2;
                    for (int i = 0; i < count; i++) {
                        magnitudes[i] = magnitudes[2 * i];
                    }
                    stride *= 2;
                }
            }
            magnitudes[count++] = magnitude;
        }

        double[] meanSquares() {
            final double[] means = new double[squares.length];
            for (int i = 0; i < means.length; i++) {
                means[i] = vectors == 0 ? 1 : squares[i] / vectors + 1e-6;
            }
            return means;
        }

        /** The scale with the least squared error of rounding and holding. */
        float bestScale(final int maximum, final double defaultRange) {
            final double largest = Arrays.stream(magnitudes, 0, count).max().orElse(0);
            double best = largest > 0 ? largest : defaultRange;
            double leastError = Double.POSITIVE_INFINITY;
            for (int i = 0; i < CANDIDATES && largest > 0; i++) {
                final double range = largest * Math.pow(0.95, i);
                final double error = error(range / maximum, maximum);
                if (error < leastError) {
                    leastError = error;
                    best = range;
                }
            }
            return (float) (best / maximum);
        }

        private double error(final double scale, final int maximum) {
            double error = 0;
            for (int i = 0; i < count; i++) {
                final double difference = magnitudes[i] - scale * Math.min(maximum, Math.rint(magnitudes[i] / scale));
                error += difference * difference;
            }
            return error;
        }
    }

    private final Collector features;
    private final Collector[] hidden;

    private Calibration(final FloatLstm lstm) {
        features = new Collector(lstm.featureCount());
        hidden = new Collector[lstm.layerCount()];
        Arrays.setAll(hidden, i -> new Collector(lstm.hiddenCount()));
    }

    /** Without rows: features within six deviations, hidden values within one. */
    static Calibration none(final FloatLstm lstm) {
        return new Calibration(lstm);
    }

    static Calibration of(
            final FloatLstm lstm, final Normalisation normalisation, final List<String> featureNames, final Path path)
            throws IOException {
        final Calibration calibration = new Calibration(lstm);
        final Map<Long, FloatLstm.Session> sessions = new HashMap<>();
        try (RowReader rows = new RowReader(path, featureNames, Integer.MAX_VALUE)) {
            while (rows.next()) {
                final FloatLstm.Session session = sessions.computeIfAbsent(rows.session(), key -> lstm.newSession());
                lstm.step(session, rows.features(), normalisation);
                if (!rows.hasSplit() || "train".equals(rows.split())) {
                    calibration.add(session);
                }
            }
        }
        if (calibration.features.vectors == 0) {
            throw new ModelInputException(path + ": no rows to calibrate with");
        }
        return calibration;
    }

    float featureScale(final int maximum) {
        return features.bestScale(maximum, DEFAULT_FEATURE_RANGE);
    }

    float hiddenScale(final int layerIndex, final int maximum) {
        return hidden[layerIndex].bestScale(maximum, 1);
    }

    double[] featureMeanSquares() {
        return features.meanSquares();
    }

    double[] hiddenMeanSquares(final int layerIndex) {
        return hidden[layerIndex].meanSquares();
    }

    private void add(final FloatLstm.Session session) {
        features.add(session.normalised);
        for (int i = 0; i < hidden.length; i++) {
            hidden[i].add(session.hidden[i]);
        }
    }
}
