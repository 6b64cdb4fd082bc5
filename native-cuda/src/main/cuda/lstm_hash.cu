/* The hash of each position of a batch after its step: a warp each. */
#ifndef TIERCEL_LSTM_HASH_CU
#define TIERCEL_LSTM_HASH_CU

#include "lstm_view.h"
#include "state_hash.h"

/** Grid: (1, positions); a warp a block. hashes: of each position the one before, and then the one after. */
TIERCEL_KERNEL tiercel_lstm_hash(
    const tiercel::LstmView model, const tiercel::BatchPosition* positions, uint64_t* hashes) {
    using namespace tiercel;
    const uint64_t* const words = reinterpret_cast<const uint64_t*>(positions[positionIndex()].state);
    const int bytes = static_cast<int>(model.state.canonicalBytes);
    // Read by the lane that writes it: a shuffle keeps no other lane's read before that write.
    const uint64_t before = shuffle(threadIndex() == 0 ? hashes[positionIndex()] : 0, 0);
    const uint64_t hash = chainWords(before, bytes / 8, [&](int index) { return words[index]; });
    if (threadIndex() == 0) {
        hashes[positionIndex()] = Digest::finish(hash, bytes);
    }
}

#endif
