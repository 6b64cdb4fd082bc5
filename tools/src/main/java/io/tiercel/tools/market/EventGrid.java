package io.tiercel.tools.market;

import io.tiercel.appliance.engine.bundle.BundleException;
import java.util.Arrays;

/**
 * Cuts the fields of events into buckets. Bucket i of a field holds the values in [edge i-1, edge i); a kind has edges
 * of its own. A <i>shape</i> is a kind and a bucket of each field, numbered in mixed radix: the shapes of kind 0, of
 * kind 1, …, within a kind the last field fastest. Immutable; allocates nothing after construction.
 */
final class EventGrid {

    /** Of one field of one kind. */
    static final int MAX_EDGES = 31;
    static final int MAX_SHAPES = 1 << 16;

    private final EventSchema schema;
    private final int fieldCount;
    private final float[] edges;
    /** Where the edges of field f of kind k begin, at {@code k fieldCount + f}; one more for the end. */
    private final int[] edgeStarts;
    /** The first shape of a kind; one more for the end. */
    private final int[] shapeStarts;

    /**
     * @param source     names the origin in a refusal.
     * @param edges      of all fields of all kinds, one after another.
     * @param edgeCounts how many of them belong to field f of kind k, at {@code k fieldCount + f}.
     */
    EventGrid(final String source, final EventSchema schema, final float[] edges, final int[] edgeCounts) {
        this.schema = schema;
        this.fieldCount = schema.fields().size();
        this.edges = edges.clone();
        edgeStarts = edgeStarts(source, edgeCounts);
        shapeStarts = shapeStarts(source);
    }

    EventSchema schema() {
        return schema;
    }

    int shapeCount() {
        return shapeStarts[shapeStarts.length - 1];
    }

    int shape(final EventView event) {
        final int kind = event.kind();
        int shape = 0;
        for (int field = 0; field < fieldCount; field++) {
            shape = shape * bucketCount(kind, field) + bucketOf(kind, field, event.field(field));
        }
        return shapeStarts[kind] + shape;
    }

    int kind(final int shape) {
        int kind = 0;
        while (shape >= shapeStarts[kind + 1]) {
            kind++;
        }
        return kind;
    }

    int bucket(final int shape, final int field) {
        final int kind = kind(shape);
        int rest = shape - shapeStarts[kind];
        for (int i = fieldCount - 1; i > field; i--) {
            rest /= bucketCount(kind, i);
        }
        return rest % bucketCount(kind, field);
    }

    /** The bucket of one field as text, {@code low..high}, open at the ends; empty if the field is not cut. */
    String range(final int shape, final int field) {
        final int kind = kind(shape);
        final int start = edgeStart(kind, field);
        final int end = edgeStart(kind, field + 1);
        if (start == end) {
            return "";
        }
        final int high = start + bucket(shape, field);
        return (high == start ? "" : text(edges[high - 1])) + ".." + (high == end ? "" : text(edges[high]));
    }

    float[] edges() {
        return edges.clone();
    }

    float[] edges(final int kind, final int field) {
        return Arrays.copyOfRange(edges, edgeStart(kind, field), edgeStart(kind, field + 1));
    }

    int[] edgeCounts() {
        final int[] counts = new int[edgeStarts.length - 1];
        Arrays.setAll(counts, i -> edgeStarts[i + 1] - edgeStarts[i]);
        return counts;
    }

    /** Refuses what was read from outside. */
    static void check(
            final boolean holds, final String source, final String what, final Object value, final String why) {
        if (!holds) {
            throw new BundleException(source + ": vocabulary " + what + "=" + value + " is " + why);
        }
    }

    private int bucketOf(final int kind, final int field, final double value) {
        final int start = edgeStart(kind, field);
        final int end = edgeStart(kind, field + 1);
        int edge = start;
        while (edge < end && value >= edges[edge]) {
            edge++;
        }
        return edge - start;
    }

    private int bucketCount(final int kind, final int field) {
        return edgeStart(kind, field + 1) - edgeStart(kind, field) + 1;
    }

    private int edgeStart(final int kind, final int field) {
        return edgeStarts[kind * fieldCount + field];
    }

    private int[] edgeStarts(final String source, final int[] edgeCounts) {
        final int pairs = schema.kinds().size() * fieldCount;
        check(edgeCounts.length == pairs, source, "edge-counts", edgeCounts.length, "not " + pairs);
        final int[] starts = new int[pairs + 1];
        for (int i = 0; i < pairs; i++) {
            check(edgeCounts[i] >= 0 && edgeCounts[i] <= MAX_EDGES, source, "edge-counts[" + i + "]", edgeCounts[i],
                    "not in 0.." + MAX_EDGES);
            starts[i + 1] = starts[i] + edgeCounts[i];
        }
        check(starts[pairs] == edges.length, source, "edges", edges.length, "not " + starts[pairs]);
        for (int i = 0; i < pairs; i++) {
            for (int edge = starts[i]; edge < starts[i + 1]; edge++) {
                check(Float.isFinite(edges[edge]) && (edge == starts[i] || edges[edge] > edges[edge - 1]), source,
                        "edges[" + edge + "]", edges[edge], "not finite, or not above the edge before");
            }
        }
        return starts;
    }

    private int[] shapeStarts(final String source) {
        final int[] starts = new int[schema.kinds().size() + 1];
        for (int kind = 0; kind < starts.length - 1; kind++) {
            long shapes = 1;
            for (int field = 0; field < fieldCount; field++) {
                shapes *= bucketCount(kind, field);
            }
            check(starts[kind] + shapes <= MAX_SHAPES, source, "shapes", starts[kind] + shapes, "above " + MAX_SHAPES);
            starts[kind + 1] = (int) (starts[kind] + shapes);
        }
        return starts;
    }

    private static String text(final float value) {
        return value == (long) value ? Long.toString((long) value) : Float.toString(value);
    }
}
