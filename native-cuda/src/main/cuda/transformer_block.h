/*
 * What a block computes a step of one session with: its team, its model, its session's state, and its memory.
 *
 * Blocks of a team share rows of matrices, and heads. What becomes of a token's vectors in between is little, and each
 * makes it for itself: so all have the residual stream, and only what rows or heads have made goes around.
 */
#ifndef TIERCEL_TRANSFORMER_BLOCK_H
#define TIERCEL_TRANSFORMER_BLOCK_H

#include "block_reduction.h"
#include "block_team.h"
#include "transformer_device.h"
#include "transformer_formulas.h"

namespace tiercel {
namespace {

static_assert(TransformerWorkspace::REDUCTION_BYTES == BlockReduction::BYTES, "two sets of slots");
static_assert(TILE_LANES == WARP_LANES, "a tile is a warp's");

TIERCEL_DEVICE int warpIndex() { return threadIndex() / WARP_LANES; }
TIERCEL_DEVICE int warpCount() { return threadCount() / WARP_LANES; }
TIERCEL_DEVICE int laneIndex() { return threadIndex() % WARP_LANES; }

/** Heads of keys and values that follow each other, with the heads of queries that attend to them. */
struct HeadRange {
    int32_t firstKey;
    int32_t keys;
    int32_t first;
    int32_t count;
};

class TransformerBlock {
public:
    /**
     * vectors: of global memory, or null where they are in shared memory too; common: the same of the team, null where
     * that is a block.
     */
    TIERCEL_DEVICE TransformerBlock(
        const DeviceTransformer& model, BlockTeam& team, uint8_t* state, uint8_t* record, uint8_t* vectors,
        uint8_t* common)
        : model(model),
          team(team),
          shape(model.shape),
          of(model.workspace),
          state(state),
          record(record),
          vectors(vectors != nullptr ? vectors : sharedMemory() + model.workspace.sharedBytes),
          commonVectors(common != nullptr ? common : this->vectors),
          reduction(sharedMemory()) {}

    template <class T>
    TIERCEL_DEVICE T* shared(int32_t offset) const {
        return reinterpret_cast<T*>(sharedMemory() + offset);
    }
    template <class T>
    TIERCEL_DEVICE T* vector(int64_t offset) const {
        return reinterpret_cast<T*>(vectors + offset);
    }
    /** Of the team: this block's part is its to write, and all is to be read behind the team's barrier. */
    template <class T>
    TIERCEL_DEVICE T* common(int64_t offset) const {
        return reinterpret_cast<T*>(commonVectors + offset);
    }
    TIERCEL_DEVICE float* residual() const { return vector<float>(of.residual); }
    TIERCEL_DEVICE float* change() const { return common<float>(of.change); }
    TIERCEL_DEVICE float* logits() const { return reinterpret_cast<float*>(record); }
    TIERCEL_DEVICE const TransformerHeader& header() const {
        return *reinterpret_cast<const TransformerHeader*>(state);
    }

    /** Of this block. */
    TIERCEL_DEVICE HeadRange heads() const {
        const int perKey = shape.heads / shape.keyValueHeads;
        const int firstKey = shape.keyValueHeads * team.index / team.count;
        const int keys = shape.keyValueHeads * (team.index + 1) / team.count - firstKey;
        return {firstKey, keys, firstKey * perKey, keys * perKey};
    }
    /** Of tasks that the team's warps share, those of this warp: from the first on, so many apart. */
    TIERCEL_DEVICE int firstTask() const { return team.index + warpIndex() * team.count; }
    TIERCEL_DEVICE int taskStride() const { return warpCount() * team.count; }

    const DeviceTransformer& model;
    BlockTeam& team;
    const TransformerShape& shape;
    const TransformerWorkspace& of;
    uint8_t* const state;
    uint8_t* const record;
    uint8_t* const vectors;
    uint8_t* const commonVectors;
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
