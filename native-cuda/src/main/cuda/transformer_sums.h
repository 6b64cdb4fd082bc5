/*
 * Sums of values: softmax's weights times what the slots in reach hold of a channel, and back to floats. Four lanes
 * share a channel's sum over slots.
 */
#ifndef TIERCEL_TRANSFORMER_SUMS_H
#define TIERCEL_TRANSFORMER_SUMS_H

#include "transformer_attention_view.h"

namespace tiercel {
namespace {

class AttentionSums : private AttentionView {
public:
    TIERCEL_DEVICE explicit AttentionSums(const AttentionView& view) : AttentionView(view) {}

    /** What attention puts out, [H d], of this block's heads, to be read after a barrier. */
    TIERCEL_DEVICE void putSums() {
        switch (parameters.values.channels) {
            case 1: break;
            case 2: return putSums<8, 2>();
            case 4: return putSums<8, 4>();
            default: return putSums<8, 8>();
        }
        switch (parameters.values.bits) {
            case 8: return putSums<8, 1>();
            case 4: return putSums<4, 1>();
            case 2: return putSums<2, 1>();
            default: return putSums<1, 1>();
        }
    }

    /** Back from the space that values were rotated to. */
    TIERCEL_DEVICE void transformHeads() const {
        TIERCEL_UNROLL(1)
        for (int index = heads.first + warpIndex(); index < heads.first + heads.count; index += warpCount()) {
            float* const at = block.common<float>(of.attended) + index * channels;
            HeadLanes head(channels);
            head.load(at);
            head.transform(block.model.numbers.rotationScale);
            head.each([&](int i, int channel) { at[channel] = head.values[i]; });
        }
    }

private:
    static constexpr int VALUE_LANES = TransformerStateView::VALUE_LANES;
    /** Lanes that share a sum over slots: as many lanes apart as let the others have 32 bytes side by side. */
    static constexpr int SUM_LANES = 4;
    static constexpr int SUM_DISTANCE = WARP_LANES / SUM_LANES;

    /** Of two bytes' products: at most 2^15 tokens, weights' bytes and codes make 2^30. */
    struct ByteSums {
        int32_t high = 0;
        int32_t low = 0;

        /** Four slots. */
        TIERCEL_DEVICE void add(uint32_t highWeights, uint32_t lowWeights, uint32_t codes) {
            high = dp4aUnsigned(highWeights, codes, high);
            low = dp4aUnsigned(lowWeights, codes, low);
        }
        /** Over the lanes that share it. */
        TIERCEL_DEVICE int64_t total() const {
            int32_t highs = high;
            int32_t lows = low;
            for (int distance = SUM_DISTANCE; distance < WARP_LANES; distance *= 2) {
                highs += shuffleXor(highs, distance);
                lows += shuffleXor(lows, distance);
            }
            return 256 * static_cast<int64_t>(highs) + lows;
        }
    };

    /** Channels of a head by groups that share a code. */
    template <int BITS, int CHANNELS>
    TIERCEL_DEVICE void putSums() {
        const int groups = channels / CHANNELS;
        const int count = heads.count * groups;
        const int part = laneIndex() / SUM_DISTANCE;
        // Whole warps go round, since they shuffle.
        TIERCEL_UNROLL(1)
        for (int base = warpIndex() * SUM_DISTANCE; base < count; base += warpCount() * SUM_DISTANCE) {
            const int task = base + laneIndex() % SUM_DISTANCE;
            const int there = task < count ? task : count - 1;
            const int head = heads.first + there / groups;
            const int first = there % groups * CHANNELS;
            int64_t recent[CHANNELS] = {};
            TIERCEL_UNROLL(1)
            for (int plane = 0; plane < shape.recentPlanes; plane++) {
                ByteSums sums[CHANNELS];
                addRecent<CHANNELS>(head, first, plane, part, sums);
                TIERCEL_UNROLL(8)
                for (int i = 0; i < CHANNELS; i++) {
                    recent[i] = 256 * recent[i] + sums[i].total();
                }
            }
            ByteSums sums[CHANNELS];
            if constexpr (CHANNELS == 1) {
                addUniform<BITS>(head, first, part, sums[0]);
            } else {
                addCoupled<CHANNELS>(head, first, part, sums);
            }
            TIERCEL_UNROLL(8)
            for (int i = 0; i < CHANNELS; i++) {
                const int64_t coded = sums[i].total();
                if (task < count && part == 0) {
                    putAttended(head, first + i, recent[i], coded);
                }
            }
        }
    }

