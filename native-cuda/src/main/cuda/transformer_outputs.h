/* What a head's logits become: the likeliest tokens with their probabilities, all probabilities, or the logits. */
#ifndef TIERCEL_TRANSFORMER_OUTPUTS_H
#define TIERCEL_TRANSFORMER_OUTPUTS_H

#include <cfloat>

#include "transformer_products.h"
#include "transformer_ranking.h"

namespace tiercel {
namespace {

/** For each of the likeliest tokens the token, int32, then its probability. */
TIERCEL_DEVICE void putLikeliest(TransformerBlock& block, float* outputs) {
    const TransformerShape& shape = block.shape;
    const float* const logits = block.logits();
    int32_t* const ranked = block.vector<int32_t>(block.of.ranked);
    rank(block, logits, shape.logits, shape.top, ranked);
    syncThreads();
    const float largest = logits[ranked[0]];
    const int64_t sum = sumOfTerms(block, logits, largest, shape.logits);
    eachOf(shape.top, [&](int i) {
        std::memcpy(outputs + 2 * i, ranked + i, sizeof(int32_t));
        outputs[2 * i + 1] = probabilityOf(Scalar::softmaxTerm(logits[ranked[i]], largest), sum);
    });
}

/** A thread reads the logits that it has written. */
TIERCEL_DEVICE void putProbabilities(TransformerBlock& block, float* outputs) {
    const int count = block.shape.logits;
    const float* const logits = block.logits();
    float largest = -FLT_MAX;
    eachOf(count, [&](int i) { largest = ScalarLanes::maximum(largest, logits[i]); });
    largest = block.reduction.largest(largest);
    const int64_t sum = sumOfTerms(block, logits, largest, count);
    eachOf(count, [&](int i) { outputs[i] = probabilityOf(Scalar::softmaxTerm(logits[i], largest), sum); });
}

/** Logits of the residual stream, without biases, to the record. */
TIERCEL_DEVICE void putLogits(TransformerBlock& block) {
    multiply(block, block.model.head, normalise(block, block.model.finalNorm), block.logits());
}

/** By one block: biases to the logits, and what is asked for. */
TIERCEL_DEVICE void putOutputs(TransformerBlock& block, float* outputs) {
    const DeviceTransformer& model = block.model;
    float* const logits = block.logits();
    if (block.shape.outputs == Outputs::LIKELIEST_TOKENS) {
        putLikeliest(block, outputs);
        return;
    }
    const float* const biases = model.at<float>(model.headBiases);
    eachOf(block.shape.logits, [&](int i) { logits[i] = logits[i] + biases[i]; });
    if (block.shape.outputs == Outputs::LOGITS) {
        eachOf(block.shape.logits, [&](int i) { outputs[i] = logits[i]; });
        return;
    }
    putProbabilities(block, outputs);
}

}  // namespace
}  // namespace tiercel

#endif
