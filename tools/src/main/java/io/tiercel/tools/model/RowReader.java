package io.tiercel.tools.model;

import io.tiercel.tools.ModelInputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Streams a CSV file of feature rows. The first line names the columns, in any order: every feature of the model,
 * and if wanted {@code session} (an integer: rows of several sessions may interleave), {@code label} (the index of the
 * right answer, may be empty) and {@code split} ({@code train} or {@code test}). Any other column is refused, for it
 * may be a feature misspelt. No quotes, no blank lines.
 *
 * <pre>
 *   try (RowReader rows = new RowReader(path, featureNames, labelCount)) {
 *       while (rows.next()) { … rows.features() … }
 *   }
 * </pre>
 */
final class RowReader implements AutoCloseable {

    private static final String SESSION = "session";
    private static final String LABEL = "label";
    private static final String SPLIT = "split";
    private static final Set<String> OTHERS = Set.of(SESSION, LABEL, SPLIT);

    /** {@link #label()} of a row that has none. */
    static final int NO_LABEL = -1;

    private final Path path;
    private final BufferedReader lines;
    private final List<String> columns;
    private final int[] featureColumns;
    private final int sessionColumn;
    private final int labelColumn;
    private final int splitColumn;
    private final int labelCount;
    private final float[] features;
    private long lineNumber = 1;
    private long session;
    private int label = NO_LABEL;
    private String split = "";

    RowReader(final Path path, final List<String> featureNames, final int labelCount) throws IOException {
        this.path = path;
        this.labelCount = labelCount;
        try {
            lines = Files.newBufferedReader(path, StandardCharsets.UTF_8);
        } catch (final NoSuchFileException ex) {
            throw new ModelInputException(path + ": no such file", ex);
        }
        final String header = lines.readLine();
        columns = header == null ? List.of() : Arrays.asList(header.split(",", -1));
        featureColumns = featureNames.stream().mapToInt(columns::indexOf).toArray();
        sessionColumn = columns.indexOf(SESSION);
        labelColumn = columns.indexOf(LABEL);
        splitColumn = columns.indexOf(SPLIT);
        features = new float[featureColumns.length];
        checkHeader(featureNames);
    }

    /** The columns of a file that are not session, label or split: what a model of these rows has as features. */
    static List<String> featureNames(final Path path) throws IOException {
        try (BufferedReader reader = Files.newBufferedReader(path, StandardCharsets.UTF_8)) {
            final String header = reader.readLine();
            return header == null
                    ? List.of()
                    : Arrays.stream(header.split(",", -1)).filter(column -> !OTHERS.contains(column)).toList();
        } catch (final NoSuchFileException ex) {
            throw new ModelInputException(path + ": no such file", ex);
        }
    }

    private void checkHeader(final List<String> featureNames) {
        for (int i = 0; i < featureColumns.length; i++) {
            if (featureColumns[i] < 0) {
                throw new ModelInputException(path + ": line=1: column=" + featureNames.get(i) + " is missing");
            }
        }
        final Set<String> known = new HashSet<>(featureNames);
        known.addAll(OTHERS);
        for (final String column : columns) {
            if (!known.remove(column)) {
                throw new ModelInputException(
                        path + ": line=1: column=" + column + " is no feature of the model, or there twice");
            }
        }
    }

    /** Goes to the next row; false at the end of the file. */
    boolean next() throws IOException {
        final String line = lines.readLine();
        if (line == null) {
            return false;
        }
        lineNumber++;
        final String[] fields = line.split(",", -1);
        if (fields.length != columns.size()) {
            throw new ModelInputException(path + ": line=" + lineNumber + ": fields=" + fields.length +
                    ", the header has " + columns.size());
        }
        for (int i = 0; i < features.length; i++) {
            features[i] = parseFeature(fields, featureColumns[i]);
        }
        session = sessionColumn < 0 ? 0 : parseInteger(fields, sessionColumn, Long.MIN_VALUE, Long.MAX_VALUE);
        label = labelColumn < 0 || fields[labelColumn].isEmpty()
                ? NO_LABEL
                : (int) parseInteger(fields, labelColumn, 0, labelCount - 1);
        split = splitColumn < 0 ? "" : fields[splitColumn];
        return true;
    }

    boolean hasSession() {
        return sessionColumn >= 0;
    }

    boolean hasLabel() {
        return labelColumn >= 0;
    }

    boolean hasSplit() {
        return splitColumn >= 0;
    }

    /** The row's features in the model's order; the same array for each row. */
    float[] features() {
        return features;
    }

    long session() {
        return session;
    }

    int label() {
        return label;
    }

    String split() {
        return split;
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }

    private float parseFeature(final String[] fields, final int column) {
        try {
            final float value = Float.parseFloat(fields[column]);
            if (Float.isFinite(value)) {
                return value;
            }
        } catch (final NumberFormatException ex) {
            throw new ModelInputException(where(column, fields) + " is not a number", ex);
        }
        throw new ModelInputException(where(column, fields) + " is not a finite 32-bit number");
    }

    private long parseInteger(final String[] fields, final int column, final long low, final long high) {
        try {
            final long value = Long.parseLong(fields[column]);
            if (value >= low && value <= high) {
                return value;
            }
        } catch (final NumberFormatException ex) {
            throw new ModelInputException(where(column, fields) + " is not an integer", ex);
        }
        throw new ModelInputException(where(column, fields) + " is not in " + low + ".." + high);
    }

    private String where(final int column, final String[] fields) {
        return path + ": line=" + lineNumber + ": " + columns.get(column) + "=" + fields[column];
    }
}
