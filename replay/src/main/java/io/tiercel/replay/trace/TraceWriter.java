package io.tiercel.replay.trace;

import io.tiercel.replay.timeline.Pause;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.RunEvent;
import io.tiercel.replay.timeline.Stall;
import io.tiercel.replay.timeline.Tracks;
import java.io.IOException;
import java.io.Writer;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Writes a stretch of a journal as a trace.
 *
 * <pre>
 *   stages      in flight       how many requests are on their way
 *               waiting         arrival to begin of compute, each by itself
 *               journal         whose record is being appended: one at a time, or all that are synced at once
 *               infer           batches; a second line where several workers compute
 *               egress          whose answer is being sent, one at a time
 *   sessions    session KEY     its requests, each with its legs inside; a second line where they overlap
 *               other sessions  all but the busiest
 *   machine     stalls of io    long rounds of that thread, ...
 *               JVM pauses, snapshots, journal rolls
 * </pre>
 *
 * An arrow follows a request from its session to its batch to its answer. Where a stage serves one at a time, the slice
 * begins when the stage is through with the one before: the time before that is waiting, not service.
 */
public final class TraceWriter {

    private static final int STAGES = 1;
    private static final int SESSIONS = 2;
    private static final int MACHINE = 3;
    private static final Track JOURNAL = Track.of(STAGES, 1);
    private static final Track EGRESS = Track.of(STAGES, 1_000);
    private static final int FIRST_INFER_NUMBER = 2;
    private static final Track PAUSES = Track.of(MACHINE, 1);
    private static final Track SNAPSHOTS = Track.of(MACHINE, 2);
    private static final Track ROLLS = Track.of(MACHINE, 3);
    private static final int FIRST_STALL_NUMBER = 4;
    private static final long NS_PER_SECOND = 1_000_000_000L;

    private final RequestTimeline requests;
    private final Tracks tracks;
    private final Map<String, String> labels;
    private final TraceEvents events;
    private final long originNs;

    private TraceWriter(
            final RequestTimeline requests, final Tracks tracks, final Map<String, String> labels,
            final TraceEvents events) {
        this.requests = requests;
        this.tracks = tracks;
        this.labels = labels;
        this.events = events;
        originNs = requests.ingressNs(0);
    }

    /**
     * Writes a trace and closes the writer.
     *
     * @param sessionCount the busiest sessions, which get tracks of their own.
     * @param labels       said of the trace as a whole, beside where it begins.
     */
    public static void write(
            final RequestTimeline requests, final Tracks tracks, final int sessionCount,
            final Map<String, String> labels, final Writer writer) throws IOException {
        try (TraceEvents events = new TraceEvents(writer, requests.ingressNs(0))) {
            final TraceWriter trace = new TraceWriter(requests, tracks, labels, events);
            // Sessions first: of events of the same time the arrow's begin has to come before its other stations.
            new SessionTracks(requests, sessionCount, SESSIONS).write(events);
            trace.stages();
            trace.machine();
            events.finish(trace.description());
        }
    }

    private void stages() throws IOException {
        events.processName(STAGES, "stages");
        inFlight();
        for (int index = 0; index < requests.size(); index++) {
            if (requests.inferStartNs(index) > requests.ingressNs(index)) {
                events.free(STAGES, requests.ingressNs(index), requests.inferStartNs(index), "waiting",
                        requests.sequence(index), Map.of("sequence", requests.sequence(index)));
            }
        }
        journal();
        infer();
        egress();
    }

    /** Arrivals and answers are each in order: a merge of the two. */
    private void inFlight() throws IOException {
        int answered = 0;
        for (int arrived = 0; arrived < requests.size();) {
            final boolean isArrival = requests.ingressNs(arrived) <= requests.egressNs(answered);
            final long timeNs = isArrival ? requests.ingressNs(arrived++) : requests.egressNs(answered++);
            events.counter(STAGES, timeNs, "in flight", arrived - answered);
        }
        for (; answered < requests.size(); answered++) {
            events.counter(STAGES, requests.egressNs(answered), "in flight", requests.size() - answered - 1);
        }
    }

    private void journal() throws IOException {
        events.trackName(JOURNAL, "journal");
        long freeNs = originNs;
        int first = 0;
        while (first < requests.size()) {
            final long endNs = requests.journaledNs(first);
            int last = first;
            while (last + 1 < requests.size() && requests.journaledNs(last + 1) == endNs) {
                last++;
            }
            final long startNs = Math.min(endNs, Math.max(freeNs, requests.ingressNs(first)));
            final Map<String, Long> arguments = new LinkedHashMap<>();
            arguments.put("firstSequence", requests.sequence(first));
            arguments.put("lastSequence", requests.sequence(last));
            events.slice(JOURNAL, startNs, endNs, name(first, last), arguments);
            freeNs = Math.max(freeNs, endNs);
            first = last + 1;
        }
    }

