/* What the kernels' tests have in common: random numbers, and memory that is watched. */
#ifndef TIERCEL_TEST_SUPPORT_H
#define TIERCEL_TEST_SUPPORT_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) (static_cast<void>(address), static_cast<void>(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) (static_cast<void>(address), static_cast<void>(bytes))
#endif

using Random = std::mt19937_64;

inline int uniform(Random& random, int low, int high) {
    return low + static_cast<int>(random() % static_cast<uint64_t>(high - low + 1));
}

inline float uniform(Random& random, float low, float high) {
    return low + (high - low) * static_cast<float>(random() >> 40) / static_cast<float>(1 << 24);
}

inline std::vector<float> floats(Random& random, size_t count, float low, float high) {
    std::vector<float> values(count);
    for (float& value : values) {
        value = uniform(random, low, high);
    }
    return values;
}

/**
 * Zeros between guards: a read or write of the guards is a finding of the address sanitizer, and what no sanitizer sees
 * (stores under a mask, assembly) changes them, which is found when the memory is given back. Aligned to 64.
 */
class Bytes {
public:
    explicit Bytes(size_t bytes)
        : at(nullptr), size(bytes), whole(static_cast<uint8_t*>(std::aligned_alloc(64, wholeBytes()))) {
        std::memset(whole, GUARD, wholeBytes());
        at = whole + GUARD_BYTES;
        std::memset(at, 0, size);
        ASAN_POISON_MEMORY_REGION(whole, GUARD_BYTES);
        ASAN_POISON_MEMORY_REGION(whole + GUARD_BYTES + size, wholeBytes() - GUARD_BYTES - size);
    }
    ~Bytes() {
        ASAN_UNPOISON_MEMORY_REGION(whole, wholeBytes());
        for (size_t i = 0; i < wholeBytes(); i++) {
            if ((i < GUARD_BYTES || i >= GUARD_BYTES + size) && whole[i] != GUARD) {
                std::fprintf(stderr, "byte %lld of %zu was written\n",
                             static_cast<long long>(i) - static_cast<long long>(GUARD_BYTES), size);
                std::abort();
            }
        }
        std::free(whole);
    }
    Bytes(const Bytes&) = delete;
    Bytes& operator=(const Bytes&) = delete;

    int64_t address() const { return reinterpret_cast<int64_t>(at); }

    void* at;

private:
    static constexpr size_t GUARD_BYTES = 256;
    static constexpr uint8_t GUARD = 0xA5;

    size_t wholeBytes() const { return (2 * GUARD_BYTES + size + 63) / 64 * 64; }

    const size_t size;
    uint8_t* const whole;
};

#endif
