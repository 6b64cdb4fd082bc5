/*
 * What a persistent kernel of the lstm family and its host say to each other, in pinned memory, and what its blocks say
 * to each other, where lstm_mail.h has it. All of it is tagged words (tagged_word.h), zero before the first sequence.
 *
 *   request    session | 1 where it brings a state, else 0 | features[features], binary32
 *              | up to a multiple of 8 | the state that it brings                              host to the blocks
 *   response   outputs[outputs], binary32 | up to a multiple of 8 | the state after the step   the blocks to the host
 *   a state    of each layer: cells[hidden], binary32 | hidden values as integers, four in a word
 *
 * Requests and responses have places that they take by turns, a power of two, so that a request can be written while
 * others are under way. One may be written to a place once the response of the one there before it has been read whole:
 * then every block has read all of that request. A request to STOP_SESSION ends the kernel.
 *
 * The state after a step follows the answer, off its path. A session's canonical state is the host's: it takes the new
 * one from the response once every word of that is there, so it has the state before the step or the one after it, and
 * nothing between, whatever becomes of the GPU. What the GPU keeps of a session, with the work ahead of its next step,
 * is a copy that saves the way there; a request brings the state where the host knows that there is none, or an old one.
 */
#ifndef TIERCEL_LSTM_LINK_H
#define TIERCEL_LSTM_LINK_H

#include "lstm_view.h"
#include "tagged_word.h"

namespace tiercel {

constexpr uint32_t STOP_SESSION = 0xFFFFFFFFu;

/** Words of a request before its features: session, and whether it brings a state. */
constexpr int HEADER_WORDS = 2;

/** Where the words of a request and of a response are. */
struct LstmLinkLayout {
    TIERCEL_INLINE explicit LstmLinkLayout(const LstmView& model)
        : hiddenWords((model.hidden + 3) / 4),
          layerWords(model.hidden + hiddenWords),
          stateWords(model.layers * layerWords),
          requestState((HEADER_WORDS + model.features + 7) / 8 * 8),
          requestWords((requestState + stateWords + 7) / 8 * 8),
          responseState((model.outputs + 7) / 8 * 8),
          responseWords((responseState + stateWords + 7) / 8 * 8) {}

    /** Of a layer's hidden values; they stand behind its cells. */
    int32_t hiddenWords;
    int32_t layerWords;
    int32_t stateWords;
    int32_t requestState;
    /** Of a place: whole cache lines. */
    int32_t requestWords;
    int32_t responseState;
    int32_t responseWords;
};

struct LstmLink {
    const uint64_t* requests;
    uint64_t* responses;
    /** Of each, a power of two. */
    uint32_t places;
    uint32_t firstSequence;
    uint64_t* exchange;
    /** State of session 0; the others follow. */
    uint8_t* sessions;
    int64_t sessionStride;

    TIERCEL_INLINE const uint64_t* request(const LstmLinkLayout& layout, uint32_t sequence) const {
        return requests + static_cast<int64_t>(sequence & (places - 1)) * layout.requestWords;
    }
    TIERCEL_INLINE uint64_t* response(const LstmLinkLayout& layout, uint32_t sequence) const {
        return responses + static_cast<int64_t>(sequence & (places - 1)) * layout.responseWords;
    }
};

/**
 * Where blocks leave words for each other, of a sequence, where there are several. They stand in one of two places by
 * turns: who is late reads them there meanwhile, and no block can be two sequences ahead of another.
 */
struct LstmExchange {
    TIERCEL_INLINE explicit LstmExchange(const LstmView& model)
        : features(HEADER_WORDS),
          hidden(features + model.planes * model.featureWords),
          hiddenWords((model.hidden + 3) / 4),
          words(hidden + model.layers * hiddenWords) {}

    /** Quantised, four in a word; the header is at 0. */
    int32_t features;
    /** [layer][hiddenWords]: qh, four in a word. */
    int32_t hidden;
    int32_t hiddenWords;
    /** Of all, of one sequence; there is room for two. */
    int32_t words;
};

/** As persistentBytes, where the blocks are a cluster. */
inline int32_t clusterBytes(const LstmView& model) {
    return persistentBytes(model) + 2 * LstmExchange(model).words * static_cast<int32_t>(sizeof(uint64_t));
}

}  // namespace tiercel

#endif
