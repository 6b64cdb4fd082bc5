package io.tiercel.replay.whatif;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * What answers should have been, found afterwards: for some requests of a journal, by sequence, a number. Of a
 * classifier it is the class, from 0; of a regression the value. Read from CSV:
 *
 * <pre>
 *   sequence,label
 *   70012,2
 *   70013,0
 * </pre>
 *
 * <p>Lines may be in any order. Immutable.
 */
public final class RequestLabels {

    private static final String HEADER = "sequence,label";

    private final String name;
    private final Map<Long, Double> labels;

    private RequestLabels(final String name, final Map<Long, Double> labels) {
        this.name = name;
        this.labels = labels;
    }

    /**
     * Reads a file.
     *
     * @throws MisfitException with the line and what is wrong with it.
     * @throws IOException     if it cannot be read.
     */
    public static RequestLabels read(final Path file) throws IOException {
        final Map<Long, Double> labels = new HashMap<>();
        try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            if (!HEADER.equals(lines.readLine())) {
                throw new MisfitException("labels=" + file + " line 1 is not " + HEADER);
            }
            int number = 1;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                add(labels, line, "labels=" + file + " line " + ++number);
            }
        } catch (final CharacterCodingException ex) {
            throw new MisfitException("labels=" + file + " is not text");
        }
        if (labels.isEmpty()) {
            throw new MisfitException("labels=" + file + " has no labels");
        }
        return new RequestLabels(file.toString(), labels);
    }

    private static void add(final Map<Long, Double> labels, final String line, final String place) {
        final int comma = line.indexOf(',');
        final long sequence;
        final double label;
        try {
            sequence = Long.parseLong(line.substring(0, Math.max(0, comma)));
            label = Double.parseDouble(line.substring(comma + 1));
        } catch (final NumberFormatException ex) {
            throw new MisfitException(place + ": " + line + " is not a sequence and a number");
        }
        if (!Double.isFinite(label)) {
            throw new MisfitException(place + ": label=" + label + " is not finite");
        }
        if (labels.putIfAbsent(sequence, label) != null) {
            throw new MisfitException(place + ": sequence=" + sequence + " is there twice");
        }
    }

    /** @throws MisfitException if one is not the number of a class. */
    void checkClasses(final int classCount) {
        labels.forEach((sequence, label) -> {
            if (label != Math.rint(label) || label < 0 || label >= classCount) {
                throw new MisfitException("labels=" + name + " sequence=" + sequence + " label=" + label +
                        " is not a class of the journal's model, 0.." + (classCount - 1));
            }
        });
    }

    /** Of a request; NaN if it has none. */
    double of(final long sequence) {
        return labels.getOrDefault(sequence, Double.NaN);
    }

    /** Whether a request of that range has one. */
    boolean hasAnyOf(final long fromSequence, final long toSequence) {
        return labels.keySet().stream().anyMatch(sequence -> sequence >= fromSequence && sequence <= toSequence);
    }

    int count() {
        return labels.size();
    }

    String name() {
        return name;
    }
}
