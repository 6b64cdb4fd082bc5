/*
 * A session's cache of keys and values: rows to integers, integers to codes, each to where it belongs in the state;
 * TransformerStateLayout.java has the layout.
 */
#ifndef TIERCEL_CACHE_KERNELS_H
#define TIERCEL_CACHE_KERNELS_H

#include "digest.h"
#include "transformer_fields.h"
#include "transformer_formulas.h"
#include "transformer_view.h"
#include "vectors.h"

namespace tiercel {
namespace {

template <class L>
struct CacheKernels {
    using Floats = typename L::Floats;
    using E = Exact<L>;

    static constexpr int SLOTS = TransformerStateView::PAGE_SLOTS;

    /** rint(hold((x - mean) * (1 / scale), +-127)). */
    static void toBytes(const CodecView& codec, const float* vector, int count, int8_t* row) {
        int i = 0;
        for (; i <= count - L::LANES; i += L::LANES) {
            const Floats apart = L::load(vector + i) - L::load(codec.means + i);
            L::store(row + i, L::rint(E::hold(apart * L::load(codec.inverseScales + i), ROW_MAXIMUM)));
        }
        for (; i < count; i++) {
            row[i] = static_cast<int8_t>(rowInteger(vector[i], codec.means[i], codec.inverseScales[i], ROW_MAXIMUM));
        }
    }

    /** The same of 16 bits, held to what two bytes are: 256 high + low. */
    static void toPlanes(const CodecView& codec, const float* vector, int count, int8_t* high, int8_t* low) {
        for (int i = 0; i < count; i++) {
            const int32_t value = rowInteger(vector[i], codec.means[i], codec.inverseScales[i], WIDE_ROW_MAXIMUM);
            low[i] = static_cast<int8_t>(value);
            high[i] = static_cast<int8_t>((value - low[i]) >> 8);
        }
    }

    /** A token's keys and values, which follow each other, to the rows of an item. */
    static void toRows(
        const TransformerView& model, const TransformerLayerView& layer, const float* keys, int8_t* rows) {
        const int count = model.shape.keyCount();
        if (model.shape.recentPlanes == 1) {
            toBytes(layer.keys, keys, count, rows);
            toBytes(layer.values, keys + count, count, rows + count);
        } else {
            toPlanes(layer.keys, keys, count, rows, rows + 2 * count);
            toPlanes(layer.values, keys + count, count, rows + count, rows + 3 * count);
        }
    }

    /** The codes of one head's channels, of which row has the bytes. */
    static void code(const CodecView& codec, int head, int channels, const int8_t* row, int8_t* codes) {
        if (codec.isCoupled()) {
            const int count = codec.codesOf(channels);
            for (int i = 0; i < count; i++) {
                codes[i] = nearest(codec, head * count + i, row + i * codec.channels);
            }
            return;
        }
        const int32_t* reciprocals = codec.hasSteps() ? codec.reciprocals + head * channels : nullptr;
        for (int c = 0; c < channels; c++) {
            if (reciprocals == nullptr) {
                codes[c] = row[c];
            } else {
                codes[c] = static_cast<int8_t>(uniformCode(row[c], reciprocals[c], codec.bits));
            }
        }
    }

    /** The entry with the least sum of squared differences; of equals the first. */
    static int8_t nearest(const CodecView& codec, int group, const int8_t* channels) {
        constexpr int ENTRIES = CodecFormat::ENTRIES;
        const int8_t* entries = codec.entries + static_cast<int64_t>(group) * codec.channels * ENTRIES;
        int32_t distances[ENTRIES] = {};
        for (int c = 0; c < codec.channels; c++, entries += ENTRIES) {
            const int16_t channel = channels[c];
            for (int j = 0; j < ENTRIES; j++) {
                // A square is at most 255 x 255, which 16 bits hold: twice as many of them are computed at once.
                const int16_t difference = static_cast<int16_t>(channel - entries[j]);
                distances[j] += static_cast<uint16_t>(difference * difference);
            }
        }
        // With the entry in the low bits, the least is the first of the least. Sums are below 2^19.
        int32_t least = INT32_MAX;
        for (int j = 0; j < ENTRIES; j++) {
            const int32_t candidate = distances[j] * ENTRIES + j;
            least = candidate < least ? candidate : least;
        }
        return static_cast<int8_t>(least & (ENTRIES - 1));
    }

    /** To be written, which only a page in the session's own place is. */
    static uint8_t* pageOf(const TransformerView& model, uint8_t* state, int slot) {
        return model.state.ownPage(state, slot / SLOTS);
    }

    /** Codes one head's key and value of a token, given as bytes, for good; returns the digest that takes them in. */
    static uint64_t codeHead(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, int64_t token,
        uint8_t* state, const int8_t* keyRow, const int8_t* valueRow, uint64_t digest) {
        const TransformerShape& shape = model.shape;
        const TransformerLayerView& of = model.layers[layer];
        const int channels = shape.headSize;
        const int slot = shape.codedSlot(token);
        uint8_t* page = pageOf(model, state, slot);
        code(of.keys, head, channels, keyRow, scratch.codes);
        putCoded(of.keys, page + model.state.pageKeys(layer, head), slot % SLOTS, scratch.codes, channels, true);
        digest = Digest::mix(digest, scratch.codes, of.keys.codesOf(channels));
        code(of.values, head, channels, valueRow, scratch.codes);
        putCoded(of.values, page + model.state.pageValues(layer, head), slot % SLOTS, scratch.codes, channels, false);
        return Digest::mix(digest, scratch.codes, of.values.codesOf(channels));
    }

