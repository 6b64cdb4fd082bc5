/* How a model's units are shared out on a GPU. */
#ifndef TIERCEL_LSTM_GEOMETRY_H
#define TIERCEL_LSTM_GEOMETRY_H

#include <vector>

#include "lstm_link.h"

namespace tiercel {

/** What a GPU has for a persistent kernel: shared memory of a block, and blocks that are there at once. */
struct DeviceLimits {
    int32_t sharedBytes;
    int32_t multiprocessors;
};

/** Of a block: more registers are left for each thread, and one whole model still fits. */
constexpr int32_t MOST_THREADS = 512;

/** Of a cluster: what every GPU allows that has clusters. */
constexpr int32_t MOST_CLUSTER_BLOCKS = 8;

/** A block of one pass with that many units. */
inline LstmGeometry onePass(int32_t units, int32_t lanesPerUnit) {
    const int32_t whole = lanesPerUnit == 4 ? 32 : 4 * lanesPerUnit;
    return {units, lanesPerUnit, divideUp(units * lanesPerUnit, whole) * whole};
}

/** Whether a persistent kernel does. */
inline bool fits(const LstmShape& shape, const LstmGeometry& geometry, const DeviceLimits& limits) {
    const LstmView view(shape, geometry);
    return geometry.threads <= MOST_THREADS && view.slices <= limits.multiprocessors &&
           persistentBytes(view) <= limits.sharedBytes;
}

/**
 * The first that fits of those that were the fastest on an H200, where each was for its size: the whole model in a
 * block (2x96), slices of 32 units by 4 lanes (3x160), of 8 by 32 (4x736); between and after them what takes less
 * shared memory a block. False if none fits.
 */
inline bool chooseGeometry(const LstmShape& shape, const DeviceLimits& limits, LstmGeometry& chosen) {
    const LstmGeometry candidates[] = {
        onePass((shape.hidden + 3) / 4 * 4, 4), onePass(32, 4), onePass(16, 8), onePass(8, 32), onePass(4, 32)};
    for (const LstmGeometry& candidate : candidates) {
        if (fits(shape, candidate, limits)) {
            chosen = candidate;
            return true;
        }
    }
    return false;
}

/**
 * Those that fit of a persistent kernel whose blocks are a cluster, the one with the most blocks first. Which of them
 * is the fastest, and whether any is faster than chooseGeometry's, is for a GPU to say.
 */
inline std::vector<LstmGeometry> clusterGeometries(const LstmShape& shape, const DeviceLimits& limits) {
    std::vector<LstmGeometry> fitting;
    for (int32_t blocks = MOST_CLUSTER_BLOCKS; blocks > 1; blocks /= 2) {
        const int32_t units = divideUp(divideUp(shape.hidden, blocks), 4) * 4;
        if (!fitting.empty() && fitting.back().unitsPerSlice == units) {
            continue;
        }
        // Where many blocks leave few units to each, more lanes may share a unit's columns.
        for (int32_t lanes = 4; lanes <= 2 * blocks; lanes *= 2) {
            const LstmGeometry geometry = onePass(units, lanes);
            const LstmView view(shape, geometry);
            if (view.slices > 1 && fits(shape, geometry, limits) && clusterBytes(view) <= limits.sharedBytes) {
                fitting.push_back(geometry);
            }
        }
    }
    return fitting;
}

/** Of kernels that are launched for each batch, which read weights from the GPU's memory: any size of model. */
inline LstmGeometry launchedGeometry() {
    return onePass(32, 8);
}

}  // namespace tiercel

#endif
