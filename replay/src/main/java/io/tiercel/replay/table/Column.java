package io.tiercel.replay.table;

import java.util.List;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;

/**
 * One column of a table: its name, what it is in Arrow and in SQL, and how a record's value gets into it.
 *
 * @param isOfModel whether the model's bundle has to be there to tell what the bytes mean.
 */
record Column(String name, Type type, boolean isOfModel, Filler filler) {

    /** Writes one value of the record at which the row stands; nothing written is NULL. */
    @FunctionalInterface
    interface Filler {
        void fill(RecordRow row, FieldVector vector, int index);
    }

    /** Signed throughout, but for hashes: a difference of two columns must not wrap around, here or in a notebook. */
    enum Type {
        BOOLEAN("BOOLEAN", new ArrowType.Bool()),
        INTEGER("INTEGER", new ArrowType.Int(32, true)),
        BIGINT("BIGINT", new ArrowType.Int(64, true)),
        UBIGINT("UBIGINT", new ArrowType.Int(64, false)),
        FLOAT("FLOAT", new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE)),
        VARCHAR("VARCHAR", new ArrowType.Utf8()),
        TIMESTAMP_NS("TIMESTAMP_NS", new ArrowType.Timestamp(TimeUnit.NANOSECOND, null)),
        FLOATS("FLOAT[]", new ArrowType.List()),
        TOKENS("INTEGER[]", new ArrowType.List());

        private final String sqlName;
        private final ArrowType arrowType;

        Type(final String sqlName, final ArrowType arrowType) {
            this.sqlName = sqlName;
            this.arrowType = arrowType;
        }

        String sqlName() {
            return sqlName;
        }

        private List<Field> children() {
            return switch (this) {
                case FLOATS -> List.of(new Field("item", FieldType.nullable(FLOAT.arrowType), null));
                case TOKENS -> List.of(new Field("item", FieldType.nullable(INTEGER.arrowType), null));
                default -> List.of();
            };
        }
    }

    Field field() {
        return new Field(name, FieldType.nullable(type.arrowType), type.children());
    }
}
