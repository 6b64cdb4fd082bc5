package io.tiercel.replay.otel;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanId;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import io.tiercel.protocol.TraceIds;
import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.tail.Leg;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.Tracks;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A stretch of a journal as spans: one for each request, from its arrival to its answer, and below it one for each leg
 * of the way ({@link Leg}), so that the legs together are the request.
 *
 * <pre>
 *   request   SERVER    sequence, principal, session, model, correlation id, status
 *   ├ journal INTERNAL  waiting for its record to be in the journal
 *   ├ waiting INTERNAL  waiting for compute to begin
 *   ├ compute INTERNAL  batch size; a link to the first request of the same batch
 *   └ egress  INTERNAL  ready, until the answer has left
 * </pre>
 *
 * Stalls of the appliance's threads and pauses of its JVM that fall into a request are events of its span. Ids are made
 * of what the journal has: the trace's of principal and correlation id ({@link TraceIds}), a span's of the sequence.
 * So the same journal gives the same spans on every run, and a client knows the trace of its request.
 */
public final class RequestSpans {

    /** What a collector takes at once: some 5 spans each of 0.5 KiB. */
    private static final int REQUESTS_PER_BATCH = 512;
    private static final int SPANS_PER_SEQUENCE = 8;
    private static final StatusData EXPIRED = StatusData.create(
            StatusCode.ERROR, OutcomeStatus.EXPIRED.name());
    private static final StatusData CONTEXT_FULL = StatusData.create(
            StatusCode.ERROR, OutcomeStatus.CONTEXT_FULL.name());

    private static final AttributeKey<Long> SEQUENCE = AttributeKey.longKey("tiercel.sequence");
    private static final AttributeKey<String> PRINCIPAL = AttributeKey.stringKey("tiercel.principal_id");
    private static final AttributeKey<Long> SESSION = AttributeKey.longKey("tiercel.session_key");
    private static final AttributeKey<Long> CORRELATION = AttributeKey.longKey("tiercel.correlation_id");
    private static final AttributeKey<Long> MODEL = AttributeKey.longKey("tiercel.model_id");
    private static final AttributeKey<String> VERSION = AttributeKey.stringKey("tiercel.model_version");
    private static final AttributeKey<String> STATUS = AttributeKey.stringKey("tiercel.status");
    private static final AttributeKey<Long> STEPS = AttributeKey.longKey("tiercel.steps");
    private static final AttributeKey<Long> BATCH = AttributeKey.longKey("tiercel.batch_size");
    private static final AttributeKey<Boolean> UNTIMED = AttributeKey.booleanKey("tiercel.answer_time_unknown");
    private static final AttributeKey<Long> DURATION = AttributeKey.longKey("tiercel.duration_ns");
    private static final AttributeKey<String> THREAD = AttributeKey.stringKey("tiercel.thread");

    private final RequestTimeline requests;
    private final Resource resource;
    private final Happenings happenings;

    private RequestSpans(final RequestTimeline requests, final Tracks tracks, final Map<String, String> labels) {
        this.requests = requests;
        final AttributesBuilder attributes = Attributes.builder();
        labels.forEach(attributes::put);
        resource = Resource.create(attributes.build());
        happenings = new Happenings(tracks);
    }

    /**
     * Writes all of them, in order of sequence.
     *
     * @param labels the resource's attributes: what is the same of all spans.
     * @return how many spans there are.
     */
    public static long write(
            final RequestTimeline requests, final Tracks tracks, final Map<String, String> labels,
            final SpanSink sink) throws IOException {
        final RequestSpans spans = new RequestSpans(requests, tracks, labels);
        final List<SpanData> batch = new ArrayList<>();
        long count = 0;
        for (int index = 0; index < requests.size(); index++) {
            spans.add(index, batch);
            if ((index + 1) % REQUESTS_PER_BATCH == 0 || index == requests.size() - 1) {
                sink.write(batch);
                count += batch.size();
                batch.clear();
            }
        }
        return count;
    }

    private void add(final int index, final List<SpanData> spans) {
        final SpanContext request = context(index, 0);
        spans.add(new FinishedSpan("request", SpanKind.SERVER, request, SpanContext.getInvalid(),
                requests.ingressNs(index), requests.egressNs(index), status(index), attributes(index), events(index),
                List.of(), resource));
        for (final Leg leg : Leg.inOrder(requests)) {
            final long endNs = leg.endNs(requests, index);
            if (endNs > leg.startNs(requests, index)) {
                spans.add(new FinishedSpan(leg.words(), SpanKind.INTERNAL, legContext(index, leg), request,
                        leg.startNs(requests, index), endNs, StatusData.unset(), attributes(index, leg), List.of(),
                        links(index, leg), resource));
            }
        }
    }

    private SpanContext legContext(final int index, final Leg leg) {
        return context(index, 1 + leg.ordinal());
    }

    private SpanContext context(final int index, final int number) {
        // The one added keeps the first span of sequence 0 from the id that is none.
        final long spanId = requests.sequence(index) * SPANS_PER_SEQUENCE + number + 1;
        return SpanContext.create(TraceIds.of(requests.principalId(index), requests.correlationId(index)),
                SpanId.fromLong(spanId), TraceFlags.getSampled(), TraceState.getDefault());
    }

    /** A request that was not computed is an error to whoever asked. */
    private StatusData status(final int index) {
        return switch (requests.status(index)) {
            case EXPIRED -> EXPIRED;
            case CONTEXT_FULL -> CONTEXT_FULL;
            default -> StatusData.unset();
        };
    }

    private Attributes attributes(final int index) {
        final AttributesBuilder attributes = Attributes.builder()
                .put(SEQUENCE, requests.sequence(index))
                .put(PRINCIPAL, HexFormat.of().toHexDigits(requests.principalId(index)))
                .put(SESSION, requests.sessionKey(index))
                .put(CORRELATION, requests.correlationId(index))
                .put(MODEL, (long) requests.modelId(index))
                .put(VERSION, requests.modelVersion(index))
                .put(STATUS, requests.status(index).name())
                .put(STEPS, (long) requests.stepCount(index));
        if (!requests.isTimed(index)) {
            attributes.put(UNTIMED, true);
        }
        return attributes.build();
    }

    private Attributes attributes(final int index, final Leg leg) {
        return leg == Leg.COMPUTE ? Attributes.of(BATCH, (long) requests.batchSize(index)) : Attributes.empty();
    }

    /** Of a batch all others name the first, so that a batch of n costs n links. */
    private List<LinkData> links(final int index, final Leg leg) {
        if (leg != Leg.COMPUTE || requests.batchSize(index) < 2) {
            return List.of();
        }
        final int first = requests.batchOf(index)[0];
        return first == index ? List.of() : List.of(LinkData.create(legContext(first, Leg.COMPUTE)));
    }

    private List<EventData> events(final int index) {
        final List<EventData> events = new ArrayList<>();
        happenings.during(requests.ingressNs(index), requests.egressNs(index), happening -> events.add(
                EventData.create(happening.startNs(), happening.name(),
                        happening.thread() == null
                                ? Attributes.of(DURATION, happening.durationNs())
                                : Attributes.of(DURATION, happening.durationNs(), THREAD, happening.thread()))));
        return events;
    }
}
