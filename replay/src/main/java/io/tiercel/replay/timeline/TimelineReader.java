package io.tiercel.replay.timeline;

import io.tiercel.replay.DamageException;
import io.tiercel.replay.JoinedJournal;
import io.tiercel.replay.ReplayProgress;
import java.nio.file.Path;

/**
 * Reads a stretch of a journal into a {@link RequestTimeline}. Both queues are read and checked, though the outcomes
 * alone have the times: a damaged journal is not to be taken for a quiet one. No bundle is needed.
 */
public final class TimelineReader {

    private static final int PROGRESS_MASK = (1 << 12) - 1;

    /**
     * Which requests.
     *
     * @param fromSequence first one.
     * @param toSequence   last one, or {@link Long#MAX_VALUE}; a journal that ends before it is read to its end.
     * @param lastNs       only those that came in so many nanoseconds before the last one; 0 for all.
     * @param limit        how many there may be.
     */
    public record Stretch(long fromSequence, long toSequence, long lastNs, int limit) {
    }

    private TimelineReader() {
    }

    /**
     * Reads.
     *
     * @param progress may be null.
     * @throws DamageException       at the first record that is not good.
     * @throws StretchException      if there is nothing in the stretch, or more than the limit.
     * @throws io.tiercel.appliance.journal.JournalException if there is no journal or it cannot be read.
     */
    public static RequestTimeline read(final Path directory, final Stretch stretch, final ReplayProgress progress) {
        try (JoinedJournal journal = JoinedJournal.open(directory)) {
            final long endSequence = journal.outcomesEndSequence();
            final long from = stretch.lastNs() > 0
                    ? firstSince(journal, endSequence, stretch.lastNs())
                    : Math.max(stretch.fromSequence(), journal.firstSequence());
            if (from > journal.firstSequence() && from >= endSequence) {
                throw new StretchException("nothing to look at: from=" + from + " is behind the last outcome, " +
                        "sequence=" + (endSequence - 1));
            }
            if (from > journal.firstSequence() || stretch.lastNs() > 0) {
                journal.seek(from);
            }
            final RequestTimeline timeline =
                    read(journal, stretch, Math.min(endSequence, toEnd(stretch)) - from, progress);
            if (timeline.size() == 0) {
                throw new StretchException("nothing to look at: no request has an outcome, from=" + from);
            }
            return timeline;
        }
    }

    private static long toEnd(final Stretch stretch) {
        return stretch.toSequence() == Long.MAX_VALUE ? Long.MAX_VALUE : stretch.toSequence() + 1;
    }

    private static RequestTimeline read(
            final JoinedJournal journal, final Stretch stretch, final long totalCount, final ReplayProgress progress) {
        final RequestTimeline timeline = new RequestTimeline();
        long lastIndex = -1;
        while ((timeline.size() == 0 || journal.sequence() < stretch.toSequence()) && journal.next()) {
            if (!journal.hasOutcome()) {
                timeline.addOpen();
                continue;
            }
            if (timeline.size() == stretch.limit()) {
                throw new StretchException("more requests than limit=" + stretch.limit() + " from sequence=" +
                        timeline.sequence(0) + " on: choose a shorter stretch");
            }
            timeline.add(journal, lastIndex >= 0 && journal.requestIndex() != lastIndex + 1);
            lastIndex = journal.requestIndex();
            if (progress != null && (timeline.size() & PROGRESS_MASK) == 0) {
                progress.onProgress(timeline.size(), totalCount);
            }
        }
        return timeline;
    }

    /** Halves the distance: arrivals are in the order of sequences. */
    private static long firstSince(final JoinedJournal journal, final long endSequence, final long lastNs) {
        long low = journal.firstSequence();
        long high = endSequence - 1;
        if (high < low) {
            return low;
        }
        final long sinceNs = ingressNs(journal, high) - lastNs;
        while (low < high) {
            final long middle = (low + high) >>> 1;
            if (ingressNs(journal, middle) >= sinceNs) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    private static long ingressNs(final JoinedJournal journal, final long sequence) {
        journal.seek(sequence);
        journal.next();
        return journal.ingressNs();
    }
}
