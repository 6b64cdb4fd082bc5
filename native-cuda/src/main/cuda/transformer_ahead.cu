/* The work ahead of the next step of each position of a batch that has a state: a block each. */
#ifndef TIERCEL_TRANSFORMER_AHEAD_CU
#define TIERCEL_TRANSFORMER_AHEAD_CU

#include "transformer_settle.h"

/** Grid: (1, positions), of any number of warps. */
TIERCEL_KERNEL_OF(tiercel::TRANSFORMER_THREADS) tiercel_transformer_ahead(
    TIERCEL_PARAMETER tiercel::DeviceTransformer model, const tiercel::TransformerPosition* positions,
    uint8_t* records) {
    using namespace tiercel;
    const TransformerPosition& position = positions[positionIndex()];
    if (position.state != nullptr) {
        BlockTeam alone;
        codeAhead(TransformerBlock(model, alone, position.state, recordOf(model, records), nullptr, nullptr));
    }
}

#endif
