package io.tiercel.tools.market;

import static io.tiercel.tools.market.EventGrid.check;

import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.tools.market.EventVocabulary.TensorSink;
import io.tiercel.tools.market.EventVocabulary.TensorSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * An {@link EventVocabulary} as tensors, little-endian, so that it can stand in a bundle beside the weights:
 *
 * <pre>
 *   events.sizes        I32 [5]      version = 1, number of the schema, edges, kept, shapes
 *   events.edge_counts  I32 [kinds x fields]
 *   events.edges        F32 [edges]
 *   events.kept         I32 [kept]
 *   events.table        I32 [shapes]
 *   events.mean_moves   F32 [2 x kept]
 * </pre>
 */
final class VocabularyTensors {

    private static final String PREFIX = "events.";
    /** A bundle that has it has the others too. */
    static final String SIZES = PREFIX + "sizes";
    private static final String EDGE_COUNTS = PREFIX + "edge_counts";
    private static final String EDGES = PREFIX + "edges";
    private static final String KEPT = PREFIX + "kept";
    private static final String TABLE = PREFIX + "table";
    private static final String MEAN_MOVES = PREFIX + "mean_moves";

    private static final int VERSION = 1;
    private static final int SIZE_COUNT = 5;

    private VocabularyTensors() {
    }

    static void put(final EventVocabulary vocabulary, final TensorSink tensors) {
        final EventGrid grid = vocabulary.grid();
        final int[] kept = vocabulary.kept();
        final int[] sizes = {
            VERSION, vocabulary.schema().ordinal(), grid.edges().length, kept.length, grid.shapeCount()};
        put(tensors, SIZES, sizes);
        put(tensors, EDGE_COUNTS, grid.edgeCounts());
        put(tensors, EDGES, grid.edges());
        put(tensors, KEPT, kept);
        put(tensors, TABLE, vocabulary.table());
        put(tensors, MEAN_MOVES, vocabulary.meanMoves());
    }

    static EventVocabulary read(final String source, final TensorSource tensors) {
        final int[] sizes = integers(tensors, SIZES, SIZE_COUNT);
        check(sizes[0] == VERSION, source, "version", sizes[0], "not " + VERSION);
        final EventSchema[] schemas = EventSchema.values();
        check(sizes[1] >= 0 && sizes[1] < schemas.length, source, "schema", sizes[1], "not below " + schemas.length);
        final EventSchema schema = schemas[sizes[1]];
        final int pairs = schema.kinds().size() * schema.fields().size();
        checkSize(source, "edges", sizes[2], pairs * EventGrid.MAX_EDGES);
        checkSize(source, "kept", sizes[3], EventVocabulary.MAX_TOKENS / 2);
        checkSize(source, "shapes", sizes[4], EventGrid.MAX_SHAPES);
        final EventGrid grid = new EventGrid(
                source, schema, floats(tensors, EDGES, sizes[2]), integers(tensors, EDGE_COUNTS, pairs));
        return new EventVocabulary(
                source, grid, integers(tensors, KEPT, sizes[3]), integers(tensors, TABLE, sizes[4]),
                floats(tensors, MEAN_MOVES, 2 * sizes[3]));
    }

    private static void checkSize(final String source, final String name, final int value, final int limit) {
        check(value >= 0 && value <= limit, source, name, value, "not in 0.." + limit);
    }

    private static void put(final TensorSink tensors, final String name, final int[] values) {
        final ByteBuffer buffer = ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asIntBuffer().put(values);
        tensors.bytes(name, DType.I32, buffer.array(), values.length);
    }

    private static void put(final TensorSink tensors, final String name, final float[] values) {
        final ByteBuffer buffer = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        tensors.bytes(name, DType.F32, buffer.array(), values.length);
    }

    private static int[] integers(final TensorSource tensors, final String name, final int count) {
        final int[] values = new int[count];
        data(tensors, name, DType.I32, count).asIntBuffer().get(values);
        return values;
    }

    private static float[] floats(final TensorSource tensors, final String name, final int count) {
        final float[] values = new float[count];
        data(tensors, name, DType.F32, count).asFloatBuffer().get(values);
        return values;
    }

    private static ByteBuffer data(
            final TensorSource tensors, final String name, final DType dtype, final int count) {
        final byte[] bytes = tensors.bytes(name, dtype, count);
        if (bytes.length != count * dtype.bytes()) {
            throw new BundleException("tensor=" + name + " has " + bytes.length + " bytes, expected " +
                    count * dtype.bytes());
        }
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
