package io.tiercel.appliance.engine.transformer;

import io.tiercel.appliance.engine.Footprint;
import io.tiercel.appliance.engine.StatePages;
import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Codec;
import org.agrona.UnsafeApi;

/**
 * Where each code of a session's state stands: canonical, the same for every backend. Immutable.
 *
 * <pre>
 *   header, 64 bytes                     int64: position, digest, coded; the rest zeros
 *   recent, for each layer, each head    keys, then values, in 8 bits: sinks + window slots
 *   page 0, 128 slots                    for each layer, each head: keys, then values, coded
 *   page 1 …
 *   table, not canonical                 for each page where it stands, if elsewhere: {@link StatePages}
 * </pre>
 *
 * <p><b>Header.</b> {@code position}: tokens taken so far. {@code digest}: a chain over all that was written. {@code
 * coded}: tokens before this one have been coded again, or need not be.
 *
 * <p><b>Slots.</b> Token t, from 0, has recent slot t if t &lt; sinks, else {@code sinks + (t - sinks) % window}; once
 * it has left the window, coded slot {@code (t - sinks) % (context - sinks - window)}. Without a window a token that is
 * no sink has a coded slot only. After a step at position p the tokens up to {@code p - window + 1} are coded: the
 * last of them is that which the next step's token will displace, coded ahead.
 *
 * <p><b>Codes.</b> c is a channel of a head, d of them; b bits a channel, n = 8 / b fields in a byte, the first one in
 * the lowest bits:
 * <pre>
 *   keys, uniform     blocks of 16 n slots, 16 d bytes each    byte c/4 * 64 + slot%16 * 4 + c%4, field slot/16 % n
 *   values, uniform   blocks of  4 n slots,  4 d bytes each    byte c * 4 + slot%4,               field slot/4 % n
 *   either, coupled   a page: for each code of a token 128 bytes, one for each slot
 *   recent            as uniform with 8 bits; of 16 bits two planes of it, 256 high + low, one behind the other
 * </pre>
 * So sixteen keys times four channels, or sixteen channels of four values, are the 64 bytes of one load. Every region
 * begins at a multiple of 64 and is filled up with zeros.
 */
public final class TransformerStateLayout {

    public static final int HEADER_BYTES = 64;
    public static final int POSITION_OFFSET = 0;
    public static final int DIGEST_OFFSET = 8;
    public static final int CODED_OFFSET = 16;

    /** Slots of a page: as many one-bit keys as one load has, sixteen to a bit. */
    public static final int PAGE_SLOTS = 128;

    private static final int ALIGNMENT = 64;
    private static final int KEY_LANES = 16;
    private static final int VALUE_LANES = 4;

    private final TransformerShape shape;
    private final Codec keys;
    private final Codec values;
    private final int planes;
    private final int recentKeysBytes;
    private final int recentValuesBytes;
    private final int pageKeysBytes;
    private final int pageValuesBytes;
    private final int pageBytes;
    private final int pages;
    private final int pagesOffset;
    private final StatePages statePages;

    /** @throws ArithmeticException if a state would have 2 GiB or more. */
    public TransformerStateLayout(final TransformerShape shape, final CacheFormat cache) {
        this.shape = shape;
        keys = cache.keys();
        values = cache.values();
        planes = cache.recentBits() / Byte.SIZE;
        final int slots = shape.recentTokens();
        final int channels = shape.headSize();
        final int parts = shape.layers() * shape.keyValueHeads();
        recentKeysBytes = divideUp(slots, KEY_LANES) * KEY_LANES * channels;
        recentValuesBytes = align(divideUp(slots, VALUE_LANES) * VALUE_LANES * channels);
        pageKeysBytes = align(PAGE_SLOTS * channels * keys.bits() / Byte.SIZE);
        pageValuesBytes = align(PAGE_SLOTS * channels * values.bits() / Byte.SIZE);
        pageBytes = Math.multiplyExact(parts, pageKeysBytes + pageValuesBytes);
        pages = divideUp(shape.codedTokens(), PAGE_SLOTS);
        pagesOffset = Math.addExact(
                HEADER_BYTES, Math.multiplyExact(parts, planes * (recentKeysBytes + recentValuesBytes)));
        Math.addExact(Math.addExact(pagesOffset, Math.multiplyExact(pages, pageBytes)), StatePages.tableBytes(pages));
        statePages = pages == 0 ? StatePages.NONE : new TransformerPages(shape, this);
    }

    /** Whether a state has room for so many steps more, if it takes {@code contextTokens} of them; 0 for any number. */
    public static boolean hasRoom(final long stateAddress, final int contextTokens, final int stepCount) {
        return contextTokens == 0 || UnsafeApi.getLong(stateAddress + POSITION_OFFSET) <= contextTokens - stepCount;
    }

    /** What a step changes. */
    public Footprint footprint() {
        return new TransformerFootprint(shape, this);
    }

