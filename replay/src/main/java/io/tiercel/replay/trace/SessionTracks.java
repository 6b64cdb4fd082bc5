package io.tiercel.replay.trace;

import io.tiercel.replay.tail.Leg;
import io.tiercel.replay.timeline.RequestTimeline;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The tracks of sessions: the busiest have their own, the others are together. */
final class SessionTracks {

    /** So far apart that the lines of a session stay together, whatever is on its way at once. */
    private static final int LANES_PER_SESSION = 100_000;

    private final RequestTimeline requests;
    private final int processId;
    private final Map<Session, Lanes> lanes = new LinkedHashMap<>();
    private final Lanes others;
    private final boolean isKeyEnough;

    private record Session(long principalId, int modelId, long sessionKey) {
    }

    SessionTracks(final RequestTimeline requests, final int sessionCount, final int processId) {
        this.requests = requests;
        this.processId = processId;
        final Map<Session, Integer> counts = new LinkedHashMap<>();
        for (int index = 0; index < requests.size(); index++) {
            counts.merge(session(index), 1, Integer::sum);
        }
        final List<Session> busiest = new ArrayList<>(counts.keySet());
        busiest.sort(Comparator.comparing((Session session) -> -counts.get(session)));
        for (final Session session : busiest.subList(0, Math.min(sessionCount, busiest.size()))) {
            lanes.put(session, lanes(lanes.size()));
        }
        others = lanes(lanes.size());
        isKeyEnough = counts.keySet().stream().mapToLong(Session::sessionKey).distinct().count() == counts.size();
    }

    void write(final TraceEvents events) throws IOException {
        events.processName(processId, "sessions");
        for (int index = 0; index < requests.size(); index++) {
            write(events, lanes.getOrDefault(session(index), others), index);
        }
        for (final Map.Entry<Session, Lanes> each : lanes.entrySet()) {
            name(events, each.getValue(), name(each.getKey()));
        }
        name(events, others, "other sessions");
    }

    private void write(final TraceEvents events, final Lanes tracks, final int index) throws IOException {
        final long startNs = requests.ingressNs(index);
        final long endNs = requests.egressNs(index);
        final Track track = tracks.take(startNs, endNs);
        events.begin(track, startNs, "#" + requests.sequence(index), arguments(index));
        events.flow('s', track, startNs, requests.sequence(index));
        for (final Leg leg : Leg.inOrder(requests)) {
            final long legEndNs = leg.endNs(requests, index);
            if (legEndNs > leg.startNs(requests, index)) {
                events.slice(track, leg.startNs(requests, index), legEndNs, leg.words(), Map.of());
            }
        }
        events.end(track, endNs);
    }

    private Map<String, Object> arguments(final int index) {
        final Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("sequence", requests.sequence(index));
        arguments.put("session", name(session(index)));
        arguments.put("model", requests.modelId(index));
        arguments.put("status", requests.status(index).name());
        arguments.put("steps", requests.stepCount(index));
        arguments.put("batchSize", requests.batchSize(index));
        arguments.put("totalNs", requests.totalNs(index));
        if (!requests.isTimed(index)) {
            arguments.put("answered", "at a time that the journal does not say");
        }
        return arguments;
    }

    private static void name(final TraceEvents events, final Lanes tracks, final String name) throws IOException {
        for (final Track track : tracks.tracks()) {
            events.trackName(track, name);
        }
    }

    private Lanes lanes(final int number) {
        return new Lanes(processId, 1 + number * LANES_PER_SESSION);
    }

    private Session session(final int index) {
        return new Session(requests.principalId(index), requests.modelId(index), requests.sessionKey(index));
    }

    private String name(final Session session) {
        return "session " + session.sessionKey() + (isKeyEnough
                ? ""
                : " of " + HexFormat.of().toHexDigits(session.principalId()) + " model " + session.modelId());
    }
}
