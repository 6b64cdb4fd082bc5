/* The largest of many values, the largest first, of equals the lower index; and softmax's integers. */
#ifndef TIERCEL_TRANSFORMER_RANKING_H
#define TIERCEL_TRANSFORMER_RANKING_H

#include "transformer_block.h"

namespace tiercel {
namespace {

/** Grows with the value, and of equal ones with falling index. Zeros of either sign are equal. */
TIERCEL_DEVICE uint64_t rankKey(float value, int index) {
    const float unsignedZero = value + 0.0f;
    uint32_t bits;
    std::memcpy(&bits, &unsignedZero, sizeof bits);
    const uint32_t ordered = (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
    return static_cast<uint64_t>(ordered) << 32 | (0xFFFFFFFFu - static_cast<uint32_t>(index));
}

/** ranked[0..count) of finite values, by all threads, which look at all of them once a rank; to be read after a barrier. */
TIERCEL_DEVICE void rank(TransformerBlock& block, const float* values, int valueCount, int count, int32_t* ranked) {
    uint64_t before = UINT64_MAX;
    TIERCEL_UNROLL(1)
    for (int i = 0; i < count; i++) {
        uint64_t best = 0;
        eachOf(valueCount, [&](int index) {
            const uint64_t key = rankKey(values[index], index);
            best = key < before && key > best ? key : best;
        });
        before = block.reduction.largest(best);
        if (threadIndex() == 0) {
            ranked[i] = static_cast<int32_t>(0xFFFFFFFFu - static_cast<uint32_t>(before));
        }
    }
}

/** The sum of softmax's integers of count values, in each thread: exact in any order. */
TIERCEL_DEVICE int64_t sumOfTerms(TransformerBlock& block, const float* values, float largest, int count) {
    int64_t sum = 0;
    eachOf(count, [&](int i) { sum += Scalar::softmaxTerm(values[i], largest); });
    return block.reduction.sum(sum);
}

}  // namespace
}  // namespace tiercel

#endif
