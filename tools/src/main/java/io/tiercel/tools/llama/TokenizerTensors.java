package io.tiercel.tools.llama;

import io.tiercel.appliance.engine.bundle.DType;
import io.tiercel.tools.ModelInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A tokenizer as tensors: {@code tokenizer.pieces} U8, the bytes of all pieces, back to back; {@code tokenizer.lengths}
 * I32 [V], of each piece in bytes; {@code tokenizer.scores} F32 [V]; {@code tokenizer.ends} I32 [2], the tokens that
 * stand for the beginning and the end of a text.
 */
public final class TokenizerTensors {

    /** The beginning of the names of all of them. */
    public static final String PREFIX = "tokenizer.";

    private static final String PIECES = PREFIX + "pieces";
    private static final String LENGTHS = PREFIX + "lengths";
    private static final String SCORES = PREFIX + "scores";
    private static final String ENDS = PREFIX + "ends";

    /** Takes a tensor of floats. */
    @FunctionalInterface
    public interface FloatSink {
        void floats(String name, float[] values, int... shape);
    }

    /** Takes a tensor of bytes of some type. */
    @FunctionalInterface
    public interface ByteSink {
        void bytes(String name, DType dtype, byte[] data, int... shape);
    }

    /** Gives a tensor that is as expected, or refuses. */
    public interface Source {
        boolean has(String name);

        float[] floats(String name, int... shape);

        int[] integers(String name, int... shape);

        /** All bytes of a U8 tensor of one dimension. */
        byte[] bytes(String name);
    }

    private TokenizerTensors() {
    }

    public static void write(final Tokenizer tokenizer, final FloatSink floats, final ByteSink bytes) {
        int totalBytes = 0;
        for (int id = 0; id < tokenizer.size(); id++) {
            totalBytes += tokenizer.piece(id).length;
        }
        final ByteBuffer pieces = ByteBuffer.allocate(totalBytes);
        final ByteBuffer lengths = littleEndian(tokenizer.size());
        final float[] scores = new float[tokenizer.size()];
        for (int id = 0; id < scores.length; id++) {
            final byte[] piece = tokenizer.piece(id);
            pieces.put(piece);
            lengths.putInt(piece.length);
            scores[id] = tokenizer.score(id);
        }
        bytes.bytes(PIECES, DType.U8, pieces.array(), totalBytes);
        bytes.bytes(LENGTHS, DType.I32, lengths.array(), scores.length);
        floats.floats(SCORES, scores, scores.length);
        final ByteBuffer ends = littleEndian(2).putInt(tokenizer.bosId()).putInt(tokenizer.eosId());
        bytes.bytes(ENDS, DType.I32, ends.array(), 2);
    }

    /**
     * Null if there is none.
     *
     * @param name of what it is read from, for errors.
     */
    public static Tokenizer read(final String name, final Source source, final int vocabularySize) {
        if (!source.has(PIECES) && !source.has(LENGTHS) && !source.has(SCORES) && !source.has(ENDS)) {
            return null;
        }
        final int[] lengths = source.integers(LENGTHS, vocabularySize);
        final int[] ends = source.integers(ENDS, 2);
        final ByteCursor all = new ByteCursor(name + ": " + PIECES, source.bytes(PIECES));
        final byte[][] pieces = new byte[vocabularySize][];
        for (int id = 0; id < pieces.length; id++) {
            pieces[id] = all.readBytes(lengths[id], "piece=" + id);
        }
        if (all.remaining() != 0) {
            throw new ModelInputException(
                    name + ": tensor=" + PIECES + " bytes=" + all.remaining() + " belong to no piece");
        }
        return Tokenizer.of(name, pieces, source.floats(SCORES, vocabularySize), ends[0], ends[1]);
    }

    private static ByteBuffer littleEndian(final int integers) {
        return ByteBuffer.allocate(integers * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }
}
