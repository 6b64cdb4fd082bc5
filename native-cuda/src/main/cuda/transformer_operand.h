/* A vector of floats on its way into an operand: RMSNorm, and integers in units of the largest magnitude. */
#ifndef TIERCEL_TRANSFORMER_OPERAND_H
#define TIERCEL_TRANSFORMER_OPERAND_H

#include "transformer_block.h"

namespace tiercel {
namespace {

/** The integer vector of a product. */
struct Operand {
    const uint32_t* words;
    /** Of a plane. */
    int32_t planeWords;
    int32_t planes;
    float scale;
};

/** integerOf(i) of count columns to a plane or three of digits, zeros behind them; to be read after a barrier. */
template <class IntegerOf>
TIERCEL_DEVICE void putOperand(uint32_t* to, int planeWords, int planes, int count, const IntegerOf& integerOf) {
    eachOf(planeWords, [&](int word) {
        uint32_t words[DIGITS] = {};
        for (int i = 0; i < 4; i++) {
            const int32_t x = 4 * word + i < count ? integerOf(4 * word + i) : 0;
            TIERCEL_UNROLL(3)
            for (int plane = 0; plane < DIGITS; plane++) {
                const int32_t of = planes == 1 ? x : digit(x, plane);
                words[plane] |= (static_cast<uint32_t>(of) & 255) << (8 * i);
            }
        }
        TIERCEL_UNROLL(3)
        for (int plane = 0; plane < DIGITS; plane++) {
            if (plane < planes) {
                to[plane * planeWords + word] = words[plane];
            }
        }
    });
}

/** The largest magnitude of count values, in each thread. */
template <class ValueOf>
TIERCEL_DEVICE float largestMagnitude(TransformerBlock& block, int count, const ValueOf& valueOf) {
    float largest = 0;
    eachOf(count, [&](int i) { largest = ScalarLanes::maximum(largest, std::fabs(valueOf(i))); });
    return block.reduction.largest(largest);
}

/** q = rint(v * (maximum / m)), m the largest magnitude; the operand's scale is m / maximum. */
template <class ValueOf>
TIERCEL_DEVICE Operand quantise(
    TransformerBlock& block, int count, const ValueOf& valueOf, int32_t offset, int planeWords) {
    const float largest = largestMagnitude(block, count, valueOf);
    const bool isNothing = largest < SMALLEST_MAGNITUDE;
    const float maximum = static_cast<float>(block.shape.activationMaximum);
    const float inverse = isNothing ? 0.0f : maximum / largest;
    uint32_t* const to = block.shared<uint32_t>(offset);
    const int planes = block.model.activationPlanes();
    putOperand(to, planeWords, planes, count, [&](int i) { return ScalarLanes::rint(valueOf(i) * inverse); });
    syncThreads();
    return {to, planeWords, planes, isNothing ? 0.0f : largest / maximum};
}

/** Of attention's or a feed-forward layer's output. */
template <class ValueOf>
TIERCEL_DEVICE Operand quantiseWide(TransformerBlock& block, int count, const ValueOf& valueOf) {
    return quantise(block, count, valueOf, block.of.wideOperand, block.of.wideWords);
}

/** What (v * factor) * weight of the residual stream is as an operand; each thread has written what it reads of it. */
TIERCEL_DEVICE Operand normalise(TransformerBlock& block, int64_t norm) {
    const int count = block.shape.dimension;
    const float* const residual = block.residual();
    const float* const weights = block.model.at<float>(norm);
    const float largest = largestMagnitude(block, count, [&](int i) { return residual[i]; });
    int64_t sum = 0;
    if (largest >= SMALLEST_MAGNITUDE) {
        const float inverse = static_cast<float>(NORM_MAXIMUM) / largest;
        eachOf(count, [&](int i) {
            const int64_t q = ScalarLanes::rint(residual[i] * inverse);
            sum += q * q;
        });
    }
    sum = block.reduction.sum(sum);
    float* const factor = block.shared<float>(block.of.factor);
    if (threadIndex() == 0) {
        // Division and root of doubles, of which some GPUs have few units.
        *factor = normFactor(largest, sum, count, block.model.numbers.normEpsilon);
    }
    syncThreads();
    const float by = *factor;
    return quantise(
        block, count, [&](int i) { return residual[i] * by * weights[i]; }, block.of.narrowOperand,
        block.of.narrowWords);
}

/** The residual stream takes up a change. */
TIERCEL_DEVICE void addToResidual(TransformerBlock& block, const float* change) {
    float* const residual = block.residual();
    eachOf(block.shape.dimension, [&](int i) { residual[i] = residual[i] + change[i]; });
}

}  // namespace
}  // namespace tiercel

#endif
