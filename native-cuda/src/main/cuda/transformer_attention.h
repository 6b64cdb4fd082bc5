/*
 * Attention of a token to what its session's cache holds, in three passes over a block's heads: scores of slots,
 * softmax's weights, sums of values. A thread takes a slot's score: of packed keys those of all slots whose fields share its
 * words. Four lanes share a channel's sum over slots.
 */
#ifndef TIERCEL_TRANSFORMER_ATTENTION_H
#define TIERCEL_TRANSFORMER_ATTENTION_H

#include "transformer_heads.h"

namespace tiercel {
namespace {

class TransformerAttention {
public:
    TIERCEL_DEVICE TransformerAttention(TransformerBlock& block, int layer, int64_t position)
        : block(block),
          shape(block.shape),
          of(block.of),
          heads(block.heads()),
          layer(layer),
          parameters(block.model.layer(layer)),
          reach(block.shape, position),
          channels(block.shape.headSize),
          headsPerKey(block.shape.heads / block.shape.keyValueHeads),
          scores(block.vector<float>(block.of.scores)),
          highWeights(block.vector<uint8_t>(block.of.highWeights)),
          lowWeights(block.vector<uint8_t>(block.of.lowWeights)) {}

    /** What attention puts out, [H d], of this block's heads; ends with the team's barrier. */
    TIERCEL_DEVICE void attend() {
        putScores();
        syncThreads();
        putWeights();
        syncThreads();
        putSums();
        if (shape.isRotated != 0) {
            syncThreads();
            transformHeads();
        }
        block.team.sync();
    }

private:
    static constexpr int SLOTS = TransformerStateView::PAGE_SLOTS;
    static constexpr int KEY_LANES = TransformerStateView::KEY_LANES;
    static constexpr int VALUE_LANES = TransformerStateView::VALUE_LANES;
    /** Lanes that share a sum over slots: as many lanes apart as let the others have 32 bytes side by side. */
    static constexpr int SUM_LANES = 4;
    static constexpr int SUM_DISTANCE = WARP_LANES / SUM_LANES;

    // Scores.

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

    TIERCEL_DEVICE const int8_t* codebook(const DeviceCodec& codec, int keyValueHead) const {
        return block.model.at<int8_t>(codec.codebook) +
               static_cast<int64_t>(keyValueHead) * channels * CodecFormat::ENTRIES;
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

    // Weights.

    /** weight = rint(2^15 exp2(score - largest)) of each slot of a head, by a warp. */
    TIERCEL_DEVICE void putWeights() {
        TIERCEL_UNROLL(1)
        for (int head = heads.first + warpIndex(); head < heads.first + heads.count; head += warpCount()) {
            const float largest = largestScore(head);
            const int64_t recent = weigh(head, 0, reach.recent, WARP_LANES, largest);
            const int64_t coded = weigh(head, of.codedFirst, reach.coded, SLOTS, largest);
            if (laneIndex() == 0) {
                block.shared<float>(of.inverseTotals)[head] =
                    static_cast<float>(1.0 / static_cast<double>(recent + coded));
                block.shared<int32_t>(of.codedTotals)[head] = static_cast<int32_t>(coded);
            }
        }
    }

    TIERCEL_DEVICE float largestScore(int head) const {
        const float* const recent = scores + head * of.slots;
        const float* const coded = recent + of.codedFirst;
        // Each lane begins with a score that is there.
        float largest = reach.recent > 0 ? recent[0] : coded[0];
        TIERCEL_UNROLL(1)
        for (int slot = laneIndex(); slot < reach.recent; slot += WARP_LANES) {
            largest = ScalarLanes::maximum(largest, recent[slot]);
        }
        TIERCEL_UNROLL(1)
        for (int slot = laneIndex(); slot < reach.coded; slot += WARP_LANES) {
            largest = ScalarLanes::maximum(largest, coded[slot]);
        }
        return reduceWarp(largest, [](float a, float b) { return ScalarLanes::maximum(a, b); });
    }

    /** Of count slots from one on, and zeros up to a multiple; returns the sum, at most 2^15 weights of 2^15. */
    TIERCEL_DEVICE int32_t weigh(int head, int first, int count, int multiple, float largest) {
        const int64_t at = static_cast<int64_t>(head) * of.slots + first;
        int32_t total = 0;
        TIERCEL_UNROLL(1)
        for (int slot = laneIndex(); slot < (count + multiple - 1) / multiple * multiple; slot += WARP_LANES) {
            int32_t weight = 0;
            if (slot < count) {
                const float exponent = ScalarLanes::maximum(LOWEST_EXPONENT, scores[at + slot] - largest);
                weight = ScalarLanes::rint(Scalar::exp2(exponent) * WEIGHT_ONE);
            }
            highWeights[at + slot] = static_cast<uint8_t>(weight >> 8);
            lowWeights[at + slot] = static_cast<uint8_t>(weight);
            total += weight;
        }
        return reduceWarp(total, [](int32_t a, int32_t b) { return a + b; });
    }

    // Sums of values.

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

    TransformerBlock& block;
    const TransformerShape& shape;
    const TransformerWorkspace& of;
    const HeadRange heads;
    const int layer;
    const DeviceLayer& parameters;
    const SlotsInReach reach;
    const int channels;
    const int headsPerKey;
    float* const scores;
    uint8_t* const highWeights;
    uint8_t* const lowWeights;
};

}  // namespace
}  // namespace tiercel

#endif
