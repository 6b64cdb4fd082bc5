package io.tiercel.appliance.engine.reference;

import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import io.tiercel.appliance.engine.transformer.TransformerStateLayout;
import java.util.Arrays;
import org.agrona.UnsafeApi;

/**
 * Codes of a session's state, by their place in {@link TransformerStateLayout}. One thread; allocates nothing. A row is
 * of one head: a code for each channel, or for each group of channels. Codes of 8 bits come out signed, others not;
 * coupled ones are indices.
 */
final class TransformerCache {

    private final TransformerStateLayout layout;
    private final UndoLog undo;
    private final int[] bytes;
    private long stateAddress;

    /** @param undo told of each byte before it is written, those of the header aside. */
    TransformerCache(final TransformerStateLayout layout, final int headSize, final UndoLog undo) {
        this.layout = layout;
        this.undo = undo;
        bytes = new int[headSize];
    }

    /** The state that is worked on from here on. */
    void at(final long address) {
        stateAddress = address;
    }

    long position() {
        return UnsafeApi.getLong(stateAddress + TransformerStateLayout.POSITION_OFFSET);
    }

    void position(final long position) {
        UnsafeApi.putLong(stateAddress + TransformerStateLayout.POSITION_OFFSET, position);
    }

    long digest() {
        return UnsafeApi.getLong(stateAddress + TransformerStateLayout.DIGEST_OFFSET);
    }

    void digest(final long digest) {
        UnsafeApi.putLong(stateAddress + TransformerStateLayout.DIGEST_OFFSET, digest);
    }

    long codedTokens() {
        return UnsafeApi.getLong(stateAddress + TransformerStateLayout.CODED_OFFSET);
    }

    void codedTokens(final long tokens) {
        UnsafeApi.putLong(stateAddress + TransformerStateLayout.CODED_OFFSET, tokens);
    }

    void putRecentKeys(final int layer, final int head, final int slot, final int[] row, final int from,
            final int count) {
        for (int plane = 0; plane < layout.planes(); plane++) {
            takePlane(row, from, count, plane);
            putKeys(stateAddress + layout.recentKeysOffset(layer, head, plane), Codec.UNIFORM8, slot, bytes, 0, count);
        }
    }

    void recentKeys(final int layer, final int head, final int slot, final int[] row, final int from, final int count) {
        Arrays.fill(row, from, from + count, 0);
        for (int plane = 0; plane < layout.planes(); plane++) {
            keys(stateAddress + layout.recentKeysOffset(layer, head, plane), Codec.UNIFORM8, slot, bytes, 0, count);
            addPlane(row, from, count);
        }
    }

    void putRecentValues(
            final int layer, final int head, final int slot, final int[] row, final int from, final int count) {
        for (int plane = 0; plane < layout.planes(); plane++) {
            takePlane(row, from, count, plane);
            putValues(
                    stateAddress + layout.recentValuesOffset(layer, head, plane), Codec.UNIFORM8, slot, bytes, 0,
                    count);
        }
    }

    void recentValues(final int layer, final int head, final int slot, final int[] row, final int from,
            final int count) {
        Arrays.fill(row, from, from + count, 0);
        for (int plane = 0; plane < layout.planes(); plane++) {
            values(stateAddress + layout.recentValuesOffset(layer, head, plane), Codec.UNIFORM8, slot, bytes, 0, count);
            addPlane(row, from, count);
        }
    }

    /** One plane of a row of integers, the first the higher one. */
    static int plane(final int value, final int plane, final int planes) {
        return plane == planes - 1 ? (byte) value : value - (byte) value >> Byte.SIZE;
    }

    private void takePlane(final int[] row, final int from, final int count, final int plane) {
        for (int i = 0; i < count; i++) {
            bytes[i] = plane(row[from + i], plane, layout.planes());
        }
    }

    private void addPlane(final int[] row, final int from, final int count) {
        for (int i = 0; i < count; i++) {
            row[from + i] = 256 * row[from + i] + bytes[i];
        }
    }

    void putCodedKeys(final int layer, final int head, final int slot, final int[] row, final int count) {
        putKeys(codedKeys(layer, head, slot), layout.keys(), pageSlot(slot), row, 0, count);
    }

    void codedKeys(final int layer, final int head, final int slot, final int[] row, final int count) {
        keys(codedKeys(layer, head, slot), layout.keys(), pageSlot(slot), row, 0, count);
    }

    void putCodedValues(final int layer, final int head, final int slot, final int[] row, final int count) {
        putValues(codedValues(layer, head, slot), layout.values(), pageSlot(slot), row, 0, count);
    }

    void codedValues(final int layer, final int head, final int slot, final int[] row, final int count) {
        values(codedValues(layer, head, slot), layout.values(), pageSlot(slot), row, 0, count);
    }

    private long codedKeys(final int layer, final int head, final int slot) {
        return page(slot) + layout.pageKeysOffset(layer, head);
    }

    private long codedValues(final int layer, final int head, final int slot) {
        return page(slot) + layout.pageValuesOffset(layer, head);
    }

    private long page(final int slot) {
        return layout.statePages().address(stateAddress, slot / TransformerStateLayout.PAGE_SLOTS);
    }

    private static int pageSlot(final int slot) {
        return slot % TransformerStateLayout.PAGE_SLOTS;
    }

    /** Before a token is coded: its page is not, or no longer, one of another session too. */
    void ownPage(final int slot) {
        layout.statePages().own(stateAddress, slot / TransformerStateLayout.PAGE_SLOTS);
    }

    private void putKeys(
            final long region, final Codec codec, final int slot, final int[] row, final int from, final int count) {
        final int shift = layout.keyShift(codec, slot);
        for (int i = 0; i < count; i++) {
            put(region + layout.keyByte(codec, slot, i), fieldMask(codec), shift, row[from + i]);
        }
    }

    private void putValues(
            final long region, final Codec codec, final int slot, final int[] row, final int from, final int count) {
        final int shift = layout.valueShift(codec, slot);
        for (int i = 0; i < count; i++) {
            put(region + layout.valueByte(codec, slot, i), fieldMask(codec), shift, row[from + i]);
        }
    }

    private void keys(
            final long region, final Codec codec, final int slot, final int[] row, final int from, final int count) {
        final int shift = layout.keyShift(codec, slot);
        for (int i = 0; i < count; i++) {
            row[from + i] = get(region + layout.keyByte(codec, slot, i), codec, shift);
        }
    }

    private void values(
            final long region, final Codec codec, final int slot, final int[] row, final int from, final int count) {
        final int shift = layout.valueShift(codec, slot);
        for (int i = 0; i < count; i++) {
            row[from + i] = get(region + layout.valueByte(codec, slot, i), codec, shift);
        }
    }

    private static int get(final long address, final Codec codec, final int shift) {
        final byte bits = UnsafeApi.getByte(address);
        return codec == Codec.UNIFORM8 ? bits : (bits & 0xFF) >> shift & fieldMask(codec);
    }

    private void put(final long address, final int mask, final int shift, final int code) {
        undo.note(address);
        final int others = UnsafeApi.getByte(address) & ~(mask << shift);
        UnsafeApi.putByte(address, (byte) (others | (code & mask) << shift));
    }

    private static int fieldMask(final Codec codec) {
        return codec.isCoupled() ? 0xFF : (1 << codec.bits()) - 1;
    }
}
