package io.tiercel.appliance.engine.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.tiercel.appliance.engine.StateHash;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.agrona.concurrent.UnsafeBuffer;

/** A window beside a list of its rows. */
class RowWindowProperties {

    @Property(tries = 200)
    void shouldHoldTheNewestRowsInOrderAndHashThem(
            @ForAll @IntRange(min = 1, max = 9) final int rows, @ForAll @IntRange(min = 1, max = 19) final int columns,
            @ForAll final long seed) {
        final SplittableRandom random = new SplittableRandom(seed);
        final float[] means = floats(random, columns, -1, 1);
        final float[] inverse = floats(random, columns, 0.1, 3);
        final RowWindow window = new RowWindow(rows, columns, means, inverse);
        final UnsafeBuffer state = allocate(window.stateBytes());
        state.setMemory(0, state.capacity(), (byte) 7);
        window.initialise(state.addressOffset());
        final ArrayDeque<float[]> expected = new ArrayDeque<>();
        for (int i = 0; i < rows; i++) {
            expected.add(new float[columns]);
        }
        long hash = seed;
        for (int step = 1; step <= 2 * rows + 3; step++) {
            final float[] features = floats(random, columns, -5, 5);
            final UnsafeBuffer row = allocate(columns * Float.BYTES);
            final float[] normal = new float[columns];
            for (int i = 0; i < columns; i++) {
                row.putFloat(i * Float.BYTES, features[i]);
                normal[i] = (features[i] - means[i]) * inverse[i];
            }
            window.add(state.addressOffset(), row.addressOffset());
            expected.add(normal);
            expected.remove();
            assertArrayEquals(flat(expected, columns), copy(window, state));

            final UnsafeBuffer written = of(normal);
            final UnsafeBuffer header = allocate(8);
            header.putInt(0, step % rows, ByteOrder.LITTLE_ENDIAN);
            final long next = StateHash.mix(
                    StateHash.mix(hash, written.addressOffset(), written.capacity()), header.addressOffset(), 8);
            hash = window.hash(state.addressOffset(), hash);
            assertEquals(next, hash);
            Reference.reachabilityFence(row);
            Reference.reachabilityFence(written);
            Reference.reachabilityFence(header);
        }
        assertEquals(0, state.capacity() % 64);
    }

    @Example
    void shouldHoldWhatIsOutOfRange() {
        final RowWindow window = new RowWindow(1, 2, new float[] {Float.MAX_VALUE, 0}, new float[] {2, 2});
        final UnsafeBuffer state = allocate(window.stateBytes());
        final UnsafeBuffer features = of(new float[] {-Float.MAX_VALUE, Float.MAX_VALUE});
        window.initialise(state.addressOffset());
        window.add(state.addressOffset(), features.addressOffset());
        assertArrayEquals(new float[] {-Float.MAX_VALUE, Float.MAX_VALUE}, copy(window, state));
        Reference.reachabilityFence(features);
    }

    @Example
    void shouldRefuseAStateWhoseNextRowIsBesideIt() {
        final RowWindow window = new RowWindow(3, 1, new float[1], new float[] {1});
        final UnsafeBuffer state = allocate(window.stateBytes());
        window.initialise(state.addressOffset());
        window.check(state.addressOffset());
        for (final int next : new int[] {3, -1}) {
            state.putInt(0, next, ByteOrder.LITTLE_ENDIAN);
            assertThrows(IllegalArgumentException.class, () -> window.check(state.addressOffset()));
        }
    }

    private static float[] copy(final RowWindow window, final UnsafeBuffer state) {
        final UnsafeBuffer rows = allocate(window.windowBytes());
        window.copyTo(state.addressOffset(), rows.addressOffset());
        final float[] values = new float[window.rows() * window.columns()];
        for (int i = 0; i < values.length; i++) {
            values[i] = rows.getFloat(i * Float.BYTES, ByteOrder.LITTLE_ENDIAN);
        }
        return values;
    }

    private static float[] flat(final ArrayDeque<float[]> rows, final int columns) {
        final float[] values = new float[rows.size() * columns];
        int at = 0;
        for (final float[] row : rows) {
            System.arraycopy(row, 0, values, at, columns);
            at += columns;
        }
        return values;
    }

    private static UnsafeBuffer of(final float[] values) {
        final UnsafeBuffer buffer = allocate(values.length * Float.BYTES);
        for (int i = 0; i < values.length; i++) {
            buffer.putFloat(i * Float.BYTES, values[i], ByteOrder.LITTLE_ENDIAN);
        }
        return buffer;
    }

    private static UnsafeBuffer allocate(final int bytes) {
        return new UnsafeBuffer(ByteBuffer.allocateDirect(bytes));
    }

    private static float[] floats(final SplittableRandom random, final int count, final double from, final double to) {
        final float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(from, to);
        }
        return values;
    }
}
