package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.Footprint;
import org.agrona.UnsafeApi;

/**
 * Of a transformer's step: the header, and for each layer and head the block of keys and the block of values that the
 * new token's row is in; of a cache without a window the part of a page. A row's bytes lie among those of its
 * neighbours, so whole blocks are copied: nothing else changes them in between.
 */
final class TransformerFootprint implements Footprint {

    private final TransformerShape shape;
    private final TransformerStateLayout layout;

    TransformerFootprint(final TransformerShape shape, final TransformerStateLayout layout) {
        this.shape = shape;
        this.layout = layout;
    }

    @Override
    public int maxBytes() {
        final int recent = layout.planes() * (layout.keyBlockBytes() + layout.valueBlockBytes());
        final int part = Math.max(recent, shape.codedTokens() == 0 ? 0 : layout.pagePartBytes());
        return Math.addExact(TransformerStateLayout.HEADER_BYTES,
                Math.multiplyExact(part, shape.layers() * shape.keyValueHeads()));
    }

    @Override
    public long position(final long stateAddress) {
        return UnsafeApi.getLong(stateAddress + TransformerStateLayout.POSITION_OFFSET);
    }

    @Override
    public void copyOut(final long stateAddress, final long position, final long targetAddress) {
        copy(stateAddress, position, targetAddress, true);
    }

    @Override
    public void copyIn(final long stateAddress, final long position, final long sourceAddress) {
        copy(stateAddress, position, sourceAddress, false);
    }

    private void copy(final long stateAddress, final long position, final long copyAddress, final boolean isOut) {
        long address = move(stateAddress, copyAddress, TransformerStateLayout.HEADER_BYTES, isOut);
        final boolean isRecent = position < shape.sinks() || shape.window() > 0;
        final int page = isRecent ? 0 : layout.codedSlot(position) / TransformerStateLayout.PAGE_SLOTS;
        if (!isRecent && !isOut) {
            // A page that other sessions have too, since a fork after the step was made, is not written.
            layout.statePages().own(stateAddress, page);
        }
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (int head = 0; head < shape.keyValueHeads(); head++) {
                address = isRecent
                        ? copyRecent(stateAddress, layer, head, layout.recentSlot(position), address, isOut)
                        : move(pagePart(stateAddress, layer, head, page), address, layout.pagePartBytes(), isOut);
            }
        }
    }

    private long copyRecent(
            final long stateAddress, final int layer, final int head, final int slot, final long copyAddress,
            final boolean isOut) {
        long address = copyAddress;
        for (int plane = 0; plane < layout.planes(); plane++) {
            final int keys = layout.recentKeysOffset(layer, head, plane) + layout.keyBlockOffset(slot);
            address = move(stateAddress + keys, address, layout.keyBlockBytes(), isOut);
            final int values = layout.recentValuesOffset(layer, head, plane) + layout.valueBlockOffset(slot);
            address = move(stateAddress + values, address, layout.valueBlockBytes(), isOut);
        }
        return address;
    }

    private long pagePart(final long stateAddress, final int layer, final int head, final int page) {
        return layout.statePages().address(stateAddress, page) + layout.pageKeysOffset(layer, head);
    }

    /** @return the address behind the copy. */
    private static long move(final long inState, final long inCopy, final int length, final boolean isOut) {
        UnsafeApi.copyMemory(isOut ? inState : inCopy, isOut ? inCopy : inState, length);
        return inCopy + length;
    }
}
