/* What the passes of a token's attention have in common: whose it is, what it reaches, and where its parts stand. */
#ifndef TIERCEL_TRANSFORMER_ATTENTION_VIEW_H
#define TIERCEL_TRANSFORMER_ATTENTION_VIEW_H

#include "transformer_heads.h"

namespace tiercel {
namespace {

struct AttentionView {
    static constexpr int SLOTS = TransformerStateView::PAGE_SLOTS;

    TIERCEL_DEVICE AttentionView(const TransformerBlock& block, int layer, int64_t position)
        : block(block),
          shape(block.shape),
          of(block.of),
          heads(block.heads()),
          layer(layer),
          parameters(block.model.layer(layer)),
          reach(block.shape, position),
          channels(block.shape.headSize),
          headsPerKey(block.shape.heads / block.shape.keyValueHeads),
          scores(block.vector<float>(block.of.scores)),
          highWeights(block.vector<uint8_t>(block.of.highWeights)),
          lowWeights(block.vector<uint8_t>(block.of.lowWeights)) {}

    TIERCEL_DEVICE const int8_t* codebook(const DeviceCodec& codec, int keyValueHead) const {
        return block.model.at<int8_t>(codec.codebook) +
               static_cast<int64_t>(keyValueHead) * channels * CodecFormat::ENTRIES;
    }

    const TransformerBlock& block;
    const TransformerShape& shape;
    const TransformerWorkspace& of;
    const HeadRange heads;
    const int layer;
    const DeviceLayer& parameters;
    const SlotsInReach reach;
    const int channels;
    const int headsPerKey;
    /** [H][slots], of both kinds; softmax's weights, in two bytes. */
    float* const scores;
    uint8_t* const highWeights;
    uint8_t* const lowWeights;
};

}  // namespace
}  // namespace tiercel

#endif
