package io.tiercel.replay.tail;

import io.tiercel.replay.timeline.Pause;
import io.tiercel.replay.timeline.RunEvent;
import io.tiercel.replay.timeline.Stall;
import io.tiercel.replay.timeline.Tracks;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedList;
import java.util.List;
import java.util.Locale;

/** What the tracks have over a stretch of time, in words. */
final class Surroundings {

    private static final double US = 1e3;

    private final List<Item> items = new ArrayList<>();
    /** The latest end of an item and all before it: behind it nothing reaches further. */
    private final long[] latestEndNs;

    private record Item(long startNs, long endNs, String what) {

        private String words() {
            return String.format(Locale.ROOT, "%s %.1f µs", what, (endNs - startNs) / US);
        }
    }

    Surroundings(final Tracks tracks) {
        for (final Pause pause : tracks.pauses()) {
            items.add(new Item(pause.startNs(), pause.endNs(),
                    pause.operation() + (pause.collection() == null ? "" : " " + pause.collection())));
        }
        for (final Stall stall : tracks.stalls()) {
            items.add(new Item(stall.startNs(), stall.endNs(),
                    CauseTimelines.causeOf(stall).words() + " of " + stall.thread()));
        }
        for (final RunEvent event : tracks.events()) {
            items.add(new Item(event.startNs(), event.endNs(), event.what()));
        }
        items.sort(Comparator.comparingLong(Item::startNs));
        latestEndNs = new long[items.size()];
        for (int i = 0; i < latestEndNs.length; i++) {
            latestEndNs[i] = Math.max(i == 0 ? Long.MIN_VALUE : latestEndNs[i - 1], items.get(i).endNs());
        }
    }

    /** In the order of begin. */
    List<String> between(final long fromNs, final long toNs) {
        final LinkedList<String> words = new LinkedList<>();
        for (int i = firstFrom(toNs) - 1; i >= 0 && latestEndNs[i] > fromNs; i--) {
            if (items.get(i).endNs() > fromNs) {
                words.addFirst(items.get(i).words());
            }
        }
        return words;
    }

    private int firstFrom(final long timeNs) {
        int low = 0;
        int high = items.size();
        while (low < high) {
            final int middle = (low + high) >>> 1;
            if (items.get(middle).startNs() < timeNs) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
