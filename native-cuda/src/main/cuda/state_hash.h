/* The chained hash by one warp: lanes make the products of 32 words at once, and all of them the chain. */
#ifndef TIERCEL_STATE_HASH_H
#define TIERCEL_STATE_HASH_H

#include "device.h"
#include "digest.h"

namespace tiercel {
namespace {

/** The chain over count words, of which wordOf(index) is one. */
template <class WordOf>
TIERCEL_DEVICE uint64_t chainWords(uint64_t hash, int count, const WordOf& wordOf) {
    const int lane = threadIndex() % WARP_LANES;
    for (int base = 0; base < count; base += WARP_LANES) {
        const int some = count - base < WARP_LANES ? count - base : WARP_LANES;
        const uint64_t product = lane < some ? Digest::product(wordOf(base + lane)) : 0;
        for (int i = 0; i < some; i++) {
            hash = Digest::chain(hash, shuffle(product, i));
        }
    }
    return hash;
}

}  // namespace
}  // namespace tiercel

#endif
