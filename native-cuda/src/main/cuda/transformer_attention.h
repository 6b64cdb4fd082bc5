/*
 * Attention of a token to what its session's cache holds, in three passes over a block's heads: scores of slots,
 * softmax's weights, sums of values.
 */
#ifndef TIERCEL_TRANSFORMER_ATTENTION_H
#define TIERCEL_TRANSFORMER_ATTENTION_H

#include "transformer_scores.h"
#include "transformer_sums.h"

namespace tiercel {
namespace {

class TransformerAttention : private AttentionView {
public:
    TIERCEL_DEVICE TransformerAttention(const TransformerBlock& block, int layer, int64_t position)
        : AttentionView(block, layer, position) {}

    /** What attention puts out, [H d], of this block's heads; ends with the team's barrier. */
    TIERCEL_DEVICE void attend() {
        AttentionScores(*this).putScores();
        syncThreads();
        putWeights();
        syncThreads();
        AttentionSums sums(*this);
        sums.putSums();
        if (shape.isRotated != 0) {
            syncThreads();
            sums.transformHeads();
        }
        block.team.sync();
    }

private:
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
};

}  // namespace
}  // namespace tiercel

#endif
