package io.tiercel.replay.compare;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;

/**
 * Reads interval logs in HdrHistogram's format: those of the appliance and of {@code tiercel load}, and any other. A
 * line that is no interval is refused; a last one without an end is being written, and left out.
 */
final class HistogramLogs {

    static final String SUFFIX = ".hlog";

    private static final Pattern UNIT = Pattern.compile(
            "histograms are in (ns|us|ms)\\b|\\b(nano|micro|milli)seconds\\b", Pattern.CASE_INSENSITIVE);

    private static final Pattern START =
            Pattern.compile("^#\\[StartTime: ([0-9]+(\\.[0-9]+)?) \\(seconds since epoch\\)");

    private HistogramLogs() {
    }

    /** @throws CompareException if it cannot be read. */
    static IntervalRun read(final Path file) {
        final Map<String, List<Interval>> byTag = new TreeMap<>();
        String unit = null;
        double startEpochS = Double.NaN;
        double firstBeginS = Double.NaN;
        final List<String> lines = lines(file);
        for (int index = 0; index < lines.size(); index++) {
            final String line = lines.get(index);
            if (line.startsWith("#")) {
                unit = unit == null ? unit(line) : unit;
                startEpochS = Double.isNaN(startEpochS) ? startEpochS(line) : startEpochS;
            } else if (!line.isBlank() && !line.startsWith("\"")) {
                final Histogram histogram = histogram(file, index + 1, line);
                final double beginS = number(file, index + 1, line, 0);
                firstBeginS = Double.isNaN(firstBeginS) ? beginS : firstBeginS;
                add(byTag, histogram, beginS - firstBeginS, number(file, index + 1, line, 1));
            }
        }
        return new IntervalRun(file.toString(), unit, startEpochS + firstBeginS, byTag);
    }

    private static List<String> lines(final Path file) {
        final List<String> lines = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
            final StringBuilder line = new StringBuilder();
            for (int character = reader.read(); character >= 0; character = reader.read()) {
                if (character == '\n') {
                    lines.add(line.toString().strip());
                    line.setLength(0);
                } else {
                    line.append((char) character);
                }
            }
        } catch (final IOException e) {
            throw new CompareException("file=" + file + " cannot be read: " + e.getMessage(), e);
        }
        return lines;
    }

    private static String unit(final String comment) {
        final Matcher matcher = UNIT.matcher(comment);
        if (!matcher.find()) {
            return null;
        }
        if (matcher.group(1) != null) {
            return matcher.group(1);
        }
        return switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
            case "nano" -> "ns";
            case "micro" -> "us";
            default -> "ms";
        };
    }

    private static double startEpochS(final String comment) {
        final Matcher matcher = START.matcher(comment);
        return matcher.find() ? Double.parseDouble(matcher.group(1)) : Double.NaN;
    }

    private static Histogram histogram(final Path file, final int lineNumber, final String line) {
        EncodableHistogram histogram = null;
        try (HistogramLogReader reader = new HistogramLogReader(
                new ByteArrayInputStream((line + "\n").getBytes(StandardCharsets.ISO_8859_1)))) {
            histogram = reader.nextIntervalHistogram();
        } catch (final RuntimeException e) {
            throw broken(file, lineNumber, e);
        }
        if (histogram instanceof Histogram whole) {
            return whole;
        }
        throw histogram == null
                ? broken(file, lineNumber, null)
                : new CompareException("file=" + file + " line=" + lineNumber + " holds floating-point values");
    }

    /** A field behind the tag, if there is one: 0 is the begin, 1 the length. */
    private static double number(final Path file, final int lineNumber, final String line, final int field) {
        final String[] fields = (line.startsWith("Tag=") ? line.substring(line.indexOf(',') + 1) : line).split(",");
        try {
            return Double.parseDouble(fields[field]);
        } catch (final NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw broken(file, lineNumber, e);
        }
    }

    private static CompareException broken(final Path file, final int lineNumber, final Throwable cause) {
        return new CompareException("file=" + file + " line=" + lineNumber + " is not an interval histogram", cause);
    }

    private static void add(
            final Map<String, List<Interval>> byTag, final Histogram histogram, final double beginS,
            final double lengthS) {
        if (histogram.getTotalCount() > 0 && lengthS > 0) {
            final String tag = histogram.getTag() == null ? IntervalRun.NO_TAG : histogram.getTag();
            byTag.computeIfAbsent(tag, ignored -> new ArrayList<>())
                    .add(new Interval(beginS, lengthS, ValueCounts.of(histogram)));
        }
    }
}
