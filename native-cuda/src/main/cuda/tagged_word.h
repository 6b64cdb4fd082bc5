/*
 * A word that says itself when it is there: 32 bits of content under the 32 bits of the sequence that it belongs to,
 * written and read by one access of 8 bytes. So a message needs no flag beside it and no fence before that flag, and a
 * reader that polls has the content with the last poll: over PCIe this saves a round trip, between blocks a barrier.
 * (NCCL calls its form of this the LL protocol.)
 *
 * Memory begins as zeros, which belong to no message: sequences begin at 1. A place is written once a sequence, so a
 * tag that has wrapped around cannot be met.
 */
#ifndef TIERCEL_TAGGED_WORD_H
#define TIERCEL_TAGGED_WORD_H

#include "exact.h"

namespace tiercel {
namespace {

TIERCEL_INLINE uint64_t taggedWord(uint32_t sequence, uint32_t content) {
    return static_cast<uint64_t>(sequence) << 32 | content;
}

TIERCEL_INLINE bool belongsTo(uint64_t word, uint32_t sequence) {
    return static_cast<uint32_t>(word >> 32) == sequence;
}

}  // namespace
}  // namespace tiercel

#endif
