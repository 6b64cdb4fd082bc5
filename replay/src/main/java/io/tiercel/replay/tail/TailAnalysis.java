package io.tiercel.replay.tail;

import io.tiercel.replay.tail.SlowRequest.Blamed;
import io.tiercel.replay.tail.SlowRequest.Legs;
import io.tiercel.replay.timeline.RequestTimeline;
import io.tiercel.replay.timeline.Tracks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.HdrHistogram.Histogram;

/**
 * Finds the slow requests of a stretch of a journal and ranks what made them slow.
 *
 * <p>Two walks over the stretch: one for the medians and the percentile, one in which {@link Blame} gives the time of
 * every request to causes. Every request, because a fast one may be slow for others, and because "without this cause
 * the percentile would be" needs them all: it is the percentile of the times less what was given to the cause.
 *
 * <p>Used once, on one thread:
 * <pre>{@code
 * RequestTimeline requests = TimelineReader.read(directory, stretch, null);
 * Tracks tracks = Tracks.read(telemetry, requests.ingressNs(0), requests.egressNs(requests.size() - 1));
 * TailReport report = new TailAnalysis(requests, tracks).report(new TailOptions(0, 99.9));
 * }</pre>
 */
public final class TailAnalysis {

    private static final int SIGNIFICANT_DIGITS = 3;

    private final RequestTimeline requests;
    private final Tracks tracks;
    private final Typical typical;
    private final LateStamps lateStamps;
    private final Surroundings surroundings;
    /** The times of those that have one, ascending. */
    private final long[] sortedNs;
    private final int[] queueDepths;
    private Tally tally;

    public TailAnalysis(final RequestTimeline requests, final Tracks tracks) {
        this.requests = requests;
        this.tracks = tracks;
        typical = new Typical(requests);
        lateStamps = new LateStamps(requests, tracks);
        surroundings = new Surroundings(tracks);
        sortedNs = IntStream.range(0, requests.size()).filter(requests::isTimed)
                .mapToLong(requests::totalNs).sorted().toArray();
        queueDepths = queueDepths(requests);
    }

    /** @throws IllegalArgumentException if no request has a time of answer. */
    public TailReport report(final TailOptions options) {
        if (sortedNs.length == 0) {
            throw new IllegalArgumentException("no request has a time of answer: requests=" + requests.size());
        }
        final int[] chosen = chosen(options);
        tally = new Tally(requests.size(), chosen);
        final Blame blame = new Blame(requests, tracks, typical);
        for (int index = 0; index < requests.size(); index++) {
            blame.next();
            tally.add(index, blame);
        }
        final long excessNs = Arrays.stream(chosen).mapToLong(this::excessNs).sum();
        return new TailReport(
                requests.sequence(0),
                requests.sequence(requests.size() - 1),
                new TailReport.Span(requests.ingressNs(0), requests.ingressNs(requests.size() - 1)),
                sortedNs.length,
                requests.size() - sortedNs.length,
                requests.openTailCount(),
                requests.isSerial(),
                new Legs(typical.legNs(Leg.JOURNAL), typical.legNs(Leg.WAITING), typical.legNs(Leg.COMPUTE),
                        typical.legNs(Leg.EGRESS)),
                new TailReport.Percentiles(percentile(sortedNs, 50), percentile(sortedNs, 99),
                        percentile(sortedNs, 99.9), options.percentile(), percentile(sortedNs, options.percentile()),
                        sortedNs[sortedNs.length - 1]),
                new TailReport.Chosen(chosen.length, requests.totalNs(chosen[chosen.length - 1]), excessNs),
                new TailReport.TracksFound(tracks.runs().size(), tracks.stalls().size(), tracks.lostStallCount(),
                        tracks.pauses().size(), tracks.events().size(), requests.rollCount(), lateStamps.count(),
                        lateStamps.maxNs()),
                causes(excessNs, options.percentile()),
                Arrays.stream(chosen).mapToObj(index -> slowRequest(index)).toList());
    }

    /** The times of all requests with an answer. */
    public Histogram times() {
        return histogram(Arrays.stream(sortedNs));
    }

