/*
 * What a persistent kernel of the lstm family and its host say to each other, in pinned memory, and what its blocks say
 * to each other, in the GPU's. All of it is tagged words (tagged_word.h), zero before the first sequence.
 *
 *   request    session | hash before, low, high | features[features], binary32        host to block 0
 *   response   outputs[outputs], binary32 | up to a multiple of 8 | hash after, low, high, of even and of odd sequences
 *
 * The next request may be written once its predecessor's outputs have been read, and the hash of the one before that:
 * hashes, and what blocks say of a sequence, stand in one of two places by turns, and whoever is late reads it there
 * meanwhile. A request to STOP_SESSION ends the kernel.
 */
#ifndef TIERCEL_LSTM_LINK_H
#define TIERCEL_LSTM_LINK_H

#include "lstm_view.h"
#include "tagged_word.h"

namespace tiercel {

constexpr uint32_t STOP_SESSION = 0xFFFFFFFFu;

/** Words of a request before its features: session, and the hash before. */
constexpr int HEADER_WORDS = 3;

/** The hash's place in a response to a sequence. */
TIERCEL_INLINE int32_t hashWord(int32_t outputs, uint32_t sequence) {
    return (outputs + 7) / 8 * 8 + 2 * static_cast<int32_t>(sequence & 1);
}

TIERCEL_INLINE int32_t responseWords(int32_t outputs) {
    return hashWord(outputs, 1) + 2;
}

struct LstmLink {
    const uint64_t* request;
    uint64_t* response;
    uint64_t* exchange;
    /** State of session 0; the others follow. */
    uint8_t* sessions;
    int64_t sessionStride;
    uint32_t firstSequence;
};

/** Where blocks leave words for each other, of a sequence. */
struct LstmExchange {
    TIERCEL_INLINE explicit LstmExchange(const LstmView& model)
        : features(HEADER_WORDS),
          hidden(features + model.planes * model.featureWords),
          hiddenWords((model.hidden + 3) / 4),
          cells(hidden + model.layers * hiddenWords),
          words(cells + model.layers * model.hidden) {}

    /** Quantised, four in a word; the header is at 0. Of more than one block. */
    int32_t features;
    /** [layer][hiddenWords]: qh, four in a word. */
    int32_t hidden;
    int32_t hiddenWords;
    /** [layer][hidden]. */
    int32_t cells;
    /** Of all, of one sequence; there is room for two. */
    int32_t words;
};

}  // namespace tiercel

#endif
