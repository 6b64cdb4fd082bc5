/*
 * A kernel that stays and computes nothing: it awaits all words of a request and answers with as many as a model would,
 * through the same places. What is left of a step's time without its mathematics.
 */
#ifndef TIERCEL_LSTM_PING_PONG_CU
#define TIERCEL_LSTM_PING_PONG_CU

#include "await_words.h"
#include "lstm_link.h"

/** Grid: (1). Shared memory: LstmShared::bytes. Outputs and states are zeros. */
TIERCEL_KERNEL tiercel_lstm_ping_pong(const tiercel::LstmView model, const tiercel::LstmLink link) {
    using namespace tiercel;
    const LstmLinkLayout layout(model);
    uint32_t* const session = reinterpret_cast<uint32_t*>(sharedMemory());
    for (uint32_t sequence = link.firstSequence;; sequence++) {
        awaitShare(
            link.request(layout, sequence), threadIndex(), threadCount(), HEADER_WORDS + model.features, sequence,
            [&](int index, uint32_t content) {
                if (index == 0) {
                    *session = content;
                }
            });
        syncThreads();
        const bool isLast = *session == STOP_SESSION;
        syncThreads();
        if (isLast) {
            return;
        }
        uint64_t* const words = link.response(layout, sequence);
        for (int i = threadIndex(); i < model.outputs; i += threadCount()) {
            send(words + i, sequence, 0);
        }
        for (int i = threadIndex(); i < layout.stateWords; i += threadCount()) {
            send(words + layout.responseState + i, sequence, 0);
        }
    }
}

#endif
