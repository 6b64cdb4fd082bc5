package io.tiercel.replay.otel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.tiercel.protocol.TraceIds;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.TimelineFixture;
import io.tiercel.replay.timeline.TrackFiles;
import io.tiercel.replay.timeline.Tracks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestSpansTest {

    private static final Map<String, String> LABELS = Map.of("service.name", "desk-1");

    @TempDir
    Path directory;

    @Test
    void shouldPartEachRequestIntoItsLegs() throws IOException {
        for (long seed = 0; seed < 20; seed++) {
            final RequestTimeline requests = TimelineFixture.random(seed, 1_000);
            final Map<String, List<SpanData>> traces = spans(requests, noTracks()).stream()
                    .collect(Collectors.groupingBy(SpanData::getTraceId));
            assertEquals(requests.size(), traces.size());
            for (int index = 0; index < requests.size(); index++) {
                check(requests, index, traces.get(
                        TraceIds.of(TimelineFixture.PRINCIPAL_ID, requests.correlationId(index))));
            }
        }
    }

    @Test
    void shouldGiveEachSpanAnIdOfItsOwnAndTheSameOnEachRun() throws IOException {
        final RequestTimeline requests = TimelineFixture.random(1, 500);
        final List<SpanData> spans = spans(requests, noTracks());
        final Set<String> ids = spans.stream().map(SpanData::getSpanId).collect(Collectors.toSet());
        assertEquals(spans.size(), ids.size());
        assertTrue(spans.stream().allMatch(span -> span.getSpanContext().isValid()));
        assertEquals(spans, spans(requests, noTracks()));
    }

    @Test
    void shouldLinkTheComputeSpansOfABatchToItsFirst() throws IOException {
        final List<SpanData> compute = spans(new TimelineFixture(false).batch(1_000, 3, 1, 500).timeline(), noTracks())
                .stream().filter(span -> span.getName().equals("compute")).toList();
        assertEquals(3, compute.size());
        assertEquals(List.of(), compute.get(0).getLinks());
        assertEquals(compute.get(0).getSpanContext(), compute.get(2).getLinks().get(0).getSpanContext());
        assertEquals(3L, compute.get(1).getAttributes().get(AttributeKey.longKey("tiercel.batch_size")));
    }

    @Test
    void shouldHaveWhatTheMachineDidMeanwhileAsEvents() throws IOException {
        final RequestTimeline requests = new TimelineFixture(true).request(0).request(1_000_000).timeline();
        final Tracks tracks = new TrackFiles(directory, "io", 1).collection(1_000_500, 1_000_700)
                .stall(1_000_100, 1_001_100, "io", 0, "900").read(0, 2_000_000);
        final List<SpanData> roots = spans(requests, tracks).stream()
                .filter(span -> span.getName().equals("request")).toList();
        assertEquals(List.of(), roots.get(0).getEvents());
        assertEquals(List.of("preemption", "JVM pause: SerialCollectForAllocation"),
                roots.get(1).getEvents().stream().map(event -> event.getName()).toList());
    }

    @Test
    void shouldCallARequestThatWasNotComputedAnError() throws IOException {
        final SpanData root = spans(new TimelineFixture(true).expired(0).timeline(), noTracks()).get(0);
        assertEquals(StatusCode.ERROR, root.getStatus().getStatusCode());
        assertEquals("EXPIRED", root.getStatus().getDescription());
        assertEquals(true, root.getAttributes().get(AttributeKey.booleanKey("tiercel.answer_time_unknown")));
    }

    @Test
    void shouldWriteTheFileAsOtlpHasItInJson() throws IOException {
        final RequestTimeline requests = TimelineFixture.random(3, 1_100);
        final Path file = directory.resolve("spans.jsonl");
        final long count;
        try (SpanFile sink = new SpanFile(file)) {
            count = RequestSpans.write(requests, noTracks(), LABELS, sink);
        }
        final List<String> lines = Files.readAllLines(file);
        assertEquals(3, lines.size(), "512 requests a line");
        final Set<String> ids = new HashSet<>();
        for (final String line : lines) {
            final JsonNode of = new ObjectMapper().readTree(line).get("resourceSpans").get(0);
            assertEquals("desk-1", of.at("/resource/attributes/0/value/stringValue").asText());
            of.at("/scopeSpans/0/spans").forEach(span -> ids.add(span.get("spanId").asText()));
        }
        assertEquals(count, ids.size());
        final JsonNode first = new ObjectMapper().readTree(lines.get(0)).at("/resourceSpans/0/scopeSpans/0/spans/0");
        assertEquals(TraceIds.of(TimelineFixture.PRINCIPAL_ID, requests.correlationId(0)),
                first.get("traceId").asText());
        assertEquals(Long.toString(requests.ingressNs(0)), first.get("startTimeUnixNano").asText());
        assertEquals(2, first.get("kind").asInt(), "SERVER");
    }

    private static void check(final RequestTimeline requests, final int index, final List<SpanData> trace) {
        final SpanData root = trace.get(0);
        assertEquals("request", root.getName());
        assertEquals(requests.ingressNs(index), root.getStartEpochNanos());
        assertEquals(requests.egressNs(index), root.getEndEpochNanos());
        assertEquals("ab".repeat(32), root.getAttributes().get(AttributeKey.stringKey("tiercel.model_version")));
        long atNs = root.getStartEpochNanos();
        for (final SpanData leg : trace.subList(1, trace.size())) {
            assertEquals(root.getSpanId(), leg.getParentSpanId());
            assertEquals(atNs, leg.getStartEpochNanos(), leg.getName());
            atNs = leg.getEndEpochNanos();
        }
        assertEquals(root.getEndEpochNanos(), atNs, "the legs together are the request");
    }

    private static List<SpanData> spans(final RequestTimeline requests, final Tracks tracks) throws IOException {
        final List<SpanData> all = new ArrayList<>();
        RequestSpans.write(requests, tracks, LABELS, all::addAll);
        return all;
    }

    private Tracks noTracks() {
        return Tracks.read(directory.resolve("none"), 0, Long.MAX_VALUE);
    }
}
