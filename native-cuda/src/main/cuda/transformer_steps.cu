/* Several steps in a row of each of some sessions, with the work ahead of each next one: a block each. */
#ifndef TIERCEL_TRANSFORMER_STEPS_CU
#define TIERCEL_TRANSFORMER_STEPS_CU

#include "transformer_forward.h"
#include "transformer_settle.h"

/**
 * Grid: (1, rows); threads, records and vectors as of tiercel_transformer_step, or for one row a record of each step. A
 * record has logits where outputs are wanted.
 */
TIERCEL_KERNEL_OF(tiercel::TRANSFORMER_THREADS) tiercel_transformer_steps(
    TIERCEL_PARAMETER tiercel::DeviceTransformer model, const tiercel::TransformerRow* rows, uint8_t* records,
    uint8_t* vectors) {
    using namespace tiercel;
    // It may stand in the host's memory.
    const TransformerRow row = rows[positionIndex()];
    const int inputBytes = 4 * model.shape.inputWords();
    BlockTeam alone;
    TIERCEL_UNROLL(1)
    for (int i = 0; i < row.count; i++) {
        const bool isWanted = row.outputsStride > 0 || i == row.count - 1;
        uint8_t* const record = recordOf(model, records) + i * row.recordStride;
        TransformerBlock block(model, alone, row.state, record, vectorsOf(model, vectors), nullptr);
        forward(block, row.inputs + i * inputBytes,
                isWanted ? reinterpret_cast<float*>(row.outputs + i * row.outputsStride) : nullptr);
        syncThreads();
        codeAhead(block);
    }
}

#endif
