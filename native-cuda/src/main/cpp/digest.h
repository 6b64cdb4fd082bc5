/*
 * The chained hash of a session's state: as io.tiercel.appliance.engine.StateHash. In three parts, for whoever makes
 * the products of many words at once: only the chain has an order.
 */
#ifndef TIERCEL_DIGEST_H
#define TIERCEL_DIGEST_H

#include <cstdint>
#include <cstring>

#include "exact.h"

namespace tiercel {
namespace {

struct Digest {
    static TIERCEL_INLINE uint64_t product(uint64_t word) { return word * 0x9E3779B185EBCA87ull; }

    static TIERCEL_INLINE uint64_t chain(uint64_t hash, uint64_t productOfWord) {
        const uint64_t mixed = hash ^ productOfWord;
        return ((mixed << 31) | (mixed >> 33)) * 0xC2B2AE3D27D4EB4Full;
    }

    static TIERCEL_INLINE uint64_t mixWord(uint64_t hash, uint64_t word) { return chain(hash, product(word)); }

    /** Of a chain over so many bytes. */
    static TIERCEL_INLINE uint64_t finish(uint64_t hash, int length) {
        hash ^= static_cast<uint64_t>(length);
        hash ^= hash >> 33;
        hash *= 0x165667B19E3779F9ull;
        return hash ^ (hash >> 29);
    }

    static uint64_t mix(uint64_t hash, const void* from, int length) {
        const uint8_t* bytes = static_cast<const uint8_t*>(from);
        int offset = 0;
        for (; offset <= length - 8; offset += 8) {
            uint64_t word;
            std::memcpy(&word, bytes + offset, sizeof word);
            hash = mixWord(hash, word);
        }
        if (offset < length) {
            uint64_t word = 0;
            std::memcpy(&word, bytes + offset, length - offset);
            hash = mixWord(hash, word);
        }
        return finish(hash, length);
    }
};

}  // namespace
}  // namespace tiercel

#endif
