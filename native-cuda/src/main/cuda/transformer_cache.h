/*
 * A token's keys and values on their way into a session's state: as integers where the window has them, and as codes
 * once it leaves that. TransformerStateLayout.java has the layout.
 */
#ifndef TIERCEL_TRANSFORMER_CACHE_H
#define TIERCEL_TRANSFORMER_CACHE_H

#include "transformer_block.h"

namespace tiercel {
namespace {

/** Where a channel of a slot's key or value of so many bits is, from its region's start. */
TIERCEL_DEVICE int fieldByte(bool isValues, int bits, int slot, int channels, int channel) {
    return isValues ? TransformerStateView::valueBlock(bits, slot, channels) + 4 * channel
                    : TransformerStateView::keyBlock(bits, slot, channels) + channel / 4 * 64 + channel % 4;
}

/** Of a region of a window: a plane of one head's keys or values. */
TIERCEL_DEVICE uint8_t* recentRegion(const TransformerBlock& block, int layer, int head, bool isValues, int plane) {
    const TransformerStateView& state = block.model.state;
    return block.state + (isValues ? state.recentValues(layer, head, plane) : state.recentKeys(layer, head, plane));
}

/** Of a page: one head's keys or values. */
TIERCEL_DEVICE uint8_t* codedRegion(const TransformerBlock& block, int layer, int head, bool isValues, int page) {
    const TransformerStateView& state = block.model.state;
    return state.ownPage(block.state, page) +
           (isValues ? state.pageValues(layer, head) : state.pageKeys(layer, head));
}

/**
 * The entry of a group's codebook with the least sum of squared differences, of equals the first: by a warp, in each
 * lane. channelOf(i) is the group's ith integer.
 */
template <class ChannelOf>
TIERCEL_DEVICE int32_t nearestEntry(const int8_t* codebook, int channels, const ChannelOf& channelOf) {
    int32_t least = INT32_MAX;
    TIERCEL_UNROLL(1)
    for (int entry = laneIndex(); entry < CodecFormat::ENTRIES; entry += WARP_LANES) {
        int32_t distance = 0;
        TIERCEL_UNROLL(1)
        for (int i = 0; i < channels; i++) {
            const int32_t difference = channelOf(i) - codebook[entry * channels + i];
            distance += difference * difference;
        }
        // With the entry in the low bits, the least is the first of the least. Sums are below 2^19.
        const int32_t candidate = distance * CodecFormat::ENTRIES + entry;
        least = candidate < least ? candidate : least;
    }
    least = reduceWarp(least, [](int32_t a, int32_t b) { return a < b ? a : b; });
    return least & (CodecFormat::ENTRIES - 1);
}

/** Codes one head's key or value, of which integerOf(channel) are the 8 bits, by a warp: to state and record. */
template <class IntegerOf>
TIERCEL_DEVICE void codeHead(
    const TransformerBlock& block, int layer, int head, bool isValues, int64_t token, const IntegerOf& integerOf) {
    const DeviceLayer& of = block.model.layer(layer);
    const DeviceCodec& codec = isValues ? of.values : of.keys;
    const int channels = block.shape.headSize;
    const int slot = block.shape.codedSlot(token) % TransformerStateView::PAGE_SLOTS;
    const int page = block.shape.codedSlot(token) / TransformerStateView::PAGE_SLOTS;
    uint8_t* const region = codedRegion(block, layer, head, isValues, page);
    uint8_t* const codes = block.record + block.model.record.codes(layer, head, isValues);
    if (codec.isCoupled()) {
        const int count = codec.codesOf(channels);
        TIERCEL_UNROLL(1)
        for (int i = 0; i < count; i++) {
            const int8_t* const codebook =
                block.model.at<int8_t>(codec.codebook) + (head * count + i) * CodecFormat::ENTRIES * codec.channels;
            const int32_t entry = nearestEntry(
                codebook, codec.channels, [&](int channel) { return integerOf(i * codec.channels + channel); });
            if (laneIndex() == 0) {
                codes[i] = static_cast<uint8_t>(entry);
                region[i * TransformerStateView::PAGE_SLOTS + slot] = static_cast<uint8_t>(entry);
            }
        }
        return;
    }
    const int shift = isValues ? TransformerStateView::valueShift(codec.bits, slot)
                               : TransformerStateView::keyShift(codec.bits, slot);
    const int mask = ((1 << codec.bits) - 1) << shift;
    TIERCEL_UNROLL(1)
    for (int c = laneIndex(); c < channels; c += WARP_LANES) {
        const int32_t integer = integerOf(c);
        const int32_t code =
            codec.hasSteps()
                ? uniformCode(integer, block.model.at<int32_t>(codec.reciprocals)[head * channels + c], codec.bits)
                : integer;
        codes[c] = static_cast<uint8_t>(code);
        uint8_t& there = region[fieldByte(isValues, codec.bits, slot, channels, c)];
        there = static_cast<uint8_t>((there & ~mask) | (static_cast<int>(static_cast<uint8_t>(code)) << shift & mask));
    }
}

/**
 * Without a window: codes this block's heads of the token's row of a layer, which stands in the record; a barrier has to
 * come first.
 */
TIERCEL_DEVICE void codeRow(const TransformerBlock& block, int layer, int64_t token) {
    const HeadRange heads = block.heads();
    const int8_t* const row = reinterpret_cast<const int8_t*>(block.record + block.model.record.row(layer, 0));
    TIERCEL_UNROLL(1)
    for (int task = warpIndex(); task < 2 * heads.keys; task += warpCount()) {
        // In the row keys of all heads come before values.
        const bool isValues = task >= heads.keys;
        const int head = heads.firstKey + task % heads.keys;
        const int8_t* const integers = row + (isValues ? block.shape.keyCount() : 0) + head * block.shape.headSize;
        codeHead(block, layer, head, isValues, token, [&](int channel) { return integers[channel]; });
    }
}

/** Codes a token of the window, of all layers, from its integers there. */
TIERCEL_DEVICE void codeRecent(const TransformerBlock& block, int64_t token) {
    const int heads = block.shape.keyValueHeads;
    const int channels = block.shape.headSize;
    const int slot = block.shape.recentSlot(token);
    TIERCEL_UNROLL(1)
    for (int task = block.firstTask(); task < 2 * heads * block.shape.layers; task += block.taskStride()) {
        const int layer = task / (2 * heads);
        const bool isValues = task % 2 == 1;
        const int head = task / 2 % heads;
        const uint8_t* const region = recentRegion(block, layer, head, isValues, 0);
        codeHead(block, layer, head, isValues, token, [&](int channel) {
            return static_cast<int8_t>(region[fieldByte(isValues, 8, slot, channels, channel)]);
        });
    }
}

}  // namespace
}  // namespace tiercel

#endif
