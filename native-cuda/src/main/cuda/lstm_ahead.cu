/*
 * The work ahead of the next step of each position of a batch, from the hidden values that stand in its state: a block
 * for each slice and position. Also what a session needs whose canonical state was put there from outside.
 */
#ifndef TIERCEL_LSTM_AHEAD_CU
#define TIERCEL_LSTM_AHEAD_CU

#include "lstm_layer.h"

namespace tiercel {
namespace {

template <bool INT4>
TIERCEL_DEVICE void aheadOfPosition(const LstmView& model, uint8_t* state) {
    if (state == nullptr) {
        return;
    }
    const LstmShared shared(model);
    uint32_t* const vectors = reinterpret_cast<uint32_t*>(sharedMemory() + shared.hidden);
    clearVectors(shared);
    syncThreads();
    for (int layer = 0; layer < model.layers; layer++) {
        const int8_t* from = hiddenOf(model, state, layer);
        int8_t* to = reinterpret_cast<int8_t*>(vectors + layer * model.hiddenWords);
        for (int i = threadIndex(); i < model.hidden; i += threadCount()) {
            to[i] = from[i];
        }
    }
    syncThreads();
    for (int layer = 0; layer < model.layers; layer++) {
        const LstmMatrixView& matrix = model.layer[layer].recurrent;
        for (int pass = 0; pass < model.passes; pass++) {
            const UnitLane at(model, blockIndex(), pass);
            const typename LstmLayer<INT4>::Pass weights(
                model, matrix, matrix.slices + static_cast<int64_t>(blockIndex()) * matrix.sliceBytes, at);
            const float ahead =
                LstmLayer<INT4>::aheadUnit(model, weights, at, vectors + layer * model.hiddenWords);
            if (at.hasOwnGate()) {
                aheadOf(model, state, layer)[at.aheadIndex()] = ahead;
            }
        }
    }
}

}  // namespace
}  // namespace tiercel

/** Grid: (slices, positions). Shared memory: LstmShared::bytes. */
TIERCEL_KERNEL tiercel_lstm_ahead_int8(const tiercel::LstmView model, const tiercel::BatchPosition* positions) {
    tiercel::aheadOfPosition<false>(model, positions[tiercel::positionIndex()].state);
}
TIERCEL_KERNEL tiercel_lstm_ahead_int4(const tiercel::LstmView model, const tiercel::BatchPosition* positions) {
    tiercel::aheadOfPosition<true>(model, positions[tiercel::positionIndex()].state);
}

#endif
