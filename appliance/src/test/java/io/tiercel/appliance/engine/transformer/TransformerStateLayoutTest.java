package io.tiercel.appliance.engine.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import java.util.BitSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TransformerStateLayoutTest {

    private static final int LAYERS = 2;
    private static final int HEADS = 3;

    /** Bits that a code has taken already. */
    private final BitSet taken = new BitSet();
    private TransformerStateLayout layout;

    @ParameterizedTest
    @EnumSource(Codec.class)
    void shouldGiveEachCodeBitsOfItsOwn(final Codec codec) {
        for (final int headSize : new int[] {8, 16, 40}) {
            for (final int[] sizes : new int[][] {{3, 2, 6}, {0, 0, 300}, {17, 0, 17}, {16, 5, 150}, {1, 0, 129}}) {
                layout = layout(headSize, sizes[0], sizes[1], sizes[2], codec, Codec.UNIFORM8);
                takeAll(headSize, sizes);
                layout = layout(headSize, sizes[0], sizes[1], sizes[2], Codec.UNIFORM1, codec);
                takeAll(headSize, sizes);
            }
        }
    }

    private void takeAll(final int headSize, final int[] sizes) {
        final int recent = sizes[0] + sizes[1];
        final int coded = sizes[2] - recent;
        taken.clear();
        taken.set(0, TransformerStateLayout.HEADER_BYTES * 8);
        assertEquals(0, layout.pagesOffset() % 64);
        assertEquals(0, layout.pageBytes() % 64);
        assertEquals((coded + 127) / 128, layout.pages());
        assertEquals(layout.pagesOffset() + layout.pages() * layout.pageBytes(), layout.canonicalBytes());
        assertEquals(layout.canonicalBytes() + (layout.pages() == 0 ? 0 : 64), layout.stateBytes());
        for (int layer = 0; layer < LAYERS; layer++) {
            for (int head = 0; head < HEADS; head++) {
                for (int plane = 0; plane < layout.planes(); plane++) {
                    takeKeys(Codec.UNIFORM8, recent, headSize, layout.recentKeysOffset(layer, head, plane));
                    takeValues(Codec.UNIFORM8, recent, headSize, layout.recentValuesOffset(layer, head, plane));
                }
                for (int page = 0; page < layout.pages(); page++) {
                    final int pageOffset = layout.pagesOffset() + page * layout.pageBytes();
                    final int slots = TransformerStateLayout.PAGE_SLOTS;
                    takeKeys(layout.keys(), slots, headSize, pageOffset + layout.pageKeysOffset(layer, head));
                    takeValues(layout.values(), slots, headSize, pageOffset + layout.pageValuesOffset(layer, head));
                }
            }
        }
        assertTrue(taken.length() <= layout.canonicalBytes() * 8);
    }

    private void takeKeys(final Codec codec, final int slots, final int headSize, final int region) {
        assertEquals(0, region % 64);
        for (int slot = 0; slot < slots; slot++) {
            for (int code = 0; code < codec.codeCount(headSize); code++) {
                take(codec, region + layout.keyByte(codec, slot, code), layout.keyShift(codec, slot));
            }
        }
    }

    private void takeValues(final Codec codec, final int slots, final int headSize, final int region) {
        assertEquals(0, region % 64);
        for (int slot = 0; slot < slots; slot++) {
            for (int code = 0; code < codec.codeCount(headSize); code++) {
                take(codec, region + layout.valueByte(codec, slot, code), layout.valueShift(codec, slot));
            }
        }
    }

    private void take(final Codec codec, final int index, final int shift) {
        final int bits = codec.isCoupled() ? 8 : codec.bits();
        assertTrue(shift >= 0 && shift + bits <= 8, () -> "shift=" + shift);
        for (int bit = index * 8 + shift; bit < index * 8 + shift + bits; bit++) {
            assertFalse(taken.get(bit), () -> codec + " byte=" + index + " shift=" + shift + " is taken");
            taken.set(bit);
        }
    }

    /** What attention reaches, by the tokens' numbers alone; slots are those, from 0 on, without a gap. */
    @Test
    void shouldHaveASlotForEachTokenInReach() {
        for (int window = 0; window <= 5; window++) {
            for (int sinks = 0; sinks <= 4; sinks++) {
                for (int coded = window == 0 ? 1 : 0; coded <= 6; coded++) {
                    layout = layout(4, window, sinks, window + sinks + coded, Codec.UNIFORM4, Codec.UNIFORM4);
                    for (int position = 0; position < 40; position++) {
                        checkReach(position, window, sinks, coded);
                    }
                }
            }
        }
    }

    private void checkReach(final int position, final int window, final int sinks, final int coded) {
        final String what = "window=" + window + " sinks=" + sinks + " coded=" + coded + " position=" + position;
        final IntPredicate isRecent = token -> token < sinks || token > position - window;
        final Set<Integer> recentSlots = slots(position, isRecent, layout::recentSlot);
        final Set<Integer> codedSlots = slots(position,
                token -> !isRecent.test(token) && token > position - window - coded, layout::codedSlot);
        assertEquals(firstSlots(layout.recentCount(position)), recentSlots, what);
        assertEquals(firstSlots(layout.codedCount(position)), codedSlots, what);
        assertTrue(recentSlots.size() <= sinks + window && codedSlots.size() <= coded, what);
        // What is coded ahead takes the place of a token that the step has reached for the last time.
        final int leaving = position + 1 - window;
        if (window > 0 && coded > 0 && leaving >= sinks) {
            final int next = layout.codedSlot(leaving);
            for (int token = Math.max(sinks, leaving + 1 - coded); token < leaving; token++) {
                assertTrue(layout.codedSlot(token) != next, what);
            }
        }
    }

    private static Set<Integer> slots(
            final int position, final IntPredicate isIn, final IntUnaryOperator slotOf) {
        final Set<Integer> slots = new TreeSet<>();
        IntStream.rangeClosed(0, position).filter(isIn).forEach(token -> assertTrue(slots.add(slotOf.applyAsInt(token)),
                () -> "token=" + token + " has the slot of another"));
        return slots;
    }

    private static Set<Integer> firstSlots(final int count) {
        return new TreeSet<>(IntStream.range(0, count).boxed().toList());
    }

    @Test
    void shouldCountOnWhenPositionsAreBeyond32Bits() {
        layout = layout(4, 5, 2, 24, Codec.UNIFORM4, Codec.UNIFORM4);
        final long position = (1L << 40) + 3;
        assertEquals(7, layout.recentCount(position));
        assertEquals(17, layout.codedCount(position));
        assertEquals(2 + (int) ((position - 2) % 5), layout.recentSlot(position));
        assertEquals((int) ((position - 2) % 17), layout.codedSlot(position));
        assertEquals(17, layout.codedCount(Long.MAX_VALUE - 1));
        assertEquals(7, layout.recentCount(Long.MAX_VALUE - 1));
    }

    /** 32,768 tokens of 8 bits, keys and values, are 64 KiB a channel: of 128 heads with 256 channels 2 GiB. */
    @ParameterizedTest
    @CsvSource({"128, 0", "128, 32767"})
    void shouldRefuseAStateWhenItHasTwoGigabytes(final int heads, final int window) {
        final TransformerShape large =
                new TransformerShape(1, 4, heads, heads, 256, 1, 2, 32_768, window, 0, 0, 0, false);
        assertThrows(ArithmeticException.class,
                () -> new TransformerStateLayout(large, cache(Codec.UNIFORM8, Codec.UNIFORM8, 8)));
        final TransformerShape small =
                new TransformerShape(1, 4, heads - 1, heads - 1, 256, 1, 2, 32_768, window, 0, 0, 0, false);
        assertTrue(new TransformerStateLayout(small, cache(Codec.UNIFORM8, Codec.UNIFORM8, 8))
                .stateBytes() > 2_000_000_000);
    }

    private static TransformerStateLayout layout(
            final int headSize, final int window, final int sinks, final int context, final Codec keys,
            final Codec values) {
        return new TransformerStateLayout(new TransformerShape(
                LAYERS, 4, HEADS, HEADS, headSize, 1, 2, context, window, sinks, 0, 0, false),
                cache(keys, values, context == window + sinks ? 16 : 8));
    }

    private static CacheFormat cache(final Codec keys, final Codec values, final int recentBits) {
        return new CacheFormat(keys, values, Rotation.NONE, WhenFull.SLIDE, recentBits);
    }
}
