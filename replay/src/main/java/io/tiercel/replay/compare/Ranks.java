package io.tiercel.replay.compare;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Ranks from 1; equal values share the mean of theirs. */
final class Ranks {

    private Ranks() {
    }

    static double[] of(final double[] values) {
        final Integer[] order = IntStream.range(0, values.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(index -> values[index]));
        final double[] ranks = new double[values.length];
        int begin = 0;
        while (begin < order.length) {
            int end = begin + 1;
            while (end < order.length && values[order[end]] == values[order[begin]]) {
                end++;
            }
            for (int index = begin; index < end; index++) {
                ranks[order[index]] = (begin + 1 + end) / 2.0;
            }
            begin = end;
        }
        return ranks;
    }
}
