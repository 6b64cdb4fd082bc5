/* A step's input as the first residual stream: a token's row of the embedding, or a feature vector times it. */
#ifndef TIERCEL_TRANSFORMER_EMBEDDING_H
#define TIERCEL_TRANSFORMER_EMBEDDING_H

#include "transformer_products.h"

namespace tiercel {
namespace {

/** A weight of a packed matrix as an integer. */
TIERCEL_DEVICE int32_t weightOf(const uint8_t* packed, const DeviceMatrix& matrix, int row, int column) {
    const int chunk = column / matrix.chunkColumns();
    const int within = column % matrix.chunkColumns();
    const int64_t lane = matrix.laneOf(row, chunk);
    const uint8_t* const codes = packed + matrix.codes;
    const int8_t* const bytes = reinterpret_cast<const int8_t*>(codes + matrix.chunkOffset(lane, 0));
    if (matrix.bits == 8) {
        return bytes[within];
    }
    if (matrix.bits == 16) {
        const int8_t* const low = reinterpret_cast<const int8_t*>(codes + matrix.chunkOffset(lane, 1));
        return 256 * bytes[within] + low[within];
    }
    // Of the 8 columns of a word the last four are in high nibbles.
    const int pair = bytes[within / 8 * 4 + within % 4];
    const int nibble = ((within % 8 < 4 ? pair : pair >> 4) & 15) ^ 8;
    return (nibble - 8) * packed[matrix.multipliers + lane];
}

TIERCEL_DEVICE void embedToken(TransformerBlock& block, int32_t token) {
    const DeviceTransformer& model = block.model;
    const float scale = model.at<float>(model.embedding.scales)[token];
    float* const residual = block.residual();
    eachOf(block.shape.dimension, [&](int i) {
        residual[i] = static_cast<float>(weightOf(model.packed, model.embedding, token, i)) * scale;
    });
}

TIERCEL_DEVICE void embedFeatures(TransformerBlock& block, const float* features) {
    const DeviceTransformer& model = block.model;
    const float* const means = model.at<float>(model.featureMeans);
    const float* const inverseDeviations = model.at<float>(model.inverseFeatureDeviations);
    const float inverseScale = model.numbers.inverseFeatureScale;
    const float maximum = static_cast<float>(block.shape.featureMaximum);
    const Operand operand{block.shared<uint32_t>(block.of.wideOperand), block.of.wideWords, model.featurePlanes(),
                          model.numbers.featureScale};
    putOperand(block.shared<uint32_t>(block.of.wideOperand), operand.planeWords, operand.planes, block.shape.features,
               [&](int i) {
                   return Scalar::quantiseFeature(
                       features[i], means[i], inverseDeviations[i], inverseScale, maximum);
               });
    syncThreads();
    multiply(block, model.embedding, operand, block.change());
    const float* const biases = model.at<float>(model.embeddingBiases);
    eachOf(block.shape.dimension, [&](int i) { block.residual()[i] = block.change()[i] + biases[i]; });
}

/** input: a token, int32, or a feature vector. */
TIERCEL_DEVICE void embed(TransformerBlock& block, const void* input) {
    if (block.shape.vocabulary > 0) {
        embedToken(block, *static_cast<const int32_t*>(input));
    } else {
        embedFeatures(block, static_cast<const float*>(input));
    }
}

}  // namespace
}  // namespace tiercel

#endif
