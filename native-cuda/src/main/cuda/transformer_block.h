/* What a block computes a step of one session with: its model, its session's state, and its memory. */
#ifndef TIERCEL_TRANSFORMER_BLOCK_H
#define TIERCEL_TRANSFORMER_BLOCK_H

#include "block_reduction.h"
#include "transformer_device.h"
#include "transformer_formulas.h"

namespace tiercel {
namespace {

static_assert(TransformerWorkspace::REDUCTION_BYTES == BlockReduction::BYTES, "two sets of slots");
static_assert(TILE_LANES == WARP_LANES, "a tile is a warp's");

TIERCEL_DEVICE int warpIndex() { return threadIndex() / WARP_LANES; }
TIERCEL_DEVICE int warpCount() { return threadCount() / WARP_LANES; }
TIERCEL_DEVICE int laneIndex() { return threadIndex() % WARP_LANES; }

class TransformerBlock {
public:
    /** vectors: of global memory, or null where they are in shared memory too. */
    TIERCEL_DEVICE TransformerBlock(
        const DeviceTransformer& model, uint8_t* state, uint8_t* record, uint8_t* vectors)
        : model(model),
          shape(model.shape),
          of(model.workspace),
          state(state),
          record(record),
          vectors(vectors != nullptr ? vectors : sharedMemory() + model.workspace.sharedBytes),
          reduction(sharedMemory()) {}

    template <class T>
    TIERCEL_DEVICE T* shared(int32_t offset) const {
        return reinterpret_cast<T*>(sharedMemory() + offset);
    }
    template <class T>
    TIERCEL_DEVICE T* vector(int64_t offset) const {
        return reinterpret_cast<T*>(vectors + offset);
    }
    TIERCEL_DEVICE float* residual() const { return vector<float>(of.residual); }
    TIERCEL_DEVICE float* change() const { return vector<float>(of.change); }
    TIERCEL_DEVICE float* logits() const { return reinterpret_cast<float*>(record); }
    TIERCEL_DEVICE const TransformerHeader& header() const {
        return *reinterpret_cast<const TransformerHeader*>(state);
    }

    const DeviceTransformer& model;
    const TransformerShape& shape;
    const TransformerWorkspace& of;
    uint8_t* const state;
    uint8_t* const record;
    uint8_t* const vectors;
    BlockReduction reduction;
};

/** Of a kernel's position in the second dimension of its grid. */
TIERCEL_DEVICE uint8_t* recordOf(const DeviceTransformer& model, uint8_t* records) {
    return records + positionIndex() * model.record.bytes;
}
TIERCEL_DEVICE uint8_t* vectorsOf(const DeviceTransformer& model, uint8_t* vectors) {
    return vectors == nullptr ? nullptr : vectors + positionIndex() * model.workspace.vectorBytes;
}

/** use(i) for each of count things, by the block's threads. */
template <class Use>
TIERCEL_DEVICE void eachOf(int count, const Use& use) {
    TIERCEL_UNROLL(1)
    for (int i = threadIndex(); i < count; i += threadCount()) {
        use(i);
    }
}

}  // namespace
}  // namespace tiercel

#endif