    /** The canonical part, and the table of pages. */
    public int stateBytes() {
        return tableOffset() + StatePages.tableBytes(pages);
    }

    public int canonicalBytes() {
        return pagesOffset + pages * pageBytes;
    }

    /** Of the table of pages. */
    int tableOffset() {
        return canonicalBytes();
    }

    /** Where pages stand, and which of them several sessions can have in common. */
    public StatePages statePages() {
        return statePages;
    }

    public int pages() {
        return pages;
    }

    public int pageBytes() {
        return pageBytes;
    }

    /** Where the first page begins; the others follow. */
    public int pagesOffset() {
        return pagesOffset;
    }

    /** Recent slot of a token; it has one if it is a sink or there is a window. */
    public int recentSlot(final long token) {
        return token < shape.sinks()
                ? (int) token
                : shape.sinks() + (int) ((token - shape.sinks()) % shape.window());
    }

    /** Coded slot of a token that is no sink; there must be coded tokens. */
    public int codedSlot(final long token) {
        return (int) ((token - shape.sinks()) % shape.codedTokens());
    }

    /** How many recent slots, from the first, hold a token that a step at this position attends to, its own too. */
    public int recentCount(final long position) {
        final int limit = shape.window() == 0 ? shape.sinks() : shape.recentTokens();
        return (int) Math.min(position + 1, limit);
    }

    /** How many coded slots, from the first, hold a token that a step at this position attends to. */
    public int codedCount(final long position) {
        return (int) Math.max(0, Math.min(position + 1 - shape.recentTokens(), shape.codedTokens()));
    }

    /** Planes of bytes that the integers of the window are in: 1 or 2. */
    public int planes() {
        return planes;
    }

    public int recentKeysOffset(final int layer, final int head, final int plane) {
        return HEADER_BYTES + part(layer, head) * planes * (recentKeysBytes + recentValuesBytes) +
                plane * recentKeysBytes;
    }

    public int recentValuesOffset(final int layer, final int head, final int plane) {
        return recentKeysOffset(layer, head, planes) + plane * recentValuesBytes;
    }

    /** Bytes of a block of recent keys: sixteen slots. */
    public int keyBlockBytes() {
        return KEY_LANES * shape.headSize();
    }

    /** Where the block of a recent slot's key begins, from its region's start. */
    public int keyBlockOffset(final int slot) {
        return slot / KEY_LANES * keyBlockBytes();
    }

    /** Bytes of a block of recent values: four slots. */
    public int valueBlockBytes() {
        return VALUE_LANES * shape.headSize();
    }

    /** Where the block of a recent slot's value begins, from its region's start. */
    public int valueBlockOffset(final int slot) {
        return slot / VALUE_LANES * valueBlockBytes();
    }

    /** Bytes of one layer's head in a page: its keys, then its values. */
    public int pagePartBytes() {
        return pageKeysBytes + pageValuesBytes;
    }

    /** From the page's start. */
    public int pageKeysOffset(final int layer, final int head) {
        return part(layer, head) * (pageKeysBytes + pageValuesBytes);
    }

    /** From the page's start. */
    public int pageValuesOffset(final int layer, final int head) {
        return pageKeysOffset(layer, head) + pageKeysBytes;
    }

    /** Of a key's code, from its region's start: the byte that holds it. */
    public int keyByte(final Codec codec, final int slot, final int code) {
        if (codec.isCoupled()) {
            return code * PAGE_SLOTS + slot;
        }
        final int blockSlots = KEY_LANES * Byte.SIZE / codec.bits();
        return slot / blockSlots * KEY_LANES * shape.headSize() + code / 4 * ALIGNMENT + slot % KEY_LANES * 4
                + code % 4;
    }

    /** Of a key's code: the lowest of its bits in the byte. */
    public int keyShift(final Codec codec, final int slot) {
        return shift(codec, slot, KEY_LANES);
    }

    /** Of a value's code, from its region's start: the byte that holds it. */
    public int valueByte(final Codec codec, final int slot, final int code) {
        if (codec.isCoupled()) {
            return code * PAGE_SLOTS + slot;
        }
        final int blockSlots = VALUE_LANES * Byte.SIZE / codec.bits();
        return slot / blockSlots * VALUE_LANES * shape.headSize() + code * VALUE_LANES + slot % VALUE_LANES;
    }

    /** Of a value's code: the lowest of its bits in the byte. */
    public int valueShift(final Codec codec, final int slot) {
        return shift(codec, slot, VALUE_LANES);
    }

    public Codec keys() {
        return keys;
    }

    public Codec values() {
        return values;
    }

    private static int shift(final Codec codec, final int slot, final int lanes) {
        return codec.isCoupled() ? 0 : slot / lanes % (Byte.SIZE / codec.bits()) * codec.bits();
    }

    private int part(final int layer, final int head) {
        return layer * shape.keyValueHeads() + head;
    }

    private static int align(final int bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    private static int divideUp(final int value, final int by) {
        return (value + by - 1) / by;
    }
}
