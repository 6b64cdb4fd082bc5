/*
 * Scores of slots: a head's query times the keys that it reaches. A thread takes a slot's; of packed keys those of all
 * slots whose fields share its words.
 */
#ifndef TIERCEL_TRANSFORMER_SCORES_H
#define TIERCEL_TRANSFORMER_SCORES_H

#include "transformer_attention_view.h"

namespace tiercel {
namespace {

class AttentionScores : private AttentionView {
public:
    TIERCEL_DEVICE explicit AttentionScores(const AttentionView& view) : AttentionView(view) {}

    /** Of this block's heads, to be read after a barrier. */
    TIERCEL_DEVICE void putScores() {
        if (shape.recentPlanes > 1) {
            putWideScores();
            return;
        }
        putRecentScores();
        switch (parameters.keys.channels) {
            case 1: return putUniformScores();
            case 2: return putCoupledScores<2>();
            case 4: return putCoupledScores<4>();
            default: return putCoupledScores<8>();
        }
    }

private:
    static constexpr int KEY_LANES = TransformerStateView::KEY_LANES;

    /** A head's query of a set, four channels a word. */
    TIERCEL_DEVICE const uint32_t* query(int set, int head) const {
        return block.shared<uint32_t>(of.queries) + (set * shape.heads + head) * (channels / 4);
    }
    TIERCEL_DEVICE float queryScale(int set, int head) const {
        return block.shared<float>(of.queryScales)[set * shape.heads + head];
    }
    /** A key's first word; its others are KEY_LANES words apart each. */
    TIERCEL_DEVICE const uint32_t* recentKey(int head, int slot, int plane) const {
        return reinterpret_cast<const uint32_t*>(
            recentRegion(block, layer, head / headsPerKey, false, plane) +
            TransformerStateView::keyBlock(8, slot, channels));
    }
    TIERCEL_DEVICE int32_t keyDot(const uint32_t* key, const uint32_t* query) const {
        int32_t sum = 0;
        TIERCEL_UNROLL(4)
        for (int i = 0; i < channels / 4; i++) {
            sum = dp4a(key[KEY_LANES * i], query[i], sum);
        }
        return sum;
    }

    TIERCEL_DEVICE void putRecentScores() {
        eachOf(heads.count * reach.recent, [&](int task) {
            const int head = heads.first + task / reach.recent;
            const int slot = task % reach.recent;
            const int32_t sum = keyDot(recentKey(head, slot, 0), query(0, head));
            scores[head * of.slots + slot] = static_cast<float>(sum) * queryScale(0, head);
        });
    }

    /** Of a window of 16 bits, which is all there is: (d0 + 2^7 d1) . (2^8 high + low). */
    TIERCEL_DEVICE void putWideScores() {
        eachOf(heads.count * reach.recent, [&](int task) {
            const int head = heads.first + task / reach.recent;
            const int slot = task % reach.recent;
            const uint32_t* const high = recentKey(head, slot, 0);
            const uint32_t* const low = recentKey(head, slot, 1);
            const int64_t ofHigh =
                keyDot(high, query(0, head)) + (1 << DIGIT_BITS) * static_cast<int64_t>(keyDot(high, query(1, head)));
            const int64_t ofLow =
                keyDot(low, query(0, head)) + (1 << DIGIT_BITS) * static_cast<int64_t>(keyDot(low, query(1, head)));
            scores[head * of.slots + slot] = static_cast<float>(256 * ofHigh + ofLow) * queryScale(0, head);
        });
    }

    TIERCEL_DEVICE void putUniformScores() {
        switch (parameters.keys.bits) {
            case 8: return putUniformScores<8>();
            case 4: return putUniformScores<4>();
            case 2: return putUniformScores<2>();
            default: return putUniformScores<1>();
        }
    }

    /** A thread takes as many slots as a byte has fields. */
    template <int BITS>
    TIERCEL_DEVICE void putUniformScores() {
        constexpr int FIELDS = 8 / BITS;
        constexpr uint32_t MASK = BITS == 8 ? 0xFFFFFFFFu : ((1u << BITS) - 1) * 0x01010101u;
        constexpr int SET = BITS == 8 ? 0 : 1;
        const int blocks = (reach.coded + KEY_LANES * FIELDS - 1) / (KEY_LANES * FIELDS);
        eachOf(heads.count * blocks * KEY_LANES, [&](int task) {
            const int head = heads.first + task / (blocks * KEY_LANES);
            const int lane = task % KEY_LANES;
            const int first = task / KEY_LANES % blocks * (KEY_LANES * FIELDS) + lane;
            const uint32_t* const key = reinterpret_cast<const uint32_t*>(
                codedRegion(block, layer, head / headsPerKey, false, first / SLOTS) +
                TransformerStateView::keyBlock(BITS, first % SLOTS, channels));
            const uint32_t* const words = query(SET, head);
            int32_t sums[FIELDS] = {};
            TIERCEL_UNROLL(2)
            for (int i = 0; i < channels / 4; i++) {
                const uint32_t fields = key[KEY_LANES * i];
                TIERCEL_UNROLL(8)
                for (int field = 0; field < FIELDS; field++) {
                    sums[field] = dp4a(fields >> (BITS * field) & MASK, words[i], sums[field]);
                }
            }
            const float scale = queryScale(SET, head);
            const int32_t offset = BITS == 8 ? 0 : parameters.keys.offset() * block.shared<int32_t>(of.querySums)[head];
            TIERCEL_UNROLL(8)
            for (int field = 0; field < FIELDS; field++) {
                const int slot = first + KEY_LANES * field;
                if (slot < reach.coded) {
                    const int32_t sum = BITS == 8 ? sums[field] : 2 * sums[field] - offset;
                    scores[head * of.slots + of.codedFirst + slot] = static_cast<float>(sum) * scale;
                }
            }
        });
    }

    /** Entries of the codebook times the query's channels of their group. */
    template <int CHANNELS>
    TIERCEL_DEVICE void putCoupledScores() {
        eachOf(heads.count * reach.coded, [&](int task) {
            const int head = heads.first + task / reach.coded;
            const int slot = task % reach.coded;
            const int8_t* const entries = codebook(parameters.keys, head / headsPerKey);
            const uint8_t* const codes =
                codedRegion(block, layer, head / headsPerKey, false, slot / SLOTS) + slot % SLOTS;
            const int8_t* const channel = reinterpret_cast<const int8_t*>(query(0, head));
            int32_t sum = 0;
            TIERCEL_UNROLL(4)
            for (int group = 0; group < channels / CHANNELS; group++) {
                const int8_t* const entry =
                    entries + (group * CodecFormat::ENTRIES + codes[group * SLOTS]) * CHANNELS;
                sum += entryDot<CHANNELS>(entry, channel + group * CHANNELS);
            }
            scores[head * of.slots + of.codedFirst + slot] = static_cast<float>(sum) * queryScale(0, head);
        });
    }

    template <int CHANNELS>
    static TIERCEL_DEVICE int32_t entryDot(const int8_t* entry, const int8_t* query) {
        if constexpr (CHANNELS == 2) {
            return entry[0] * query[0] + entry[1] * query[1];
        } else {
            int32_t sum = 0;
            TIERCEL_UNROLL(2)
            for (int i = 0; i < CHANNELS / 4; i++) {
                const uint32_t channels = reinterpret_cast<const uint32_t*>(query)[i];
                sum = dp4a(reinterpret_cast<const uint32_t*>(entry)[i], channels, sum);
            }
            return sum;
        }
    }
};

}  // namespace
}  // namespace tiercel

#endif
