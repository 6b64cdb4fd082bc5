/* One step of each position of a batch: a block each, which goes through all layers; none of a position
 * without a state. */
#ifndef TIERCEL_TRANSFORMER_STEP_CU
#define TIERCEL_TRANSFORMER_STEP_CU

#include "transformer_forward.h"

/**
 * Grid: (1, positions), of as many threads as the model was packed for. Of each position a record, and a workspace's
 * vectors; vectors may be null where shared memory has room for them behind TransformerWorkspace::sharedBytes.
 */
TIERCEL_KERNEL_OF(tiercel::TRANSFORMER_THREADS) tiercel_transformer_step(
    TIERCEL_PARAMETER tiercel::DeviceTransformer model, const tiercel::TransformerPosition* positions, uint8_t* records,
    uint8_t* vectors) {
    using namespace tiercel;
    const TransformerPosition& position = positions[positionIndex()];
    if (position.state != nullptr) {
        BlockTeam alone;
        TransformerBlock block(
            model, alone, position.state, recordOf(model, records), vectorsOf(model, vectors), nullptr);
        forward(block, position.input, position.outputs);
    }
}

#endif
