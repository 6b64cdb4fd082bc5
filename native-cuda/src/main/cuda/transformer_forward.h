/* The forward pass of one token of one session by one block, to be read from top to bottom. */
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
    multiply(model.packed, layer.attentionInput, operand, block.vector<float>(block.of.projected));
    putHeads(block, index, position);
    TransformerAttention(block, index, position).attend();
    const float* const attended = block.vector<float>(block.of.attended);
    const Operand wide = quantiseWide(block, block.shape.queryCount(), [&](int i) { return attended[i]; });
    multiply(model.packed, layer.attentionOutput, wide, block.change());
    addToResidual(block, block.change());
}

/** The header behind a step at a position, at which all threads have looked long ago. */
TIERCEL_DEVICE void advance(const TransformerBlock& block, int64_t position) {
    if (threadIndex() == 0) {
        TransformerHeader* const header = reinterpret_cast<TransformerHeader*>(block.state);
        header->position = position + 1;
        if (block.shape.window == 0) {
            header->codedTokens = position + 1;
        }
    }
}

/**
 * One step: outputs, unless they are null, as they are not wanted; logits and the token's rows to the record, keys and
 * values to the state. vectors may be null.
 */
TIERCEL_DEVICE_CALLED void forward(
    const DeviceTransformer& model, const TransformerPosition& position, uint8_t* record, uint8_t* vectors) {
    TransformerBlock block(model, position.state, record, vectors);
    const int64_t index = block.header().position;
    embed(block, position.input);
    putAngles(block, index);
    TIERCEL_UNROLL(1)
    for (int layer = 0; layer < model.shape.layers; layer++) {
        attend(block, layer, index);
        feed(block, model.layer(layer));
    }
    if (position.outputs != nullptr) {
        putOutputs(block, position.outputs);
    }
    advance(block, index);
}

}  // namespace
}  // namespace tiercel

#endif