    private void infer() throws IOException {
        final Lanes lanes = new Lanes(STAGES, FIRST_INFER_NUMBER);
        for (int index = 0; index < requests.size(); index++) {
            final int[] members = requests.batchOf(index);
            if (members[0] == index) {
                batch(lanes.take(requests.inferStartNs(index), requests.inferEndNs(index)), members);
            }
        }
        for (final Track track : lanes.tracks()) {
            events.trackName(track, "infer");
        }
    }

    private void batch(final Track track, final int[] members) throws IOException {
        final int first = members[0];
        final Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("batchSize", requests.batchSize(first));
        arguments.put("model", requests.modelId(first));
        arguments.put("sequences", Arrays.stream(members).mapToObj(member -> Long.toString(requests.sequence(member)))
                .collect(Collectors.joining(" ")));
        events.begin(track, requests.inferStartNs(first),
                members.length == 1 ? "#" + requests.sequence(first) : "batch of " + members.length, arguments);
        for (final int member : members) {
            events.flow('t', track, requests.inferStartNs(member), requests.sequence(member));
        }
        events.end(track, requests.inferEndNs(first));
    }

    private void egress() throws IOException {
        events.trackName(EGRESS, "egress");
        long freeNs = originNs;
        for (int index = 0; index < requests.size(); index++) {
            if (requests.isTimed(index)) {
                final long endNs = Math.max(freeNs, requests.egressNs(index));
                final long startNs = Math.min(endNs, Math.max(freeNs, requests.readyNs(index)));
                events.begin(EGRESS, startNs, name(index, index), Map.of("sequence", requests.sequence(index)));
                events.flow('f', EGRESS, startNs, requests.sequence(index));
                events.end(EGRESS, endNs);
                freeNs = endNs;
            }
        }
    }

    private void machine() throws IOException {
        events.processName(MACHINE, "machine");
        events.trackName(PAUSES, "JVM pauses");
        for (final Pause pause : tracks.pauses()) {
            events.slice(PAUSES, pause.startNs(), pause.endNs(), pause.operation(), arguments(
                    pause.startNs(), pause.durationNs(), "collection",
                    pause.collection() == null ? "none" : pause.collection()));
        }
        events.trackName(SNAPSHOTS, "snapshots");
        for (final RunEvent event : tracks.events()) {
            events.slice(SNAPSHOTS, event.startNs(), event.endNs(), event.what(),
                    arguments(event.startNs(), event.durationNs(), "sequence", event.sequence()));
        }
        events.trackName(ROLLS, "journal rolls");
        for (int index = 0; index < requests.size(); index++) {
            if (requests.isFirstOfFile(index)) {
                events.instant(ROLLS, requests.journaledNs(index), "roll",
                        Map.of("firstSequence", requests.sequence(index)));
            }
        }
        stalls();
    }

    private void stalls() throws IOException {
        final Map<String, Track> threads = new LinkedHashMap<>();
        for (final Stall stall : tracks.stalls()) {
            Track track = threads.get(stall.thread());
            if (track == null) {
                track = Track.of(MACHINE, FIRST_STALL_NUMBER + threads.size());
                threads.put(stall.thread(), track);
                events.trackName(track, "stalls of " + stall.thread());
            }
            final Map<String, Object> arguments =
                    arguments(stall.startNs(), stall.durationNs(), "work", stall.work());
            if (stall.waitedNs() >= 0) {
                arguments.put("waitedForCoreNs", stall.waitedNs());
            }
            events.slice(track, stall.startNs(), stall.endNs(), stall.kind(), arguments);
        }
    }

    /** The whole truth about what may have begun before the trace. */
    private static Map<String, Object> arguments(
            final long startNs, final long durationNs, final String name, final Object value) {
        final Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("utc", utc(startNs));
        arguments.put("durationNs", durationNs);
        arguments.put(name, value);
        return arguments;
    }

    private Map<String, Object> description() {
        final Map<String, Object> description = new LinkedHashMap<>(labels);
        description.put("beginUtc", utc(originNs));
        description.put("beginEpochNs", Long.toString(originNs));
        description.put("firstSequence", requests.sequence(0));
        description.put("lastSequence", requests.sequence(requests.size() - 1));
        description.put("runs", tracks.runs().size());
        return description;
    }

    private String name(final int first, final int last) {
        return first == last
                ? "#" + requests.sequence(first)
                : "#" + requests.sequence(first) + " to #" + requests.sequence(last);
    }

    private static String utc(final long epochNs) {
        return Instant.ofEpochSecond(epochNs / NS_PER_SECOND, epochNs % NS_PER_SECOND).toString();
    }
}
