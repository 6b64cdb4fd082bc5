/* A slot's key or value in a region of a session's state, put there and taken out; TransformerStateLayout.java. */
#ifndef TIERCEL_TRANSFORMER_FIELDS_H
#define TIERCEL_TRANSFORMER_FIELDS_H

#include <cstring>

#include "transformer_shape.h"

namespace tiercel {
namespace {

/** A byte each channel, in fields of so many bits. */
TIERCEL_INLINE void putKeys(uint8_t* region, int bits, int slot, const int8_t* row, int channels) {
    uint8_t* block = region + TransformerStateView::keyBlock(bits, slot, channels);
    const int shift = TransformerStateView::keyShift(bits, slot);
    const uint32_t mask = ((1u << bits) - 1) << shift;
    for (int c = 0; bits == 8 && c < channels; c += 4) {
        std::memcpy(block + c / 4 * 64, row + c, 4);
    }
    for (int c = 0; bits < 8 && c < channels; c += 4) {
        uint32_t four;
        uint32_t there;
        std::memcpy(&four, row + c, sizeof four);
        std::memcpy(&there, block + c / 4 * 64, sizeof there);
        const uint32_t fourMasks = mask * 0x01010101u;
        there = (there & ~fourMasks) | ((four << shift) & fourMasks);
        std::memcpy(block + c / 4 * 64, &there, sizeof there);
    }
}

TIERCEL_INLINE void getKeys(const uint8_t* region, int bits, int slot, int8_t* row, int channels) {
    const uint8_t* block = region + TransformerStateView::keyBlock(bits, slot, channels);
    const int shift = TransformerStateView::keyShift(bits, slot);
    const uint32_t fourMasks = ((1u << bits) - 1) * 0x01010101u;
    for (int c = 0; c < channels; c += 4) {
        uint32_t four;
        std::memcpy(&four, block + c / 4 * 64, sizeof four);
        four = (four >> shift) & fourMasks;
        std::memcpy(row + c, &four, sizeof four);
    }
}

TIERCEL_INLINE void putValues(uint8_t* region, int bits, int slot, const int8_t* row, int channels) {
    uint8_t* block = region + TransformerStateView::valueBlock(bits, slot, channels);
    const int shift = TransformerStateView::valueShift(bits, slot);
    const unsigned mask = ((1u << bits) - 1) << shift;
    for (int c = 0; bits == 8 && c < channels; c++) {
        block[4 * c] = static_cast<uint8_t>(row[c]);
    }
    for (int c = 0; bits < 8 && c < channels; c++) {
        uint8_t& there = block[4 * c];
        there = static_cast<uint8_t>((there & ~mask) | ((static_cast<unsigned>(row[c]) << shift) & mask));
    }
}

TIERCEL_INLINE void getValues(const uint8_t* region, int bits, int slot, int8_t* row, int channels) {
    const uint8_t* block = region + TransformerStateView::valueBlock(bits, slot, channels);
    const int shift = TransformerStateView::valueShift(bits, slot);
    const unsigned mask = (1u << bits) - 1;
    for (int c = 0; c < channels; c++) {
        row[c] = static_cast<int8_t>((block[4 * c] >> shift) & mask);
    }
}

/** Codes of one head, to a slot of a page: a byte each code. */
TIERCEL_INLINE void putCoded(
    const CodecFormat& codec, uint8_t* region, int slot, const int8_t* codes, int channels, bool isKeys) {
    if (codec.isCoupled()) {
        for (int i = 0; i < codec.codesOf(channels); i++) {
            region[i * TransformerStateView::PAGE_SLOTS + slot] = static_cast<uint8_t>(codes[i]);
        }
    } else if (isKeys) {
        putKeys(region, codec.bits, slot, codes, channels);
    } else {
        putValues(region, codec.bits, slot, codes, channels);
    }
}

TIERCEL_INLINE void getCoded(
    const CodecFormat& codec, const uint8_t* region, int slot, int8_t* codes, int channels, bool isKeys) {
    if (codec.isCoupled()) {
        for (int i = 0; i < codec.codesOf(channels); i++) {
            codes[i] = static_cast<int8_t>(region[i * TransformerStateView::PAGE_SLOTS + slot]);
        }
    } else if (isKeys) {
        getKeys(region, codec.bits, slot, codes, channels);
    } else {
        getValues(region, codec.bits, slot, codes, channels);
    }
}

/** A page that other sessions have too is never written: before a token is coded, a copy of its page is made. */
TIERCEL_INLINE void ownPage(
    const TransformerShape& shape, const TransformerStateView& view, uint8_t* state, int64_t token) {
    if (!shape.hasCodes(token)) {
        return;
    }
    const int index = shape.codedSlot(token) / TransformerStateView::PAGE_SLOTS;
    uint8_t* const shared = view.table(state)[index];
    if (shared != nullptr) {
        std::memcpy(view.ownPage(state, index), shared, view.pageBytes);
        view.table(state)[index] = nullptr;
        __atomic_fetch_sub(reinterpret_cast<int64_t*>(shared - TransformerStateView::SHARED_HEADER_BYTES), 1,
                           __ATOMIC_RELEASE);
    }
}

}  // namespace
}  // namespace tiercel

#endif
