/* The feed-forward layer (SwiGLU) of a token, or the likeliest few of its experts, added to the residual stream. */
#ifndef TIERCEL_TRANSFORMER_FEED_H
#define TIERCEL_TRANSFORMER_FEED_H

#include "transformer_products.h"
#include "transformer_ranking.h"

namespace tiercel {
namespace {

/** results[D] = output . quantise(h), h = (a * sigmoid(a)) * b of (a, b) = input . operand. */
TIERCEL_DEVICE void feedForward(
    TransformerBlock& block, const DeviceLayer& layer, int expert, const Operand& operand, float* results) {
    const DeviceTransformer& model = block.model;
    const int units = block.shape.hidden;
    // The same memory where a block is alone.
    float* const products = block.common<float>(block.of.hidden);
    float* const hidden = block.vector<float>(block.of.hidden);
    multiply(block, model.expertInput(layer, expert), operand, products);
    eachOf(units, [&](int i) {
        const float gate = products[i];
        hidden[i] = gate * Scalar::sigmoidOfTanh(Scalar::tanh(gate * 0.5f)) * products[units + i];
    });
    const Operand wide = quantiseWide(block, units, [&](int i) { return hidden[i]; });
    multiply(block, model.expertOutput(layer, expert), wide, results);
}

/** Which experts are the likeliest; and their shares, to be read after a barrier. */
TIERCEL_DEVICE void route(TransformerBlock& block, const DeviceLayer& layer, const Operand& operand) {
    const int count = block.shape.activeExperts;
    float* const routed = block.common<float>(block.of.routed);
    int32_t* const ranked = block.vector<int32_t>(block.of.ranked);
    int32_t* const terms = block.vector<int32_t>(block.of.terms);
    float* const shares = block.vector<float>(block.of.shares);
    multiply(block, layer.router, operand, routed);
    rank(block, routed, block.shape.experts, count, ranked);
    syncThreads();
    eachOf(count, [&](int i) { terms[i] = Scalar::softmaxTerm(routed[ranked[i]], routed[ranked[0]]); });
    syncThreads();
    eachOf(count, [&](int i) {
        int64_t sum = 0;
        TIERCEL_UNROLL(1)
        for (int j = 0; j < count; j++) {
            sum += terms[j];
        }
        shares[i] = probabilityOf(terms[i], sum);
    });
}

/** The experts' sum by their shares, in the order of their rank. */
TIERCEL_DEVICE void feedExperts(TransformerBlock& block, const DeviceLayer& layer, const Operand& operand) {
    float* const sum = block.vector<float>(block.of.expertSum);
    const int32_t* const ranked = block.vector<int32_t>(block.of.ranked);
    const float* const shares = block.vector<float>(block.of.shares);
    const float* const change = block.change();
    route(block, layer, operand);
    eachOf(block.shape.dimension, [&](int c) { sum[c] = 0.0f; });
    TIERCEL_UNROLL(1)
    for (int i = 0; i < block.shape.activeExperts; i++) {
        feedForward(block, layer, ranked[i], operand, block.change());
        eachOf(block.shape.dimension, [&](int c) { sum[c] = sum[c] + shares[i] * change[c]; });
    }
    addToResidual(block, sum);
}

TIERCEL_DEVICE void feed(TransformerBlock& block, const DeviceLayer& layer) {
    const Operand operand = normalise(block, layer.feedNorm);
    if (block.shape.experts > 0) {
        feedExperts(block, layer, operand);
    } else {
        feedForward(block, layer, 0, operand, block.change());
        addToResidual(block, block.change());
    }
}

}  // namespace
}  // namespace tiercel

#endif
