package io.tiercel.tools.market;

import static io.tiercel.tools.market.EventGrid.check;

import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleException;
import io.tiercel.appliance.engine.bundle.DType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Which events share a token: the edges of the buckets, the table from combinations of buckets to tokens, and for each
 * token how far such events moved the price. All of it is data, learned by {@link VocabularyLearner} on the part of a
 * tape that training may see, and kept with the model: as JSON, or as small tensors of a bundle.
 *
 * <pre>
 *   grid         which shape (kind and buckets) an event has, see {@link EventGrid}
 *   kept         the shapes that have tokens of their own, rising: token = 2 x index in kept + side
 *   table        for each shape the index in kept of what stands for it: itself, or the nearest of its kind
 *   mean moves   for each token, in the schema's unit
 * </pre>
 *
 * <p>So the mirror image of an event has the token {@code token ^ 1}, and its mean move is the opposite one. What is
 * read from outside is checked whole; a {@link BundleException} names the source and the value. Immutable;
 * {@link #token} allocates nothing.
 */
public final class EventVocabulary {

    public static final int MAX_TOKENS = 512;

    private static final int SIDES = EventSchema.SIDES.size();

    private final EventGrid grid;
    private final int[] kept;
    private final int[] table;
    private final float[] meanMoves;

    EventVocabulary(
            final String source, final EventGrid grid, final int[] kept, final int[] table, final float[] meanMoves) {
        this.grid = grid;
        this.kept = kept.clone();
        this.table = table.clone();
        this.meanMoves = meanMoves.clone();
        checkKept(source);
        checkTable(source);
        checkMoves(source);
    }

    /** Reads what {@link #write} has written. */
    public static EventVocabulary read(final Path file) {
        return VocabularyJson.read(file);
    }

    /** Finds the vocabulary among the tensors of a bundle. */
    public static EventVocabulary of(final String source, final TensorSource tensors) {
        return VocabularyTensors.read(source, tensors);
    }

    /** What the tokens of a bundle stand for; null if it says nothing of events. */
    public static EventVocabulary ofBundle(final Bundle bundle) {
        if (!bundle.has(VocabularyTensors.SIZES)) {
            return null;
        }
        final EventVocabulary vocabulary = of(bundle.path().toString(), bundle::bytes);
        final int expected = bundle.manifest().shape().getOrDefault("vocabulary", 0);
        check(vocabulary.tokenCount() == expected, bundle.path().toString(), "tokens", vocabulary.tokenCount(),
                "not the model's " + expected);
        return vocabulary;
    }

    /** Writes it as JSON. */
    public void write(final Path file) {
        VocabularyJson.write(this, file);
    }

    /** Hands out what {@link #of} reads. */
    public void putTensors(final TensorSink tensors) {
        VocabularyTensors.put(this, tensors);
    }

    /** Where tensors come from: {@code bundle::bytes}. */
    @FunctionalInterface
    public interface TensorSource {

        /** @return the little-endian bytes of the tensor, which must have this type and shape. */
        byte[] bytes(String name, DType dtype, int... shape);
    }

    /** Where tensors go: {@code writer::bytes}. */
    @FunctionalInterface
    public interface TensorSink {

        /** Takes a tensor's little-endian bytes. @return anything. */
        Object bytes(String name, DType dtype, byte[] data, int... shape);
    }

    public EventSchema schema() {
        return grid.schema();
    }

    /** At most {@link #MAX_TOKENS}, and even. */
    public int tokenCount() {
        return SIDES * kept.length;
    }

    /** Index in {@link EventSchema#kinds()}. */
    public int kind(final int token) {
        return grid.kind(kept[token / SIDES]);
    }

    /** {@link EventSchema#BUY} or {@link EventSchema#SELL}. */
    public static int side(final int token) {
        return token % SIDES;
    }

    /** The same event with the sides exchanged. */
    public static int mirror(final int token) {
        return token ^ 1;
    }

    /** How far events of this token moved the reference price, on average over what was learned from. */
    public float meanMove(final int token) {
        return meanMoves[token];
    }

    /**
     * What a token stands for, such as {@code new buy distanceTicks=-1..0 size=100.. gapUs=..100}: for each field that
     * is cut, the lowest value of the bucket and the value that it ends before. Events that have no token of their own
     * and share this one are not in the name.
     */
    public String name(final int token) {
        final int shape = kept[token / SIDES];
        final List<String> fields = schema().fields();
        final StringBuilder name = new StringBuilder(schema().kinds().get(grid.kind(shape)))
                .append(' ').append(EventSchema.SIDES.get(side(token)));
        for (int field = 0; field < fields.size(); field++) {
            final String range = grid.range(shape, field);
            if (!range.isEmpty()) {
                name.append(' ').append(fields.get(field)).append('=').append(range);
            }
        }
        return name.toString();
    }

    int token(final EventView event) {
        return SIDES * table[grid.shape(event)] + event.side();
    }

    EventGrid grid() {
        return grid;
    }

    int[] kept() {
        return kept.clone();
    }

    int[] table() {
        return table.clone();
    }

    float[] meanMoves() {
        return meanMoves.clone();
    }

    @Override
    public boolean equals(final Object other) {
        return other instanceof EventVocabulary that && schema() == that.schema() &&
                Arrays.equals(grid.edges(), that.grid.edges()) &&
                Arrays.equals(grid.edgeCounts(), that.grid.edgeCounts()) &&
                Arrays.equals(kept, that.kept) && Arrays.equals(table, that.table) &&
                Arrays.equals(meanMoves, that.meanMoves);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(kept) * 31 + Arrays.hashCode(meanMoves);
    }

    @Override
    public String toString() {
        return "schema=" + schema().text() + " tokens=" + tokenCount() + " shapes=" + table.length;
    }

    private void checkKept(final String source) {
        final int most = MAX_TOKENS / SIDES;
        check(kept.length > 0 && kept.length <= most, source, "kept", kept.length, "not in 1.." + most);
        for (int i = 0; i < kept.length; i++) {
            final boolean isInside = kept[i] >= 0 && kept[i] < grid.shapeCount();
            check(isInside && (i == 0 || kept[i] > kept[i - 1]), source, "kept[" + i + "]", kept[i],
                    "not above the one before, or not below " + grid.shapeCount());
        }
    }

    private void checkTable(final String source) {
        check(table.length == grid.shapeCount(), source, "table", table.length, "not " + grid.shapeCount());
        for (int shape = 0; shape < table.length; shape++) {
            final int index = table[shape];
            check(index >= 0 && index < kept.length && grid.kind(kept[index]) == grid.kind(shape), source,
                    "table[" + shape + "]", index, "no kept shape of its kind");
        }
        for (int i = 0; i < kept.length; i++) {
            check(table[kept[i]] == i, source, "table[" + kept[i] + "]", table[kept[i]], "not " + i + ", itself");
        }
    }

    private void checkMoves(final String source) {
        check(meanMoves.length == tokenCount(), source, "mean-moves", meanMoves.length, "not " + tokenCount());
        for (int token = 0; token < meanMoves.length; token++) {
            check(Float.isFinite(meanMoves[token]) && meanMoves[mirror(token)] == -meanMoves[token], source,
                    "mean-moves[" + token + "]", meanMoves[token],
                    "not finite, or not the opposite of its mirror image's");
        }
    }
}
