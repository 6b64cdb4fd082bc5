package io.tiercel.tools.replay;

import io.tiercel.replay.tail.CauseShare;
import io.tiercel.replay.tail.SlowRequest;
import io.tiercel.replay.tail.TailReport;
import io.tiercel.tools.TextTable;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A report on the tail for people: what was looked at, the causes, the requests. */
final class TailText {

    private static final double NS_PER_US = 1e3;
    private static final long NS_PER_SECOND = 1_000_000_000L;
    private static final int CAUSES_SHOWN = 3;
    private static final int MEMBERS_SHOWN = 4;
    /** Less is 0.0. */
    private static final long WORTH_A_WORD_NS = 50;

    private TailText() {
    }

    static String of(final Path journal, final Path telemetry, final TailReport report, final int rows) {
        final StringBuilder text = new StringBuilder(summary(journal, telemetry, report));
        text.append('\n').append(causes(report)).append('\n').append(slowest(report, rows));
        if (report.slowest().size() > rows) {
            text.append(String.format(Locale.ROOT, "... and %,d more: --past %s shows all%n",
                    report.slowest().size() - rows, number(report.percentiles().percentile())));
        }
        return text.toString();
    }

    /** What was looked at, a line each. */
    static String summary(final Path journal, final Path telemetry, final TailReport report) {
        final StringBuilder text = new StringBuilder();
        line(text, "journal", journal.toString());
        line(text, "requests", requests(report));
        line(text, "tracks", tracks(telemetry, report.tracks()));
        lateStamps(text, report.tracks());
        line(text, "µs", percentiles(report.percentiles()));
        line(text, "median of", legs(report));
        line(text, "explained", chosen(report));
        return text.toString();
    }

    /** Causes and how much each explains. */
    static List<List<String>> causeRows(final TailReport report) {
        final List<List<String>> rows = new ArrayList<>();
        for (final CauseShare share : report.causes()) {
            rows.add(List.of(share.cause().words(), String.format(Locale.ROOT, "%,d", share.requestCount()),
                    us(share.explainedNs()), us(share.inheritedNs()),
                    String.format(Locale.ROOT, "%.1f %%", 100 * share.share()), us(share.withoutNs())));
        }
        return rows;
    }

    static List<String> causeHeader(final TailReport report) {
        return List.of("cause", "requests", "explains µs", "by waiting µs", "share",
                "p" + number(report.percentiles().percentile()) + " without µs");
    }

    static List<String> requestHeader() {
        return List.of("sequence", "time", "session", "total µs", "journal", "waiting", "compute", "egress", "batch",
                "depth", "gap µs", "came late by", "why, µs");
    }

    static List<String> requestRow(final SlowRequest request) {
        final SlowRequest.Legs legs = request.legs();
        return List.of(Long.toString(request.sequence()), utc(request.ingressNs()),
                Long.toString(request.sessionKey()), us(legs.totalNs()), us(legs.journalNs()), us(legs.waitingNs()),
                us(legs.computeNs()), us(legs.egressNs()), batch(request), Integer.toString(request.queueDepth()),
                us(request.gapNs()), request.lateStampNs() == 0 ? "" : "< " + us(request.lateStampNs()),
                why(request));
    }

    private static String causes(final TailReport report) {
        final TextTable table = TextTable.ofNumbers(causeHeader(report).toArray(String[]::new));
        causeRows(report).forEach(row -> table.row(row.toArray(String[]::new)));
        return table.toString();
    }

    private static String slowest(final TailReport report, final int rows) {
        final TextTable table = TextTable.left(requestHeader().toArray(String[]::new));
        report.slowest().stream().limit(rows).forEach(each -> table.row(requestRow(each).toArray(String[]::new)));
        return table.toString();
    }

