package io.tiercel.tools.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tiercel.replay.tail.CauseShare;
import io.tiercel.replay.tail.SlowRequest;
import io.tiercel.replay.tail.TailReport;
import java.nio.file.Path;
import java.util.HexFormat;

/** A report on the tail for programs: every number in nanoseconds, every request that was chosen. */
final class TailJson {

    private static final ObjectMapper MAPPER = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private TailJson() {
    }

    static String of(final Path journal, final TailReport report) {
        final ObjectNode root = MAPPER.createObjectNode()
                .put("journal", journal.toString())
                .put("firstSequence", report.firstSequence())
                .put("lastSequence", report.lastSequence())
                .put("firstIngressNs", report.span().firstNs())
                .put("lastIngressNs", report.span().lastNs())
                .put("requests", report.requestCount())
                .put("untimed", report.untimedCount())
                .put("openTail", report.openTailCount())
                .put("serial", report.isSerial())
                .put("p50Ns", report.percentiles().p50Ns())
                .put("p99Ns", report.percentiles().p99Ns())
                .put("p999Ns", report.percentiles().p999Ns())
                .put("maxNs", report.percentiles().maxNs())
                .put("percentile", report.percentiles().percentile())
                .put("percentileNs", report.percentiles().percentileNs());
        root.set("medianLegs", legs(report.medianLegs()));
        root.set("tracks", tracks(report.tracks()));
        root.putObject("explained")
                .put("requests", report.chosen().count())
                .put("floorNs", report.chosen().floorNs())
                .put("excessNs", report.chosen().excessNs());
        final ArrayNode causes = root.putArray("causes");
        report.causes().forEach(share -> causes.add(cause(share)));
        final ArrayNode slowest = root.putArray("slowest");
        report.slowest().forEach(request -> slowest.add(request(request)));
        try {
            return MAPPER.writeValueAsString(root) + "\n";
        } catch (final JsonProcessingException ex) {
            throw new IllegalStateException("a tree of plain values is always writable", ex);
        }
    }

    private static ObjectNode tracks(final TailReport.TracksFound tracks) {
        return MAPPER.createObjectNode()
                .put("runs", tracks.runCount())
                .put("stalls", tracks.stallCount())
                .put("lostStalls", tracks.lostStallCount())
                .put("pauses", tracks.pauseCount())
                .put("events", tracks.eventCount())
                .put("rolls", tracks.rollCount())
                .put("lateStamps", tracks.lateStampCount())
                .put("lateStampMaxNs", tracks.lateStampMaxNs());
    }

    private static ObjectNode cause(final CauseShare share) {
        return MAPPER.createObjectNode()
                .put("cause", share.cause().name())
                .put("requests", share.requestCount())
                .put("explainedNs", share.explainedNs())
                .put("byWaitingNs", share.inheritedNs())
                .put("share", share.share())
                .put("percentileWithoutNs", share.withoutNs());
    }

    private static ObjectNode request(final SlowRequest request) {
        final ObjectNode node = MAPPER.createObjectNode()
                .put("sequence", request.sequence())
                .put("ingressNs", request.ingressNs())
                .put("time", TailText.utc(request.ingressNs()))
                .put("principalId", HexFormat.of().toHexDigits(request.principalId()))
                .put("sessionKey", request.sessionKey())
                .put("modelId", request.modelId())
                .put("status", request.status().name())
                .put("stepCount", request.stepCount())
                .put("totalNs", request.legs().totalNs())
                .put("longestLeg", request.legs().longest().words())
                .put("queueDepth", request.queueDepth())
                .put("gapNs", request.gapNs())
                .put("lateStampNs", request.lateStampNs())
                .put("excessNs", request.excessNs());
        node.set("legs", legs(request.legs()));
        final ArrayNode batch = node.putArray("batchSequences");
        request.batchSequences().forEach(batch::add);
        final ArrayNode causes = node.putArray("causes");
        request.blames().forEach(
                blamed -> causes.addObject().put("cause", blamed.cause().name()).put("ns", blamed.ns()));
        final ArrayNode beside = node.putArray("beside");
        request.beside().forEach(beside::add);
        return node;
    }

    private static ObjectNode legs(final SlowRequest.Legs legs) {
        return MAPPER.createObjectNode()
                .put("journalNs", legs.journalNs())
                .put("waitingNs", legs.waitingNs())
                .put("computeNs", legs.computeNs())
                .put("egressNs", legs.egressNs());
    }
}
