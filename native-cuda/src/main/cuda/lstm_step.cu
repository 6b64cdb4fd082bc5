/* One step of each position of a batch: a block each, which goes through the slices of all layers; none
 * of a position without a state. */
#ifndef TIERCEL_LSTM_STEP_CU
#define TIERCEL_LSTM_STEP_CU

#include "lstm_features.h"
#include "lstm_head.h"

namespace tiercel {
namespace {

template <bool INT4>
TIERCEL_DEVICE void stepPosition(const LstmView& model, const BatchPosition& position) {
    if (position.state == nullptr) {
        return;
    }
    const LstmShared shared(model);
    uint8_t* const memory = sharedMemory();
    uint32_t* const features = reinterpret_cast<uint32_t*>(memory);
    float* const y = reinterpret_cast<float*>(memory + shared.outputs);
    clearVectors(shared);
    syncThreads();
    for (int i = threadIndex(); i < model.features; i += threadCount()) {
        quantiseFeature(model, model.means, model.inverseDeviations, i, position.features[i], features);
    }
    syncThreads();
    const uint32_t* vector = features;
    for (int layer = 0; layer < model.layers; layer++) {
        uint32_t* const output = reinterpret_cast<uint32_t*>(memory + shared.hidden) + layer * model.hiddenWords;
        const LstmMatrixView& matrix = model.layer[layer].input;
        for (int slice = 0; slice < model.slices; slice++) {
            for (int pass = 0; pass < model.passes; pass++) {
                const UnitLane at(model, slice, pass);
                const float ahead = at.hasOwnGate() ? aheadOf(model, position.state, layer)[at.aheadIndex()] : 0.0f;
                const float cell = at.isFirst() ? cellsOf(model, position.state, layer)[at.unit] : 0.0f;
                const typename LstmLayer<INT4>::Pass weights(
                    model, matrix, matrix.slices + static_cast<int64_t>(slice) * matrix.sliceBytes, at);
                const auto unit = LstmLayer<INT4>::stepUnit(
                    model, weights, at, ahead, cell, vector, layer == 0 ? model.planes : 1,
                    model.layer[layer].inverseHiddenScale);
                if (at.isFirst()) {
                    cellsOf(model, position.state, layer)[at.unit] = unit.cell;
                    hiddenOf(model, position.state, layer)[at.unit] = unit.hidden;
                    reinterpret_cast<int8_t*>(output)[at.unit] = unit.hidden;
                }
            }
        }
        syncThreads();
        vector = output;
    }
    headOutputs(model, model.head, vector, y);
    syncThreads();
    if (threadIndex() < WARP_LANES) {
        giveOutputs(model, y, [&](int i, float value) { position.outputs[i] = value; });
    }
}

}  // namespace
}  // namespace tiercel

/** Grid: (1, positions). Shared memory: LstmShared::bytes. */
TIERCEL_KERNEL tiercel_lstm_step_int8(const tiercel::LstmView model, const tiercel::BatchPosition* positions) {
    tiercel::stepPosition<false>(model, positions[tiercel::positionIndex()]);
}
TIERCEL_KERNEL tiercel_lstm_step_int4(const tiercel::LstmView model, const tiercel::BatchPosition* positions) {
    tiercel::stepPosition<true>(model, positions[tiercel::positionIndex()]);
}

#endif