    TIERCEL_DEVICE const uint32_t* weightWords(const uint8_t* weights, int head, int first) const {
        return reinterpret_cast<const uint32_t*>(weights + static_cast<int64_t>(head) * of.slots + first);
    }

    template <int CHANNELS>
    TIERCEL_DEVICE void addRecent(int head, int first, int plane, int part, ByteSums (&sums)[CHANNELS]) const {
        const uint32_t* const values =
            reinterpret_cast<const uint32_t*>(recentRegion(block, layer, head / headsPerKey, true, plane)) + first;
        const uint32_t* const high = weightWords(highWeights, head, 0);
        const uint32_t* const low = weightWords(lowWeights, head, 0);
        TIERCEL_UNROLL(2)
        for (int four = part; four < (reach.recent + VALUE_LANES - 1) / VALUE_LANES; four += SUM_LANES) {
            TIERCEL_UNROLL(8)
            for (int i = 0; i < CHANNELS; i++) {
                sums[i].add(high[four], low[four], values[four * channels + i]);
            }
        }
    }

    template <int BITS>
    TIERCEL_DEVICE void addUniform(int head, int channel, int part, ByteSums& sums) const {
        constexpr int FIELDS = 8 / BITS;
        constexpr int BLOCK_SLOTS = VALUE_LANES * FIELDS;
        constexpr uint32_t MASK = BITS == 8 ? 0xFFFFFFFFu : ((1u << BITS) - 1) * 0x01010101u;
        const uint32_t* const high = weightWords(highWeights, head, of.codedFirst);
        const uint32_t* const low = weightWords(lowWeights, head, of.codedFirst);
        TIERCEL_UNROLL(2)
        for (int at = part; at < (reach.coded + BLOCK_SLOTS - 1) / BLOCK_SLOTS; at += SUM_LANES) {
            const int slot = at * BLOCK_SLOTS;
            const uint32_t fields = reinterpret_cast<const uint32_t*>(
                codedRegion(block, layer, head / headsPerKey, true, slot / SLOTS) +
                TransformerStateView::valueBlock(BITS, slot % SLOTS, channels))[channel];
            TIERCEL_UNROLL(8)
            for (int field = 0; field < FIELDS; field++) {
                sums.add(high[at * FIELDS + field], low[at * FIELDS + field], fields >> (BITS * field) & MASK);
            }
        }
    }

    template <int CHANNELS>
    TIERCEL_DEVICE void addCoupled(int head, int first, int part, ByteSums (&sums)[CHANNELS]) const {
        const int group = first / CHANNELS;
        const int8_t* const entries =
            codebook(parameters.values, head / headsPerKey) + group * CodecFormat::ENTRIES * CHANNELS;
        const int64_t at = static_cast<int64_t>(head) * of.slots + of.codedFirst;
        TIERCEL_UNROLL(2)
        for (int slot = part; slot < reach.coded; slot += SUM_LANES) {
            const uint8_t code =
                codedRegion(block, layer, head / headsPerKey, true, slot / SLOTS)[group * SLOTS + slot % SLOTS];
            const int32_t high = highWeights[at + slot];
            const int32_t low = lowWeights[at + slot];
            TIERCEL_UNROLL(8)
            for (int i = 0; i < CHANNELS; i++) {
                sums[i].high += high * entries[code * CHANNELS + i];
                sums[i].low += low * entries[code * CHANNELS + i];
            }
        }
    }

    TIERCEL_DEVICE void putAttended(int head, int channel, int64_t recent, int64_t coded) const {
        const DeviceTransformer& model = block.model;
        const DeviceCodec& codec = parameters.values;
        const int index = head / headsPerKey * channels + channel;
        const float inverse = block.shared<float>(of.inverseTotals)[head];
        const float scale = inverse * model.at<float>(codec.scales)[index];
        float sum;
        if (codec.hasSteps()) {
            const int64_t codes =
                2 * coded - static_cast<int64_t>(codec.offset()) * block.shared<int32_t>(of.codedTotals)[head];
            sum = static_cast<float>(recent) * scale +
                  static_cast<float>(codes) * (inverse * model.at<float>(codec.steps)[index]);
        } else {
            sum = static_cast<float>(recent + coded) * scale;
        }
        block.common<float>(of.attended)[head * channels + channel] = sum + model.at<float>(codec.means)[index];
    }
};

}  // namespace
}  // namespace tiercel

#endif
