/* The dense head over the last layer's hidden vector, and softmax over its integers, for one block. */
#ifndef TIERCEL_LSTM_HEAD_H
#define TIERCEL_LSTM_HEAD_H

#include "lstm_layer.h"

namespace tiercel {
namespace {

/** Lanes that share a row's columns. */
constexpr int HEAD_LANES = 8;

/** Row times vector, this lane's chunks, then all lanes'. */
template <bool INT4>
TIERCEL_DEVICE int32_t headSum(const LstmHeadView& head, int row, int lane, const uint32_t* vector) {
    const Words4* codes = reinterpret_cast<const Words4*>(head.packed) + row * head.chunks;
    int32_t sum = 0;
    TIERCEL_UNROLL(1)
    for (int chunk = lane; chunk < head.chunks; chunk += HEAD_LANES) {
        const Words4 some = codes[chunk];
        if constexpr (INT4) {
            const uint32_t* columns = vector + 8 * chunk;
            int32_t dot = sixteenfoldNibbleDot(some.x, columns[0], columns[1], 0);
            dot = sixteenfoldNibbleDot(some.y, columns[2], columns[3], dot);
            dot = sixteenfoldNibbleDot(some.z, columns[4], columns[5], dot);
            dot = sixteenfoldNibbleDot(some.w, columns[6], columns[7], dot);
            sum = addWrapping(sum, multiplyWrapping(dot >> 4, head.multipliers()[row * head.chunks + chunk]));
        } else {
            const uint32_t* columns = vector + 4 * chunk;
            sum = dp4a(some.x, columns[0], sum);
            sum = dp4a(some.y, columns[1], sum);
            sum = dp4a(some.z, columns[2], sum);
            sum = dp4a(some.w, columns[3], sum);
        }
    }
    for (int distance = 1; distance < HEAD_LANES; distance *= 2) {
        sum = addWrapping(sum, shuffleXor(sum, distance));
    }
    return sum;
}

/** y[outputs] in shared memory, by all threads of the block; to be read after the block has met. */
TIERCEL_DEVICE void headOutputs(const LstmView& model, const LstmHeadView& head, const uint32_t* vector, float* y) {
    const int rowsAtOnce = model.threads / HEAD_LANES;
    const int lane = threadIndex() % HEAD_LANES;
    // Whole warps go round, since they shuffle.
    TIERCEL_UNROLL(1)
    for (int base = 0; base < model.outputs; base += rowsAtOnce) {
        const int row = base + threadIndex() / HEAD_LANES;
        const int rowThere = row < model.outputs ? row : model.outputs - 1;
        const int32_t sum = model.isHeadInt4 ? headSum<true>(head, rowThere, lane, vector)
                                             : headSum<false>(head, rowThere, lane, vector);
        if (row < model.outputs && lane == 0) {
            y[row] = Scalar::scaled(sum, head.scales()[row], head.biases()[row]);
        }
    }
}

/** Of the first count lanes of a warp, or of all: the largest value, in each of them. */
TIERCEL_DEVICE float largestOfWarp(float value, int count) {
    for (int distance = 1; distance < WARP_LANES && distance < count; distance *= 2) {
        value = ScalarLanes::maximum(value, shuffle(value, (threadIndex() % WARP_LANES) ^ distance));
    }
    return value;
}

/** Likewise the sum. Other lanes than the first ones have what changes nothing, so it does not matter who is asked. */
TIERCEL_DEVICE int64_t sumOfWarp(int64_t value, int count) {
    for (int distance = 1; distance < WARP_LANES && distance < count; distance *= 2) {
        value += static_cast<int64_t>(
            shuffle(static_cast<uint64_t>(value), (threadIndex() % WARP_LANES) ^ distance));
    }
    return value;
}

/**
 * give(index, value) of each output, y or softmax over it, by the lanes of one warp. Softmax's largest value, its
 * integers and their sum are exact in any order.
 */
template <class Give>
TIERCEL_DEVICE void giveOutputs(const LstmView& model, const float* y, const Give& give) {
    const int lane = threadIndex() % WARP_LANES;
    if (!model.isSoftmax) {
        TIERCEL_UNROLL(1)
        for (int i = lane; i < model.outputs; i += WARP_LANES) {
            give(i, y[i]);
        }
        return;
    }
    // A lane's first output, of which most models have no second, stays where it is.
    const bool isThere = lane < model.outputs;
    float largest = y[isThere ? lane : 0];
    TIERCEL_UNROLL(1)
    for (int i = lane + WARP_LANES; i < model.outputs; i += WARP_LANES) {
        largest = ScalarLanes::maximum(largest, y[i]);
    }
    largest = largestOfWarp(largest, model.outputs);
    const int32_t term = isThere ? Scalar::softmaxTerm(y[lane], largest) : 0;
    int64_t sum = term;
    TIERCEL_UNROLL(1)
    for (int i = lane + WARP_LANES; i < model.outputs; i += WARP_LANES) {
        sum += Scalar::softmaxTerm(y[i], largest);
    }
    sum = sumOfWarp(sum, model.outputs);
    if (isThere) {
        give(lane, probabilityOf(term, sum));
    }
    TIERCEL_UNROLL(1)
    for (int i = lane + WARP_LANES; i < model.outputs; i += WARP_LANES) {
        give(i, probabilityOf(Scalar::softmaxTerm(y[i], largest), sum));
    }
}

}  // namespace
}  // namespace tiercel

#endif