    private static String requests(final TailReport report) {
        final StringBuilder text = new StringBuilder(String.format(Locale.ROOT,
                "%,d answered, sequence %d to %d, %s to %s", report.requestCount(), report.firstSequence(),
                report.lastSequence(), utc(report.span().firstNs()), utc(report.span().lastNs())));
        if (report.untimedCount() > 0) {
            text.append(String.format(Locale.ROOT, "; %,d decided by the clock, without a time of answer, left out",
                    report.untimedCount()));
        }
        if (report.openTailCount() > 0) {
            text.append(String.format(Locale.ROOT, "; %,d at the end without an outcome, left out",
                    report.openTailCount()));
        }
        return text.toString();
    }

    private static String tracks(final Path telemetry, final TailReport.TracksFound tracks) {
        if (tracks.runCount() == 0) {
            return "none in " + telemetry + ": stalls, pauses and snapshots are not known";
        }
        return String.format(Locale.ROOT, "%,d stalls and long rounds%s, %,d JVM pauses, %,d times of snapshots, " +
                "%,d journal rolls", tracks.stallCount(),
                tracks.lostStallCount() == 0 ? "" : " (" + tracks.lostStallCount() + " lost)", tracks.pauseCount(),
                tracks.eventCount(), tracks.rollCount());
    }

    private static void lateStamps(final StringBuilder text, final TailReport.TracksFound tracks) {
        if (tracks.lateStampCount() > 0) {
            line(text, "came late",
                    String.format(Locale.ROOT, "%,d requests arrived while the thread that takes them " +
                            "in was away: their clients waited up to %s µs more than is said here",
                            tracks.lateStampCount(), us(tracks.lateStampMaxNs())));
        }
    }

    private static String percentiles(final TailReport.Percentiles percentiles) {
        return String.format(Locale.ROOT, "p50 %s, p99 %s, p99.9 %s, max %s", us(percentiles.p50Ns()),
                us(percentiles.p99Ns()), us(percentiles.p999Ns()), us(percentiles.maxNs()));
    }

    private static String legs(final TailReport report) {
        final SlowRequest.Legs legs = report.medianLegs();
        return String.format(Locale.ROOT, "journal %s, waiting %s, compute %s, egress %s (%s)", us(legs.journalNs()),
                us(legs.waitingNs()), us(legs.computeNs()), us(legs.egressNs()), report.isSerial()
                        ? "journaled, then computed"
                        : "journaled beside compute: only what is longer");
    }

    private static String chosen(final TailReport report) {
        return String.format(Locale.ROOT, "%,d requests of %s µs and more, together %s µs longer than the median one",
                report.chosen().count(), us(report.chosen().floorNs()), us(report.chosen().excessNs()));
    }

    private static String batch(final SlowRequest request) {
        if (request.batchSequences().size() < 2) {
            return "1";
        }
        final StringBuilder text = new StringBuilder().append(request.batchSequences().size()).append(" with");
        int shown = 0;
        for (final long sequence : request.batchSequences()) {
            if (sequence != request.sequence() && shown++ < MEMBERS_SHOWN) {
                text.append(' ').append(sequence);
            }
        }
        return shown > MEMBERS_SHOWN ? text.append(" ...").toString() : text.toString();
    }

    private static String why(final SlowRequest request) {
        final StringBuilder text = new StringBuilder();
        int shown = 0;
        for (final SlowRequest.Blamed blamed : request.blames()) {
            if (blamed.ns() >= WORTH_A_WORD_NS && shown++ < CAUSES_SHOWN) {
                text.append(text.isEmpty() ? "" : ", ").append(blamed.cause().words()).append(' ')
                        .append(us(blamed.ns()));
            }
        }
        return text.toString();
    }

    static String utc(final long epochNs) {
        return Instant.ofEpochSecond(epochNs / NS_PER_SECOND, epochNs % NS_PER_SECOND).toString();
    }

    private static String us(final long ns) {
        return String.format(Locale.ROOT, "%,.1f", ns / NS_PER_US);
    }

    private static String number(final double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    private static void line(final StringBuilder text, final String name, final String value) {
        text.append(String.format(Locale.ROOT, "%-11s %s%n", name, value));
    }
}
