package io.tiercel.replay.table;

import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import org.agrona.DirectBuffer;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.BitVectorHelper;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.TimeStampNanoVector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.ListVector;

/** Columns by the kind of their values. */
final class Fillers {

    private static final int ALL_VALID = 0xFF;

    private Fillers() {
    }

    static Column bool(final String name, final Predicate<RecordRow> value) {
        return column(name, Column.Type.BOOLEAN,
                (row, vector, index) -> ((BitVector) vector).setSafe(index, value.test(row) ? 1 : 0));
    }

    static Column integer(final String name, final ToIntFunction<RecordRow> value) {
        return column(name, Column.Type.INTEGER,
                (row, vector, index) -> ((IntVector) vector).setSafe(index, value.applyAsInt(row)));
    }

    static Column bigint(final String name, final ToLongFunction<RecordRow> value) {
        return column(name, Column.Type.BIGINT,
                (row, vector, index) -> ((BigIntVector) vector).setSafe(index, value.applyAsLong(row)));
    }

    static Column hash(final String name, final ToLongFunction<RecordRow> value) {
        return column(name, Column.Type.UBIGINT,
                (row, vector, index) -> ((UInt8Vector) vector).setSafe(index, value.applyAsLong(row)));
    }

    static Column time(final String name, final ToLongFunction<RecordRow> epochNs) {
        return column(name, Column.Type.TIMESTAMP_NS,
                (row, vector, index) -> ((TimeStampNanoVector) vector).setSafe(index, epochNs.applyAsLong(row)));
    }

    static Column text(final String name, final Function<RecordRow, byte[]> ascii) {
        return column(name, Column.Type.VARCHAR,
                (row, vector, index) -> ((VarCharVector) vector).setSafe(index, ascii.apply(row)));
    }

    static <E extends Enum<E>> Column constant(final String name, final Function<RecordRow, E> value) {
        return text(name, row -> value.apply(row).name().getBytes(StandardCharsets.US_ASCII));
    }

    static Column real(final String name, final Function<RecordRow, Float> value) {
        return column(name, Column.Type.FLOAT,
                (row, vector, index) -> ((Float4Vector) vector).setSafe(index, value.apply(row)));
    }

    static Column floats(final String name, final Column.Filler filler) {
        return new Column(name, Column.Type.FLOATS, true, filler);
    }

    static Column tokens(final String name, final Column.Filler filler) {
        return new Column(name, Column.Type.TOKENS, true, filler);
    }

    /** The same column, NULL in rows of which it says nothing. */
    static Column where(final Predicate<RecordRow> isThere, final Column column) {
        return new Column(column.name(), column.type(), column.isOfModel(), (row, vector, index) -> {
            if (isThere.test(row)) {
                column.filler().fill(row, vector, index);
            }
        });
    }

    /**
     * A list of 4-byte cells of a frame, floats or tokens, as they are: both sides have them in little-endian order.
     *
     * @param first  cell that is taken.
     * @param stride from one to the next.
     */
    static void fillCells(
            final FieldVector vector, final int index, final DirectBuffer buffer, final int offset, final int length,
            final int first, final int stride) {
        final ListVector list = (ListVector) vector;
        final BaseFixedWidthVector items = (BaseFixedWidthVector) list.getDataVector();
        final int begin = list.startNewValue(index);
        final int count = Math.max(0, length / Integer.BYTES - first + stride - 1) / stride;
        while (items.getValueCapacity() < begin + count) {
            items.reAlloc();
        }
        final ArrowBuf cells = items.getDataBuffer();
        for (int i = 0; i < count; i++) {
            final int cell = buffer.getInt(offset + (first + i * stride) * Integer.BYTES, ByteOrder.LITTLE_ENDIAN);
            cells.setInt((long) (begin + i) * Integer.BYTES, cell);
        }
        setValid(items.getValidityBuffer(), begin, begin + count);
        list.endValue(index, count);
    }

    /** A bit for each item, eight at once where they fill a byte. */
    private static void setValid(final ArrowBuf validity, final int begin, final int end) {
        int item = begin;
        while (item < end) {
            if ((item & 7) == 0 && item + Byte.SIZE <= end) {
                validity.setByte(item >>> 3, ALL_VALID);
                item += Byte.SIZE;
            } else {
                BitVectorHelper.setBit(validity, item);
                item++;
            }
        }
    }

    private static Column column(final String name, final Column.Type type, final Column.Filler filler) {
        return new Column(name, type, false, filler);
    }
}
