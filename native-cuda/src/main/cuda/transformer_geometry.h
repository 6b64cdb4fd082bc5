/* How many threads a transformer's block has on a GPU, and in which memory it computes. */
#ifndef TIERCEL_TRANSFORMER_GEOMETRY_H
#define TIERCEL_TRANSFORMER_GEOMETRY_H

#include <algorithm>

#include "transformer_device.h"

namespace tiercel {

constexpr int LEAST_TRANSFORMER_THREADS = 64;

/** A thread for each row of the widest matrix of a layer, in whole warps, up to the most: rows of few have more lanes. */
inline int32_t transformerThreads(const TransformerShape& shape) {
    const int rows = std::max({shape.dimension, shape.projectedCount(), 2 * shape.hidden});
    const int threads = divideUp(rows, TILE_LANES) * TILE_LANES;
    return std::min(std::max(threads, LEAST_TRANSFORMER_THREADS), TRANSFORMER_THREADS);
}

/** Vectors are in shared memory where a block can have that much; else each position has its own in global memory. */
struct TransformerMemory {
    TransformerMemory(const TransformerWorkspace& of, int32_t mostSharedBytes) {
        const bool areVectorsShared = of.sharedBytes + of.vectorBytes <= mostSharedBytes;
        const bool fits = of.sharedBytes <= mostSharedBytes;
        sharedBytes = !fits ? 0 : of.sharedBytes + (areVectorsShared ? of.vectorBytes : 0);
        vectorBytes = areVectorsShared ? 0 : of.vectorBytes;
    }

    /** 0 where not even the rest fits. */
    int64_t sharedBytes;
    int64_t vectorBytes;
};

}  // namespace tiercel

#endif
