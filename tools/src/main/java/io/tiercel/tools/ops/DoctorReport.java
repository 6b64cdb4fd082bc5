package io.tiercel.tools.ops;

import io.tiercel.ops.doctor.Finding;
import io.tiercel.ops.doctor.Setting;
import io.tiercel.ops.doctor.Verdict;
import io.tiercel.tools.load.LatencySummary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** Findings for people and for programs. */
final class DoctorReport {

    private static final int NAME_WIDTH = 24;
    private static final int VERDICT_WIDTH = 8;
    private static final int TEXT_WIDTH = 84;
    private static final String INDENT = " ".repeat(NAME_WIDTH + VERDICT_WIDTH);

    private DoctorReport() {
    }

    /** Each check with what it found; below what is not good the reason, and the commands that mend it. */
    static String text(final List<Finding> findings) {
        final StringBuilder text = new StringBuilder();
        for (final Finding finding : findings) {
            text.append(String.format(Locale.ROOT, "%-" + NAME_WIDTH + "s%-" + VERDICT_WIDTH + "s%s%n",
                    finding.name(), finding.verdict().label(), finding.found()));
            appendWrapped(text, finding.reason());
            for (final String command : finding.commands()) {
                text.append(INDENT).append(command.startsWith("#") ? "" : "$ ").append(command).append('\n');
            }
        }
        return text.toString();
    }

    static String summary(final List<Finding> findings) {
        return String.format(Locale.ROOT, "%d checks: %d good, %d bad, %d with advice, %d not to be seen here",
                findings.size(), count(findings, Verdict.GOOD), count(findings, Verdict.BAD),
                count(findings, Verdict.ADVICE), count(findings, Verdict.UNKNOWN));
    }

    /** @param hiccups in ns; null if there are none. */
    static Map<String, Object> json(final List<Finding> findings, final Histogram hiccups) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("bad", count(findings, Verdict.BAD));
        json.put("findings", findings.stream().map(DoctorReport::json).toList());
        if (hiccups != null) {
            json.put("hiccupsUs", LatencySummary.of(hiccups).toJson());
        }
        return json;
    }

    private static Map<String, Object> json(final Finding finding) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("check", finding.name());
        json.put("verdict", finding.verdict().label());
        json.put("found", finding.found());
        json.put("reason", finding.reason());
        json.put("commands", finding.commands());
        json.put("settings", finding.settings().stream().map(Setting::command).toList());
        return json;
    }

    private static long count(final List<Finding> findings, final Verdict verdict) {
        return findings.stream().filter(finding -> finding.verdict() == verdict).count();
    }

    private static void appendWrapped(final StringBuilder text, final String sentence) {
        int column = 0;
        for (final String word : sentence.isEmpty() ? new String[0] : sentence.split(" ")) {
            if (column > 0 && column + word.length() >= TEXT_WIDTH) {
                text.append('\n');
                column = 0;
            }
            text.append(column == 0 ? INDENT : " ").append(word);
            column += word.length() + 1;
        }
        text.append(column == 0 ? "" : "\n");
    }
}