    /** Codes a token that leaves the window, of one layer, from its bytes there. */
    static uint64_t codeRecent(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int64_t token, uint8_t* state,
        uint64_t digest) {
        const TransformerShape& shape = model.shape;
        const int slot = shape.recentSlot(token);
        int8_t keyRow[MAX_HEAD_SIZE];
        int8_t valueRow[MAX_HEAD_SIZE];
        for (int head = 0; head < shape.keyValueHeads; head++) {
            getKeys(state + model.state.recentKeys(layer, head, 0), 8, slot, keyRow, shape.headSize);
            getValues(state + model.state.recentValues(layer, head, 0), 8, slot, valueRow, shape.headSize);
            digest = codeHead(model, scratch, layer, head, token, state, keyRow, valueRow, digest);
        }
        return digest;
    }

    /**
     * Each four bytes, or one, of a layer that remember() writes for an item: visit(where, how many). In the same order
     * each time.
     */
    template <class Visit>
    static TIERCEL_INLINE void eachWritten(
        const TransformerView& model, int layer, const TransformerItem& item, const Visit& visit) {
        const TransformerShape& shape = model.shape;
        const TransformerLayerView& of = model.layers[layer];
        const int channels = shape.headSize;
        const bool isRecent = shape.window > 0 || item.position < shape.sinks;
        const int64_t token = item.position - shape.window;
        const bool isCoded = shape.window > 0 ? token >= item.codedTokens && shape.hasCodes(token) : !isRecent;
        for (int head = 0; head < shape.keyValueHeads; head++) {
            for (int plane = 0; isRecent && plane < shape.recentPlanes; plane++) {
                const int slot = shape.recentSlot(item.position);
                eachOfKeys(item.state + model.state.recentKeys(layer, head, plane), 8, slot, channels, visit);
                eachOfValues(item.state + model.state.recentValues(layer, head, plane), 8, slot, channels, visit);
            }
            if (isCoded) {
                const int slot = shape.codedSlot(token);
                uint8_t* page = pageOf(model, item.state, slot);
                eachOfCoded(of.keys, page + model.state.pageKeys(layer, head), slot % SLOTS, channels, true, visit);
                eachOfCoded(of.values, page + model.state.pageValues(layer, head), slot % SLOTS, channels, false, visit);
            }
        }
    }

    template <class Visit>
    static TIERCEL_INLINE void eachOfKeys(uint8_t* region, int bits, int slot, int channels, const Visit& visit) {
        uint8_t* block = region + TransformerStateView::keyBlock(bits, slot, channels);
        for (int c = 0; c < channels; c += 4) {
            visit(block + c / 4 * 64, 4);
        }
    }

    template <class Visit>
    static TIERCEL_INLINE void eachOfValues(uint8_t* region, int bits, int slot, int channels, const Visit& visit) {
        uint8_t* block = region + TransformerStateView::valueBlock(bits, slot, channels);
        for (int c = 0; c < channels; c++) {
            visit(block + 4 * c, 1);
        }
    }

    template <class Visit>
    static TIERCEL_INLINE void eachOfCoded(
        const CodecView& codec, uint8_t* region, int slot, int channels, bool isKeys, const Visit& visit) {
        if (codec.isCoupled()) {
            for (int i = 0; i < codec.codesOf(channels); i++) {
                visit(region + i * SLOTS + slot, 1);
            }
        } else if (isKeys) {
            eachOfKeys(region, codec.bits, slot, channels, visit);
        } else {
            eachOfValues(region, codec.bits, slot, channels, visit);
        }
    }

    /** Bytes of an item's undo of one layer. */
    static int undoBytes(const TransformerShape& shape) { return (2 * shape.recentPlanes + 2) * shape.keyCount(); }

    /** Puts the token's keys and values where they belong, after the token that they displace has been coded. */
    static void remember(
        const TransformerView& model, const TransformerScratch& scratch, int layer, TransformerItem& item) {
        const TransformerShape& shape = model.shape;
        const int channels = shape.headSize;
        const int64_t leaving = item.position - shape.window;
        if (item.undo != nullptr) {
            uint8_t* to = item.undo + layer * undoBytes(shape);
            eachWritten(model, layer, item, [&](const uint8_t* from, int count) TIERCEL_LAMBDA {
                std::memcpy(to, from, count);
                to += count;
            });
        }
        for (int plane = 0; plane < shape.recentPlanes; plane++) {
            item.rowDigest = Digest::mix(item.rowDigest, item.rows + 2 * plane * shape.keyCount(), 2 * shape.keyCount());
        }
        if (shape.window > 0 && leaving >= item.codedTokens) {
            item.isCoded = true;
            if (shape.hasCodes(leaving)) {
                item.codedDigest = codeRecent(model, scratch, layer, leaving, item.state, item.codedDigest);
            }
        }
        for (int head = 0; head < shape.keyValueHeads; head++) {
            const int8_t* keyRow = item.rows + head * channels;
            const int8_t* valueRow = keyRow + shape.keyCount();
            if (shape.window > 0 || item.position < shape.sinks) {
                const int slot = shape.recentSlot(item.position);
                for (int plane = 0; plane < shape.recentPlanes; plane++) {
                    const int64_t rows = 2 * plane * shape.keyCount();
                    putKeys(item.state + model.state.recentKeys(layer, head, plane), 8, slot, keyRow + rows, channels);
                    putValues(
                        item.state + model.state.recentValues(layer, head, plane), 8, slot, valueRow + rows, channels);
                }
            } else {
                item.codedDigest = codeHead(
                    model, scratch, layer, head, item.position, item.state, keyRow, valueRow, item.codedDigest);
            }
        }
    }
};

}  // namespace
}  // namespace tiercel

#endif
