package io.tiercel.tools.model;

import io.tiercel.tools.ModelInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How good a classifier is on labelled rows, as trained and in each quantised form, in one pass over the file. Where
 * the file has a {@code split} column only its {@code test} rows count; every row moves the state. The majority
 * baseline always says the label that is most frequent among the rows that count, which no constant answer can beat.
 */
final class Evaluation {

    /** A probability is not taken for less than this: a single certain error would make the log loss infinite. */
    private static final double LEAST_PROBABILITY = 1e-9;

    /** What one form of the model scored. */
    private static final class Score {

        private long right;
        private double loss;

        void add(final double[] probabilities, final int label) {
            int best = 0;
            for (int i = 1; i < probabilities.length; i++) {
                best = probabilities[i] > probabilities[best] ? i : best;
            }
            right += best == label ? 1 : 0;
            loss -= Math.log(Math.max(LEAST_PROBABILITY, probabilities[label]));
        }

        Map<String, Object> report(final long rowCount) {
            final Map<String, Object> report = new LinkedHashMap<>();
            report.put("accuracy", rounded((double) right / rowCount));
            report.put("logLoss", rounded(loss / rowCount));
            return report;
        }
    }

    private final FloatLstm lstm;
    private final Normalisation normalisation;
    private final Map<String, BundleSessions> quantised;
    private final Map<String, Score> scores = new LinkedHashMap<>();
    private final Map<Long, FloatLstm.Session> floatSessions = new HashMap<>();
    private final long[] labelCounts;
    private final double[] probabilities;
    private long rowCount;

    private Evaluation(
            final FloatLstm lstm, final Normalisation normalisation, final Map<String, BundleSessions> quantised) {
        this.lstm = lstm;
        this.normalisation = normalisation;
        this.quantised = quantised;
        labelCounts = new long[lstm.outputCount()];
        probabilities = new double[lstm.outputCount()];
        scores.put("fp32", new Score());
        quantised.keySet().forEach(form -> scores.put(form, new Score()));
    }

    /**
     * The accuracy report of a manifest.
     *
     * @param quantised the loaded bundles by their form's name.
     */
    static Map<String, Object> of(
            final FloatLstm lstm, final Normalisation normalisation, final Map<String, BundleSessions> quantised,
            final List<String> featureNames, final Path path) throws IOException {
        final Evaluation evaluation = new Evaluation(lstm, normalisation, quantised);
        try (RowReader rows = new RowReader(path, featureNames, lstm.outputCount())) {
            if (!rows.hasLabel()) {
                throw new ModelInputException(path + ": line=1: column=label is missing");
            }
            while (rows.next()) {
                evaluation.row(rows);
            }
            return evaluation.report(path, rows.hasSplit());
        }
    }

    private void row(final RowReader rows) {
        final boolean counts = rows.label() != RowReader.NO_LABEL &&
                (!rows.hasSplit() || "test".equals(rows.split()));
        final FloatLstm.Session session = floatSessions.computeIfAbsent(rows.session(), key -> lstm.newSession());
        lstm.step(session, rows.features(), normalisation);
        softmax(session.outputs);
        if (counts) {
            rowCount++;
            labelCounts[rows.label()]++;
            scores.get("fp32").add(probabilities, rows.label());
        }
        for (final Map.Entry<String, BundleSessions> form : quantised.entrySet()) {
            final float[] outputs = form.getValue().step(rows.session(), rows.features());
            if (counts) {
                for (int i = 0; i < outputs.length; i++) {
                    probabilities[i] = outputs[i];
                }
                scores.get(form.getKey()).add(probabilities, rows.label());
            }
        }
    }

    private void softmax(final double[] outputs) {
        double maximum = outputs[0];
        for (final double output : outputs) {
            maximum = Math.max(maximum, output);
        }
        double sum = 0;
        for (int i = 0; i < outputs.length; i++) {
            probabilities[i] = Math.exp(outputs[i] - maximum);
            sum += probabilities[i];
        }
        for (int i = 0; i < outputs.length; i++) {
            probabilities[i] /= sum;
        }
    }

    private Map<String, Object> report(final Path path, final boolean hasSplit) {
        if (rowCount == 0) {
            throw new ModelInputException(path + ": no labelled rows" + (hasSplit ? " with split=test" : ""));
        }
        long majority = 0;
        for (final long count : labelCounts) {
            majority = Math.max(majority, count);
        }
        final Map<String, Object> report = new LinkedHashMap<>();
        report.put("source", path.getFileName().toString());
        report.put("split", hasSplit ? "test" : "all");
        report.put("rows", rowCount);
        report.put("majority", rounded((double) majority / rowCount));
        scores.forEach((form, score) -> report.put(form, score.report(rowCount)));
        return report;
    }

    private static double rounded(final double value) {
        return Math.rint(value * 1e6) / 1e6;
    }
}
