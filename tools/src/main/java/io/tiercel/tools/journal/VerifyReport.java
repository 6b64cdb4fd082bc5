package io.tiercel.tools.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tiercel.appliance.engine.bundle.Tolerance;
import io.tiercel.replay.Damage;
import io.tiercel.replay.Divergence;
import io.tiercel.replay.ReplayReport;
import java.util.HexFormat;
import java.util.Locale;

/** A replay's report for people and for programs. */
final class VerifyReport {

    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private VerifyReport() {
    }

    /**
     * What was replayed, line by line; the last line, or the block at the end, is the result.
     *
     * @param kernels null if not measured.
     */
    static String text(final ReplayReport report, final KernelRatio kernels) {
        final StringBuilder text = new StringBuilder();
        line(text, "journal", report.journalDirectory().toString());
        for (final ReplayReport.ReplayedModel model : report.models()) {
            line(text, "model", model.version() + " " + model.family() + ", backend " + model.backend() +
                    (model.tolerance() == null ? "" : ", " + tolerance(model.tolerance())));
        }
        if (report.baseSequence() >= 0) {
            line(text, "began at", "snapshot sequence " + report.baseSequence() +
                    ", the oldest that fits: older requests have been removed");
        }
        line(text, "replayed", counts(report));
        line(text, "speed", String.format(Locale.ROOT, "%,.0f requests/s, %.2f s",
                report.requestsPerSecond(), report.elapsedNs() / 1e9));
        if (kernels != null) {
            line(text, "kernels", String.format(Locale.ROOT,
                    "%,.0f requests/s alone on %d thread%s; verified once more, warm: %,.0f requests/s, %.2f of it",
                    kernels.kernels().requestsPerSecond(), kernels.kernels().threads(),
                    kernels.kernels().threads() == 1 ? "" : "s", kernels.warm().requestsPerSecond(),
                    kernels.ratio()));
            line(text, "processor", String.format(Locale.ROOT,
                    "%,.0f ns a request alone, %,.0f ns verified: %.2f of the kernels' speed",
                    kernels.kernels().processorNs(), kernels.processorNs(), kernels.processorRatio()));
        }
        if (report.openTailCount() > 0) {
            line(text, "open tail", report.openTail());
        }
        if (report.divergence() != null) {
            divergence(text, report, report.divergence());
        } else if (report.damage() != null) {
            damage(text, report, report.damage());
        } else {
            text.append(String.format(Locale.ROOT, "replay: %s%n", report.agreement(report.comparedCount())));
        }
        return text.toString();
    }

    private static String counts(final ReplayReport report) {
        final StringBuilder counts = new StringBuilder();
        counts.append(String.format(Locale.ROOT, "%,d requests, %,d steps, %,d sessions",
                report.rebuiltCount() + report.comparedCount(), report.stepCount(), report.sessionCount()));
        if (report.rebuiltCount() > 0) {
            counts.append(String.format(Locale.ROOT, ", %,d of them before sequence %d and not compared",
                    report.rebuiltCount(), report.fromSequence()));
        }
        if (report.expiredCount() > 0) {
            counts.append(String.format(Locale.ROOT, ", %,d expired as the journal says", report.expiredCount()));
        }
        if (report.standbyCount() > 0) {
            counts.append(String.format(Locale.ROOT, ", %,d computed by a standby, as a device had been lost",
                    report.standbyCount()));
        }
        return counts.toString();
    }

    private static void divergence(
            final StringBuilder text, final ReplayReport report, final Divergence divergence) {
        text.append(String.format(Locale.ROOT,
                "replay: DIVERGED at sequence %d (%s)%n", divergence.sequence(), before(report)));
        line(text, "  session", "principal " + principal(divergence) + " key " + divergence.sessionKey());
        line(text, "  model", divergence.modelVersion());
        line(text, "  request", "correlationId " + divergence.correlationId());
        line(text, "  field", divergence.field());
        line(text, "  expected", divergence.expectedHex() + "  " + divergence.expected() + "  (journal)");
        line(text, "  actual", divergence.actualHex() + "  " + divergence.actual() + "  (computed again)");
    }

