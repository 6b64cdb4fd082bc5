/* A model of the lstm family as the CPU and CUDA kernels have it in common: its sizes, its sessions' state, a batch. */
#ifndef TIERCEL_LSTM_SHAPE_H
#define TIERCEL_LSTM_SHAPE_H

#include <cstdint>

#include "exact.h"
#include "kernel_set.h"
#include "memory.h"
#include "packing.h"

namespace tiercel {

constexpr int MAX_LAYERS = 16;

struct LstmShape {
    int32_t layers;
    int32_t hidden;
    int32_t features;
    int32_t outputs;
    bool isInt4;
    bool isHeadInt4;
    bool isSoftmax;
    /** 127 or 32767. */
    int32_t featureMaximum;
};

/**
 * Where the parts of a session's state stand; ENGINE.md has the canonical part. Bytes from the state's start. Of
 * every native backend, so that a session may go from one to another as it is.
 */
struct LstmState {
    explicit LstmState(const LstmShape& shape)
        : cellBytes(toCacheLines(sizeof(float) * shape.hidden)),
          hiddenBytes(toCacheLines(shape.hidden)),
          aheadBytes(static_cast<int64_t>(divideUp(shape.hidden, BLOCK_UNITS)) * GATE_ROWS * sizeof(float)),
          canonicalBytes(shape.layers * (cellBytes + hiddenBytes)),
          bytes(canonicalBytes + shape.layers * aheadBytes) {}

    TIERCEL_INLINE int64_t cell(int layer) const { return layer * (cellBytes + hiddenBytes); }
    TIERCEL_INLINE int64_t hidden(int layer) const { return cell(layer) + cellBytes; }
    TIERCEL_INLINE int64_t ahead(int layer) const { return canonicalBytes + layer * aheadBytes; }

    int64_t cellBytes;
    int64_t hiddenBytes;
    int64_t aheadBytes;
    int64_t canonicalBytes;
    int64_t bytes;
};

/** A position of a batch, as it crosses the C interface: three addresses. */
struct BatchPosition {
    const float* features;
    uint8_t* state;
    float* outputs;
};

}  // namespace tiercel

#endif
