package io.tiercel.replay.otel;

import io.tiercel.replay.timeline.Pause;
import io.tiercel.replay.timeline.RunEvent;
import io.tiercel.replay.timeline.Stall;
import io.tiercel.replay.timeline.Tracks;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/**
 * What the machine did while requests were on their way. To be asked in the order of arrival: then a sweep finds what
 * overlaps each request, and none is looked at once it is over.
 */
final class Happenings {

    private final Deque<Happening> ahead;
    private final List<Happening> near = new ArrayList<>();

    /** @param thread whose it was; null if it was everybody's. */
    record Happening(String name, long startNs, long durationNs, String thread) {

        long endNs() {
            return startNs + durationNs;
        }
    }

    Happenings(final Tracks tracks) {
        final List<Happening> all = new ArrayList<>();
        for (final Stall stall : tracks.stalls()) {
            all.add(new Happening(stall.kind(), stall.startNs(), stall.durationNs(), stall.thread()));
        }
        for (final Pause pause : tracks.pauses()) {
            all.add(new Happening("JVM pause: " + pause.operation(), pause.startNs(), pause.durationNs(), null));
        }
        for (final RunEvent event : tracks.events()) {
            all.add(new Happening(event.what(), event.startNs(), event.durationNs(), null));
        }
        all.sort(Comparator.comparingLong(Happening::startNs));
        ahead = new ArrayDeque<>(all);
    }

    /** Those that overlap, in order of begin. */
    void during(final long fromNs, final long toNs, final Consumer<Happening> action) {
        while (!ahead.isEmpty() && ahead.peek().startNs() <= toNs) {
            near.add(ahead.poll());
        }
        near.removeIf(happening -> happening.endNs() < fromNs);
        for (final Happening happening : near) {
            if (happening.startNs() <= toNs) {
                action.accept(happening);
            }
        }
    }
}
