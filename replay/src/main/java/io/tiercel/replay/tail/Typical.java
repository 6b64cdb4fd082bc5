package io.tiercel.replay.tail;

import io.tiercel.protocol.journal.OutcomeStatus;
import io.tiercel.replay.timeline.RequestTimeline;
import java.util.Arrays;
import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongArrayList;

/**
 * What is usual in a stretch of a journal: medians of each leg over all requests, and of compute over those of one kind
 * (model, status, steps), and of one kind in a batch of one size. A kind of which there are few has no median of its
 * own: it is taken to need as long as so many steps of its model.
 */
final class Typical {

    private static final int FEW = 16;
    private static final long UNKNOWN = Long.MIN_VALUE;

    private final RequestTimeline requests;
    private final long[] legsNs = new long[Leg.values().length];
    private final Long2LongHashMap kindsNs;
    private final Long2LongHashMap batchesNs;
    private final Long2LongHashMap stepsNs;
    private final long journalingNs;
    private final long gapNs;

    Typical(final RequestTimeline requests) {
        this.requests = requests;
        final long[] values = new long[requests.size()];
        for (final Leg leg : Leg.values()) {
            Arrays.setAll(values, i -> leg.durationNs(requests, i));
            legsNs[leg.ordinal()] = median(values);
        }
        Arrays.setAll(values, i -> requests.journaledNs(i) - requests.ingressNs(i));
        journalingNs = median(values);
        Arrays.setAll(values, i -> i == 0 ? 0 : requests.ingressNs(i) - requests.ingressNs(i - 1));
        gapNs = median(values);
        final Long2ObjectHashMap<LongArrayList> kinds = new Long2ObjectHashMap<>();
        final Long2ObjectHashMap<LongArrayList> batches = new Long2ObjectHashMap<>();
        final Long2ObjectHashMap<LongArrayList> steps = new Long2ObjectHashMap<>();
        for (int i = 0; i < requests.size(); i++) {
            final long computeNs = Leg.COMPUTE.durationNs(requests, i);
            add(kinds, kind(i), computeNs);
            add(batches, batchKind(i), computeNs);
            if (requests.status(i) == OutcomeStatus.OK) {
                add(steps, requests.modelId(i), computeNs / Math.max(1, requests.stepCount(i)));
            }
        }
        kindsNs = medians(kinds);
        batchesNs = medians(batches);
        stepsNs = medians(steps);
    }

    /** Of all requests. */
    long legNs(final Leg leg) {
        return legsNs[leg.ordinal()];
    }

    /** From arrival to journaled, of all requests. */
    long journalingNs() {
        return journalingNs;
    }

    /** Between two arrivals. */
    long gapNs() {
        return gapNs;
    }

    /** To compute a request of the kind of this one. */
    long computeNs(final int index) {
        final long medianNs = kindsNs.get(kind(index));
        if (medianNs != UNKNOWN) {
            return medianNs;
        }
        final long stepNs = stepsNs.get(requests.modelId(index));
        return requests.status(index) == OutcomeStatus.OK && stepNs != UNKNOWN
                ? stepNs * requests.stepCount(index)
                : legNs(Leg.COMPUTE);
    }

    /** To compute it in a batch of the size that it was in, and together with the longest one that was in it. */
    long computeInBatchNs(final int index) {
        final long medianNs = batchesNs.get(batchKind(index));
        long longestNs = medianNs == UNKNOWN ? computeNs(index) : medianNs;
        for (int i = index - 1; i >= 0 && requests.isSameBatch(i, index); i--) {
            longestNs = Math.max(longestNs, computeNs(i));
        }
        for (int i = index + 1; i < requests.size() && requests.isSameBatch(i, index); i++) {
            longestNs = Math.max(longestNs, computeNs(i));
        }
        return longestNs;
    }

    private long kind(final int index) {
        return requests.modelId(index) | (long) requests.stepCount(index) << 16 |
                (long) requests.status(index).ordinal() << 32;
    }

    private long batchKind(final int index) {
        return kind(index) | (long) requests.batchSize(index) << 40;
    }

    private static void add(final Long2ObjectHashMap<LongArrayList> lists, final long key, final long value) {
        lists.computeIfAbsent(key, ignored -> new LongArrayList()).addLong(value);
    }

    /** The rarer kinds are left out. */
    private static Long2LongHashMap medians(final Long2ObjectHashMap<LongArrayList> lists) {
        final Long2LongHashMap medians = new Long2LongHashMap(UNKNOWN);
        lists.forEachLong((key, list) -> {
            if (list.size() >= FEW) {
                medians.put(key, median(list.toLongArray()));
            }
        });
        return medians;
    }

    /** Sorts what it is given. */
    private static long median(final long[] values) {
        Arrays.sort(values);
        return values.length == 0 ? 0 : values[(values.length - 1) / 2];
    }
}
