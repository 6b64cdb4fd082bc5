package io.tiercel.replay.tail;

import io.tiercel.appliance.telemetry.EventTrack;
import io.tiercel.replay.timeline.Pause;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.RunEvent;
import io.tiercel.replay.timeline.Stall;
import io.tiercel.replay.timeline.Tracks;

/**
 * What could have held up a request, for each leg of its way, and for each infer worker: a stall of a thread holds up
 * only what that thread does. Where no run describes itself one thread is taken to do everything.
 */
final class CauseTimelines {

    private final CauseIntervals journal;
    private final CauseIntervals[] waiting;
    private final CauseIntervals[] computing;
    private final CauseIntervals egress;

    CauseTimelines(final RequestTimeline requests, final Tracks tracks) {
        final int workers = tracks.runs().stream().mapToInt(run -> run.inferWorkers()).max().orElse(1);
        waiting = new CauseIntervals[workers];
        computing = new CauseIntervals[workers];
        for (int worker = 0; worker < workers; worker++) {
            waiting[worker] = waiting(tracks, worker);
            computing[worker] = computing(tracks, worker);
        }
        journal = journal(requests, tracks);
        egress = egress(tracks);
    }

    CauseIntervals of(final Leg leg, final int worker) {
        return switch (leg) {
            case JOURNAL -> journal;
            case WAITING -> waiting[worker];
            case COMPUTE -> computing[worker];
            case EGRESS -> egress;
        };
    }

    /** Of a stall, by what is known of it. */
    static Cause causeOf(final Stall stall) {
        if (stall.isPreemption()) {
            return Cause.PREEMPTION;
        }
        return stall.work() == 0 ? Cause.STALL : Cause.LONG_ROUND;
    }

    private static CauseIntervals journal(final RequestTimeline requests, final Tracks tracks) {
        final CauseIntervals.Builder intervals = withPauses(tracks);
        for (int i = 1; i < requests.size(); i++) {
            if (requests.isFirstOfFile(i)) {
                intervals.add(Cause.ROLL, Math.max(requests.ingressNs(i), requests.journaledNs(i - 1)),
                        requests.journaledNs(i));
            }
        }
        for (final Stall stall : tracks.stalls()) {
            if (stall.run().journals(stall.thread())) {
                intervals.add(causeOf(stall), stall.startNs(), stall.endNs());
            }
        }
        return intervals.build();
    }

    /** A request waits for who takes it in and publishes it, too. */
    private static CauseIntervals waiting(final Tracks tracks, final int worker) {
        final CauseIntervals.Builder intervals = withSnapshots(tracks);
        for (final Stall stall : tracks.stalls()) {
            if (stall.run().takesIn(stall.thread()) || stall.run().infers(stall.thread(), worker)) {
                intervals.add(causeOf(stall), stall.startNs(), stall.endNs());
            }
        }
        return intervals.build();
    }

    private static CauseIntervals computing(final Tracks tracks, final int worker) {
        final CauseIntervals.Builder intervals = withSnapshots(tracks);
        for (final Stall stall : tracks.stalls()) {
            if (stall.run().infers(stall.thread(), worker)) {
                intervals.add(causeOf(stall), stall.startNs(), stall.endNs());
            }
        }
        return intervals.build();
    }

    private static CauseIntervals egress(final Tracks tracks) {
        final CauseIntervals.Builder intervals = withPauses(tracks);
        for (final Stall stall : tracks.stalls()) {
            if (stall.run().sends(stall.thread())) {
                intervals.add(causeOf(stall), stall.startNs(), stall.endNs());
            }
        }
        return intervals.build();
    }

    /** Workers copy their sessions; the other threads have nothing to do with it. */
    private static CauseIntervals.Builder withSnapshots(final Tracks tracks) {
        final CauseIntervals.Builder intervals = withPauses(tracks);
        for (final RunEvent event : tracks.events()) {
            if (event.what().equals(EventTrack.SNAPSHOT_COPY)) {
                intervals.add(Cause.SNAPSHOT, event.startNs(), event.endNs());
            }
        }
        return intervals;
    }

    private static CauseIntervals.Builder withPauses(final Tracks tracks) {
        final CauseIntervals.Builder intervals = new CauseIntervals.Builder();
        for (final Pause pause : tracks.pauses()) {
            intervals.add(pause.isCollection() ? Cause.COLLECTION : Cause.SAFEPOINT, pause.startNs(), pause.endNs());
        }
        return intervals;
    }
}
