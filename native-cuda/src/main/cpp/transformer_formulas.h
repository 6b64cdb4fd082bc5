/*
 * Formulas of the transformer family over one number at a time, as the CPU and CUDA kernels have them in common;
 * appliance/TRANSFORMER.md has them in a step's order. As in exact.h each operation is rounded once.
 */
#ifndef TIERCEL_TRANSFORMER_FORMULAS_H
#define TIERCEL_TRANSFORMER_FORMULAS_H

#include <cmath>

#include "exact.h"

namespace tiercel {
namespace {

/** A vector whose largest magnitude is below this counts as zeros: its inverse could be infinite. */
constexpr float SMALLEST_MAGNITUDE = 0x1p-100f;
/** What a norm's integers go to. */
constexpr int NORM_MAXIMUM = 32767;
/** What a query's integers go to; with a window of 16 bits. */
constexpr int QUERY_MAXIMUM = 127;
constexpr int WIDE_QUERY_MAXIMUM = 16383;
/** What the integers of keys and values are held to; with a window of 16 bits. */
constexpr float ROW_MAXIMUM = 127.0f;
constexpr float WIDE_ROW_MAXIMUM = 32639.0f;
/** A weight of softmax is a whole number of 2^-15ths of the largest one. */
constexpr float WEIGHT_ONE = 0x1p15f;
constexpr float LOWEST_EXPONENT = -32.0f;

/** 1 / sqrt(mean square + epsilon), the sum of squares being of integers in units of largest / NORM_MAXIMUM. */
TIERCEL_INLINE float normFactor(float largest, int64_t sumOfSquares, int count, float epsilon) {
    const double unit = static_cast<double>(largest) / NORM_MAXIMUM;
    const double meanSquare = static_cast<double>(sumOfSquares) * (unit * unit) / count;
    return static_cast<float>(1.0 / std::sqrt(meanSquare + static_cast<double>(epsilon)));
}

/** Cosine and sine of a pair of channels at a position; circle is [256][cosine, sine]. See RotaryParameters.java. */
TIERCEL_INLINE void rotaryAngle(
    uint64_t step, const float* circle, int64_t position, float& cosineOf, float& sineOf) {
    const uint64_t phase = static_cast<uint64_t>(position) * step;
    const uint64_t entry = (phase + (uint64_t{1} << 55)) >> 56;
    const int64_t rest = static_cast<int64_t>(phase - (entry << 56));
    const float angle = static_cast<float>(static_cast<int32_t>(rest >> 32)) * 0x1.921fb6p-30f;
    const float square = angle * angle;
    const float cosineOfRest = (square * 0x1.555556p-5f - 0.5f) * square + 1.0f;
    const float sineOfRest = ((square * 0x1.111112p-7f - 0x1.555556p-3f) * square + 1.0f) * angle;
    const float cosine = circle[2 * entry];
    const float sine = circle[2 * entry + 1];
    cosineOf = cosine * cosineOfRest - sine * sineOfRest;
    sineOf = sine * cosineOfRest + cosine * sineOfRest;
}

/** rint(hold((x - mean) * (1 / scale), +-maximum)): a key's or value's channel as an integer. */
TIERCEL_INLINE int32_t rowInteger(float value, float mean, float inverseScale, float maximum) {
    return Exact<ScalarLanes>::quantise(value - mean, inverseScale, maximum);
}

/** The code of a channel's integer of 8 bits, uniform with steps; reciprocals are in units of 2^-16. */
TIERCEL_INLINE int32_t uniformCode(int32_t value, int32_t reciprocal, int bits) {
    const int32_t half = 1 << (bits - 1);
    const int32_t code = ((value * reciprocal) >> 16) + half;
    const int32_t held = code < 2 * half - 1 ? code : 2 * half - 1;
    return held > 0 ? held : 0;
}

}  // namespace
}  // namespace tiercel

#endif
