/*
 * Canonical states of sessions on their way: brought from the host, before the work ahead of a step; given back to it
 * after one. A block for each session. Positions of a graph without a session are left out, here as in the other
 * kernels: a graph is launched for any batch up to its size.
 */
#ifndef TIERCEL_LSTM_SESSION_CU
#define TIERCEL_LSTM_SESSION_CU

#include "device.h"
#include "lstm_view.h"

namespace tiercel {
namespace {

/** Of whole cache lines; 16 bytes at a time, since either side may be behind a bus. */
TIERCEL_DEVICE void copyState(const LstmView& model, uint8_t* to, const uint8_t* from) {
    const int count = static_cast<int>(model.state.canonicalBytes / static_cast<int64_t>(sizeof(Words4)));
    for (int i = threadIndex(); i < count; i += threadCount()) {
        reinterpret_cast<Words4*>(to)[i] = reinterpret_cast<const Words4*>(from)[i];
    }
}

}  // namespace
}  // namespace tiercel

/** Grid: (1, sessions). No shared memory. */
TIERCEL_KERNEL tiercel_lstm_bring(const tiercel::LstmView model, const tiercel::SessionCopy* sessions) {
    const tiercel::SessionCopy& session = sessions[tiercel::positionIndex()];
    if (session.state != nullptr) {
        tiercel::copyState(model, session.state, session.host);
    }
}
TIERCEL_KERNEL tiercel_lstm_settle(const tiercel::LstmView model, const tiercel::SessionCopy* sessions) {
    const tiercel::SessionCopy& session = sessions[tiercel::positionIndex()];
    if (session.state != nullptr) {
        tiercel::copyState(model, session.host, session.state);
    }
}

#endif