    /** What they would be if nothing had been lost to a cause; after {@link #report}. */
    public Histogram timesWithout(final Cause cause) {
        return histogram(withoutNs(cause));
    }

    private static Histogram histogram(final LongStream valuesNs) {
        final Histogram histogram = new Histogram(SIGNIFICANT_DIGITS);
        histogram.setAutoResize(true);
        valuesNs.forEach(histogram::recordValue);
        return histogram;
    }

    /** The smallest value that at least so many per cent of the values do not exceed. */
    static long percentile(final long[] ascending, final double percentile) {
        return ascending[rank(ascending.length, percentile) - 1];
    }

    private static int rank(final int count, final double percentile) {
        return Math.min(Math.max((int) Math.ceil(percentile / 100 * count), 1), count);
    }

    /** The slowest first; of two that took as long, the earlier one. Past a percentile are those from its rank on. */
    private int[] chosen(final TailOptions options) {
        final int count = options.slowestCount() > 0
                ? Math.min(options.slowestCount(), sortedNs.length)
                : sortedNs.length - rank(sortedNs.length, options.percentile()) + 1;
        final long floorNs = sortedNs[sortedNs.length - count];
        return IntStream.range(0, requests.size())
                .filter(index -> requests.isTimed(index) && requests.totalNs(index) >= floorNs)
                .boxed()
                .sorted(Comparator.comparingLong((Integer index) -> -requests.totalNs(index))
                        .thenComparingInt(index -> index))
                .limit(count)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private long excessNs(final int index) {
        long excessNs = 0;
        for (final Leg leg : Leg.values()) {
            excessNs += Math.max(0, leg.durationNs(requests, index) - typical.legNs(leg));
        }
        return excessNs;
    }

    private List<CauseShare> causes(final long excessNs, final double percentile) {
        final List<CauseShare> shares = new ArrayList<>();
        for (final Cause cause : Cause.values()) {
            final long explainedNs = tally.explainedNs(cause);
            if (explainedNs > 0) {
                shares.add(new CauseShare(cause, tally.requestCount(cause), explainedNs, tally.inheritedNs(cause),
                        (double) explainedNs / excessNs, percentile(withoutNs(cause).sorted().toArray(), percentile)));
            }
        }
        shares.sort(Comparator.comparingLong(CauseShare::explainedNs).reversed());
        return shares;
    }

    private LongStream withoutNs(final Cause cause) {
        return IntStream.range(0, requests.size()).filter(requests::isTimed)
                .mapToLong(index -> requests.totalNs(index) - tally.blamedNs(cause, index));
    }

    private SlowRequest slowRequest(final int index) {
        final List<Blamed> blames = new ArrayList<>();
        for (final Cause cause : Cause.values()) {
            if (tally.blamedNs(cause, index) > 0) {
                blames.add(new Blamed(cause, tally.blamedNs(cause, index)));
            }
        }
        blames.sort(Comparator.comparingLong(Blamed::ns).reversed());
        return new SlowRequest(
                requests.sequence(index),
                requests.ingressNs(index),
                requests.principalId(index),
                requests.sessionKey(index),
                requests.modelId(index),
                requests.status(index),
                requests.stepCount(index),
                new Legs(Leg.JOURNAL.durationNs(requests, index), Leg.WAITING.durationNs(requests, index),
                        Leg.COMPUTE.durationNs(requests, index), Leg.EGRESS.durationNs(requests, index)),
                Arrays.stream(requests.batchOf(index)).mapToObj(requests::sequence).toList(),
                queueDepths[index],
                index == 0 ? 0 : requests.ingressNs(index) - requests.ingressNs(index - 1),
                lateStamps.of(index),
                excessNs(index),
                blames,
                surroundings.between(requests.ingressNs(index), requests.egressNs(index)));
    }

    /** How many had arrived before each and had not left: answers leave in the order of sequences. */
    private static int[] queueDepths(final RequestTimeline requests) {
        final int[] depths = new int[requests.size()];
        int firstInside = 0;
        for (int index = 0; index < depths.length; index++) {
            while (firstInside < index && requests.egressNs(firstInside) <= requests.ingressNs(index)) {
                firstInside++;
            }
            depths[index] = index - firstInside;
        }
        return depths;
    }
}
