/* What all threads of a block have, brought together in each of them, in any order: of integers, or a maximum. */
#ifndef TIERCEL_BLOCK_REDUCTION_H
#define TIERCEL_BLOCK_REDUCTION_H

#include "device.h"

namespace tiercel {
namespace {

/** The same of the lanes of a warp. both(a, b) is of int32_t, uint64_t or float. */
template <class Value, class Both>
TIERCEL_DEVICE Value reduceWarp(Value value, const Both& both) {
    for (int distance = 1; distance < WARP_LANES; distance *= 2) {
        value = both(value, shuffle(value, (threadIndex() % WARP_LANES) ^ distance));
    }
    return value;
}

/**
 * By slots in shared memory, one for each warp, of which there are two sets by turns: who writes a set again has met
 * everybody at the barrier of the other one, after they have read it. So one barrier is enough.
 */
class BlockReduction {
public:
    static constexpr int BYTES = 2 * WARP_LANES * static_cast<int>(sizeof(uint64_t));

    TIERCEL_DEVICE explicit BlockReduction(uint8_t* slots) : slots(reinterpret_cast<uint64_t*>(slots)) {}

    /** To be called by all threads. */
    template <class Value, class Both>
    TIERCEL_DEVICE Value reduce(Value value, const Both& both) {
        value = reduceWarp(value, both);
        uint64_t* const set = slots + turn * WARP_LANES;
        turn ^= 1;
        if (threadIndex() % WARP_LANES == 0) {
            std::memcpy(set + threadIndex() / WARP_LANES, &value, sizeof value);
        }
        syncThreads();
        Value all;
        std::memcpy(&all, set, sizeof all);
        TIERCEL_UNROLL(1)
        for (int warp = 1; warp < threadCount() / WARP_LANES; warp++) {
            std::memcpy(&value, set + warp, sizeof value);
            all = both(all, value);
        }
        return all;
    }

    TIERCEL_DEVICE float largest(float value) {
        return reduce(value, [](float a, float b) { return ScalarLanes::maximum(a, b); });
    }
    TIERCEL_DEVICE uint64_t largest(uint64_t value) {
        return reduce(value, [](uint64_t a, uint64_t b) { return a > b ? a : b; });
    }
    TIERCEL_DEVICE int64_t sum(int64_t value) {
        return static_cast<int64_t>(
            reduce(static_cast<uint64_t>(value), [](uint64_t a, uint64_t b) { return a + b; }));
    }

private:
    uint64_t* const slots;
    int turn = 0;
};

}  // namespace
}  // namespace tiercel

#endif
