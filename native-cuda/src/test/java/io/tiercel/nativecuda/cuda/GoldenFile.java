package io.tiercel.nativecuda.cuda;

import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.appliance.engine.matrix.MatrixParameters;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A model with what the Java reference makes of random inputs, for programs without Java: {@code golden_file.h} reads
 * it. Numbers are little-endian, each array has its count before it; the family comes first.
 */
final class GoldenFile implements Closeable {

    /** As {@code golden_file.h} has them. */
    enum Family {
        LSTM, TRANSFORMER
    }

    private final DataOutputStream out;

    GoldenFile(final Path file, final Family family) throws IOException {
        out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)));
        integer(family.ordinal());
    }

    /** With its scales, which may be another's than the matrix's own. */
    void matrix(final MatrixParameters matrix, final float[] scales) throws IOException {
        bytes(matrix.codes());
        bytes(matrix.format() == WeightFormat.INT16 ? matrix.lowCodes() : new byte[0]);
        bytes(matrix.format() == WeightFormat.INT4 ? matrix.multipliers() : new byte[0]);
        floats(scales);
    }

    void floats(final float[] values) throws IOException {
        integer(values.length);
        for (final float value : values) {
            number(value);
        }
    }

    void integers(final int[] values) throws IOException {
        integer(values.length);
        for (final int value : values) {
            integer(value);
        }
    }

    void words(final long[] values) throws IOException {
        integer(values.length);
        for (final long value : values) {
            word(value);
        }
    }

    void bytes(final byte[] values) throws IOException {
        integer(values.length);
        out.write(values);
    }

    void number(final float value) throws IOException {
        integer(Float.floatToRawIntBits(value));
    }

    void integer(final int value) throws IOException {
        out.writeInt(Integer.reverseBytes(value));
    }

    void word(final long value) throws IOException {
        out.writeLong(Long.reverseBytes(value));
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
