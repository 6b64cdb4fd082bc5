package io.tiercel.tools.market;

import io.tiercel.tools.market.EventSchema.Cut;
import io.tiercel.tools.market.EventSchema.Rounding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Makes a vocabulary of the events that it is shown, which are to be those of the first 70 % of a tape. The same events
 * give the same vocabulary.
 *
 * <ol>
 * <li><b>Edges.</b> Each field of a kind is cut at quantiles of its values, as the schema's {@link Cut} has it, rounded
 * to 1, 2 or 5 times a power of ten, and times to a power of ten. Edges that fall together are one.
 * <li><b>Tokens.</b> Both sides count together. The most frequent shapes are kept, up to
 * {@value EventVocabulary#MAX_TOKENS} tokens, if they were seen {@value #LEAST_COUNT} times; the most frequent of each
 * kind in any case, so that every event has a token.
 * <li><b>The rest</b> goes to the kept shape of its kind that is nearest in the first field; of several, in the second,
 * and so on; the lowest of those that are as near. So what has no token of its own loses its gap before its size, and
 * its size before its distance.
 * <li><b>Moves.</b> The mean change of the reference price, a sell counting as the opposite buy.
 * </ol>
 */
final class VocabularyLearner {

    /** A rarer token teaches a model nothing. */
    static final int LEAST_COUNT = 20;

    private record Seen(int kind, int side, double[] fields, double move) implements EventView {

        @Override
        public double field(final int index) {
            return fields[index];
        }
    }

    private final EventSchema schema;
    private final int kindCount;
    private final int fieldCount;
    private final List<Seen> seen = new ArrayList<>();

    VocabularyLearner(final EventSchema schema) {
        this.schema = schema;
        kindCount = schema.kinds().size();
        fieldCount = schema.fields().size();
    }

    void add(final EventView event) {
        final double[] fields = new double[fieldCount];
        Arrays.setAll(fields, event::field);
        seen.add(new Seen(event.kind(), event.side(), fields, event.move()));
    }

    EventVocabulary learn(final String source) {
        final EventGrid grid = grid(source);
        final int[] counts = new int[grid.shapeCount()];
        seen.forEach(event -> counts[grid.shape(event)]++);
        final int[] kept = kept(grid, counts);
        final int[] table = new int[grid.shapeCount()];
        Arrays.setAll(table, shape -> nearest(grid, kept, shape));
        return new EventVocabulary(source, grid, kept, table, meanMoves(grid, table, kept.length));
    }

    private EventGrid grid(final String source) {
        final int[] edgeCounts = new int[kindCount * fieldCount];
        final float[] edges = new float[edgeCounts.length * EventGrid.MAX_EDGES];
        int size = 0;
        for (int kind = 0; kind < kindCount; kind++) {
            for (int field = 0; field < fieldCount; field++) {
                for (final float edge : edges(schema.cut(kind, field), values(kind, field))) {
                    edges[size++] = edge;
                    edgeCounts[kind * fieldCount + field]++;
                }
            }
        }
        return new EventGrid(source, schema, Arrays.copyOf(edges, size), edgeCounts);
    }

    private double[] values(final int kind, final int field) {
        return seen.stream().filter(event -> event.kind == kind).mapToDouble(event -> event.fields[field]).toArray();
    }

    /** Rising. */
    static Iterable<Float> edges(final Cut cut, final double[] values) {
        final TreeSet<Float> edges = new TreeSet<>();
        if (cut.below() > 0) {
            edges.add(0f);
            final double[] below = Arrays.stream(values).filter(value -> value < 0).map(value -> -value).toArray();
            quantiles(below, cut.below(), cut.rounding()).forEach(edge -> edges.add(-edge));
        }
        if (cut.above() > 0) {
            final double[] above = Arrays.stream(values).filter(value -> value > 0).toArray();
            quantiles(above, cut.above(), cut.rounding()).stream().filter(edge -> edge > cut.first())
                    .forEach(edges::add);
            if (cut.first() > 0) {
                edges.add((float) cut.first());
            }
        }
        return edges;
    }

    /** The rounded edges between equal shares of {@code values}, which are above 0. */
    private static List<Float> quantiles(final double[] values, final int buckets, final Rounding rounding) {
        if (values.length == 0) {
            return List.of();
        }
        Arrays.sort(values);
        return IntStream.range(1, buckets)
                .mapToObj(i -> rounded(values[(int) ((long) i * values.length / buckets)], rounding)).toList();
    }

    /** @param value above 0. */
    static float rounded(final double value, final Rounding rounding) {
        final double exponent = StrictMath.log10(value);
        final int decade = (int) Math.floor(exponent);
        final List<String> digits =
                rounding == Rounding.DECADE ? List.of("1e", "10e") : List.of("1e", "2e", "5e", "10e");
        return digits.stream().map(digit -> Float.parseFloat(digit + decade))
                .min(Comparator.comparingDouble(edge -> Math.abs(StrictMath.log10(edge) - exponent))).orElseThrow();
    }

    private static int[] kept(final EventGrid grid, final int[] counts) {
        final int[] ranked = IntStream.range(0, counts.length).boxed()
                .sorted(Comparator.<Integer>comparingInt(shape -> counts[shape]).reversed())
                .mapToInt(Integer::intValue).toArray();
        final TreeSet<Integer> kept = new TreeSet<>();
        for (int kind = 0; kind < grid.schema().kinds().size(); kind++) {
            final int wanted = kind;
            kept.add(IntStream.of(ranked).filter(shape -> grid.kind(shape) == wanted).findFirst().orElseThrow());
        }
        for (final int shape : ranked) {
            if (kept.size() < EventVocabulary.MAX_TOKENS / 2 && counts[shape] >= LEAST_COUNT) {
                kept.add(shape);
            }
        }
        return kept.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The index in {@code kept} of what stands for a shape. */
    private int nearest(final EventGrid grid, final int[] kept, final int shape) {
        long least = Long.MAX_VALUE;
        int nearest = -1;
        for (int i = 0; i < kept.length; i++) {
            final long distance = distance(grid, kept[i], shape);
            if (grid.kind(kept[i]) == grid.kind(shape) && distance < least) {
                least = distance;
                nearest = i;
            }
        }
        return nearest;
    }

    private long distance(final EventGrid grid, final int one, final int other) {
        long distance = 0;
        for (int field = 0; field < fieldCount; field++) {
            distance = distance * (EventGrid.MAX_EDGES + 1) +
                    Math.abs(grid.bucket(one, field) - grid.bucket(other, field));
        }
        return distance;
    }

    private float[] meanMoves(final EventGrid grid, final int[] table, final int keptCount) {
        final double[] sums = new double[keptCount];
        final long[] counts = new long[keptCount];
        for (final Seen event : seen) {
            final int index = table[grid.shape(event)];
            sums[index] += event.side == EventSchema.BUY ? event.move : -event.move;
            counts[index]++;
        }
        final float[] moves = new float[2 * keptCount];
        for (int i = 0; i < keptCount; i++) {
            moves[2 * i] = counts[i] == 0 ? 0 : (float) (sums[i] / counts[i]);
            moves[2 * i + 1] = 0 - moves[2 * i];
        }
        return moves;
    }
}
