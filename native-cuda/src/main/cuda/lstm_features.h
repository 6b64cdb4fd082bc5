/* A feature vector on its way into shared memory: normalised, quantised, and of 16 bits cut into planes of digits. */
#ifndef TIERCEL_LSTM_FEATURES_H
#define TIERCEL_LSTM_FEATURES_H

#include "lstm_layer.h"

namespace tiercel {
namespace {

/** One feature; means and inverseDeviations are [features], to is [planes][featureWords]. */
TIERCEL_DEVICE void quantiseFeature(
    const LstmView& model, const float* means, const float* inverseDeviations, int index, float value, uint32_t* to) {
    const int32_t x = Scalar::quantiseFeature(
        value, means[index], inverseDeviations[index], model.inverseFeatureScale, model.featureMaximum);
    int8_t* bytes = reinterpret_cast<int8_t*>(to);
    if (model.planes == 1) {
        bytes[index] = static_cast<int8_t>(x);
        return;
    }
    for (int plane = 0; plane < DIGITS; plane++) {
        bytes[plane * model.featureWords * 4 + index] = static_cast<int8_t>(digit(x, plane));
    }
}

}  // namespace
}  // namespace tiercel

#endif
