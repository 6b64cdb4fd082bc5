/* The header and the hash of each position of a batch after its step: a warp each. */
#ifndef TIERCEL_TRANSFORMER_HASH_CU
#define TIERCEL_TRANSFORMER_HASH_CU

#include "transformer_settle.h"

/** Grid: (1, positions); a warp a block. hashes: of each position the one before, and then the one after. */
TIERCEL_KERNEL_OF(tiercel::TRANSFORMER_THREADS) tiercel_transformer_hash(
    TIERCEL_PARAMETER tiercel::DeviceTransformer model, const tiercel::TransformerPosition* positions, uint8_t* records,
    uint64_t* hashes) {
    using namespace tiercel;
    const TransformerBlock block(model, positions[positionIndex()].state, recordOf(model, records), nullptr);
    const uint64_t hash = settle(block, ofFirstLane(hashes + positionIndex()));
    if (laneIndex() == 0) {
        hashes[positionIndex()] = hash;
    }
}

#endif
