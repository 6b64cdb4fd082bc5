/* The forward pass of one token of one session by the blocks of a team, to be read from top to bottom. */
#ifndef TIERCEL_TRANSFORMER_FORWARD_H
#define TIERCEL_TRANSFORMER_FORWARD_H

#include "transformer_attention.h"
#include "transformer_embedding.h"
#include "transformer_feed.h"
#include "transformer_outputs.h"

namespace tiercel {
namespace {

/** Attention of a layer, added to the residual stream. */
TIERCEL_DEVICE void attend(TransformerBlock& block, int index, int64_t position) {
    const DeviceTransformer& model = block.model;
    const DeviceLayer& layer = model.layer(index);
    const Operand operand = normalise(block, layer.attentionNorm);
    multiply(block, layer.attentionInput, operand, block.common<float>(block.of.projected));
    putHeads(block, index, position);
    TransformerAttention(block, index, position).attend();
    const float* const attended = block.common<float>(block.of.attended);
    const Operand wide = quantiseWide(block, block.shape.queryCount(), [&](int i) { return attended[i]; });
    multiply(block, layer.attentionOutput, wide, block.change());
    addToResidual(block, block.change());
}

/** The header behind a step at a position, at which all threads have looked long ago. */
TIERCEL_DEVICE void advance(const TransformerBlock& block, int64_t position) {
    if (block.team.isFirst() && threadIndex() == 0) {
        TransformerHeader* const header = reinterpret_cast<TransformerHeader*>(block.state);
        header->position = position + 1;
        if (block.shape.window == 0) {
            header->codedTokens = position + 1;
        }
    }
}

/**
 * One step: outputs, unless they are null, as they are not wanted; logits and the token's rows to the record, keys and
 * values to the state. To be read behind a barrier.
 */
TIERCEL_DEVICE_CALLED void forward(TransformerBlock& block, const void* input, float* outputs) {
    const DeviceTransformer& model = block.model;
    const int64_t index = block.header().position;
    embed(block, input);
    putAngles(block, index);
    TIERCEL_UNROLL(1)
    for (int layer = 0; layer < model.shape.layers; layer++) {
        attend(block, layer, index);
        feed(block, model.layer(layer));
    }
    if (outputs != nullptr) {
        putLogits(block);
        if (block.team.isFirst()) {
            putOutputs(block, outputs);
        }
    }
    advance(block, index);
}

}  // namespace
}  // namespace tiercel

#endif