    private static void damage(final StringBuilder text, final ReplayReport report, final Damage damage) {
        text.append(String.format(Locale.ROOT, "replay: FAILED, %s%n", damage));
        line(text, "  before it", report.agreement(report.comparedCount()));
    }

    private static String before(final ReplayReport report) {
        return report.identicalCount() + " outcomes before it bit-identical" +
                (report.toleratedCount() == 0 ? "" : ", " + report.toleratedCount() + " within tolerance");
    }

    private static String tolerance(final Tolerance tolerance) {
        return "outputs within " + tolerance.absolute() + " and " + tolerance.relative() + " of their magnitude";
    }

    private static void line(final StringBuilder text, final String name, final String value) {
        text.append(String.format(Locale.ROOT, "%-11s %s%n", name, value));
    }

    private static String principal(final Divergence divergence) {
        return HexFormat.of().toHexDigits(divergence.principalId());
    }

    static String json(final ReplayReport report, final KernelRatio kernels) {
        final ObjectNode root = MAPPER.createObjectNode();
        root.put("journal", report.journalDirectory().toString());
        root.put("ok", report.isIdentical());
        if (report.baseSequence() >= 0) {
            root.put("baseSequence", report.baseSequence());
        }
        root.put("compared", report.comparedCount());
        root.put("identical", report.identicalCount());
        root.put("withinTolerance", report.toleratedCount());
        root.put("largestDistance", report.largestDistance());
        root.put("rebuilt", report.rebuiltCount());
        root.put("expired", report.expiredCount());
        root.put("standby", report.standbyCount());
        root.put("openTail", report.openTailCount());
        root.put("steps", report.stepCount());
        root.put("sessions", report.sessionCount());
        root.put("fromSequence", report.fromSequence());
        root.put("lastSequence", report.lastSequence());
        root.put("elapsedNs", report.elapsedNs());
        root.put("requestsPerSecond", report.requestsPerSecond());
        if (kernels != null) {
            root.putObject("kernels")
                    .put("threads", kernels.kernels().threads())
                    .put("requestsPerSecond", kernels.kernels().requestsPerSecond())
                    .put("warmRequestsPerSecond", kernels.warm().requestsPerSecond())
                    .put("processorNs", kernels.kernels().processorNs())
                    .put("warmProcessorNs", kernels.processorNs());
        }
        final ArrayNode models = root.putArray("models");
        for (final ReplayReport.ReplayedModel model : report.models()) {
            final ObjectNode node = models.addObject()
                    .put("version", model.version())
                    .put("family", model.family())
                    .put("backend", model.backend());
            if (model.tolerance() != null) {
                node.putObject("tolerance")
                        .put("absolute", model.tolerance().absolute())
                        .put("relative", model.tolerance().relative());
            }
        }
        root.set("divergence", divergence(report.divergence()));
        root.set("damage", damage(report.damage()));
        try {
            return MAPPER.writeValueAsString(root) + "\n";
        } catch (final JsonProcessingException ex) {
            throw new IllegalStateException("a tree of plain values is always writable", ex);
        }
    }

    private static ObjectNode divergence(final Divergence divergence) {
        return divergence == null
                ? null
                : MAPPER.createObjectNode()
                        .put("sequence", divergence.sequence())
                        .put("principalId", principal(divergence))
                        .put("sessionKey", divergence.sessionKey())
                        .put("modelVersion", divergence.modelVersion())
                        .put("correlationId", divergence.correlationId())
                        .put("field", divergence.field())
                        .put("expectedHex", divergence.expectedHex())
                        .put("actualHex", divergence.actualHex())
                        .put("expected", divergence.expected())
                        .put("actual", divergence.actual());
    }

    private static ObjectNode damage(final Damage damage) {
        return damage == null
                ? null
                : MAPPER.createObjectNode()
                        .put("kind", damage.kind().name())
                        .put("queue", damage.queue())
                        .put("sequence", damage.sequence())
                        .put("detail", damage.detail());
    }
}
