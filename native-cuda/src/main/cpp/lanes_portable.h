/*
 * Eight lanes in C++ without intrinsics: GNU vectors, which GCC and Clang turn into whatever the target has, the oldest
 * SIMD of x86-64 as well as that of other processors. No instruction set is asked for, so this runs everywhere.
 */
#ifndef TIERCEL_LANES_PORTABLE_H
#define TIERCEL_LANES_PORTABLE_H

#include "exact.h"

namespace tiercel {
namespace {

struct PortableLanes {
    static constexpr int LANES = 8;
    static constexpr int COLUMNS = 2;
    /** Vectors of rows that one pass keeps in registers. */
    static constexpr int VECTORS = 4;
    static constexpr int CODE_OFFSET = 0;
    /** int8, so that a product fits 16 bits, and the sum of two. */
    using Activation = int8_t;
    typedef float Floats __attribute__((vector_size(4 * LANES)));
    typedef int32_t Integers __attribute__((vector_size(4 * LANES)));
    /** Sums of 64 bits. */
    typedef int64_t Wide __attribute__((vector_size(8 * LANES)));
    typedef int16_t Words __attribute__((vector_size(2 * LANES)));
    typedef uint16_t UnsignedWords __attribute__((vector_size(2 * LANES)));
    typedef int8_t SignedBytes __attribute__((vector_size(LANES)));
    typedef uint8_t Bytes __attribute__((vector_size(LANES)));

    /** A word for each row: of one column the low byte, of the next the high one. */
    using Codes = Words;
    struct Columns {
        int16_t first;
        int16_t second;
    };

    static TIERCEL_INLINE Floats all(float value) { return Floats{} + value; }
    static TIERCEL_INLINE Integers allIntegers(int32_t value) { return Integers{} + value; }
    static TIERCEL_INLINE Floats minimum(Floats a, Floats b) { return a < b ? a : b; }
    static TIERCEL_INLINE Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
    /** Bits without their sign: they order as magnitudes do. */
    static TIERCEL_INLINE Integers magnitudeBits(Floats value) {
        return reinterpret_cast<Integers>(value) & 0x7FFFFFFF;
    }
    /** A bit for each lane of a that is not below b. */
    static TIERCEL_INLINE uint32_t notBelow(Floats a, Floats b) {
        uint32_t bits = 0;
        for (int i = 0; i < LANES; i++) {
            bits |= (a[i] < b[i] ? 0u : 1u) << i;
        }
        return bits;
    }
    static TIERCEL_INLINE Floats toFloats(Integers value) { return __builtin_convertvector(value, Floats); }
    static TIERCEL_INLINE Floats load(const float* from) { return loadAs<Floats>(from); }
    static TIERCEL_INLINE void store(float* to, Floats value) { std::memcpy(to, &value, sizeof value); }
    static TIERCEL_INLINE void store(int32_t* to, Integers value) { std::memcpy(to, &value, sizeof value); }
    static TIERCEL_INLINE void store(int8_t* to, Integers value) {
        const SignedBytes bytes = __builtin_convertvector(value, SignedBytes);
        std::memcpy(to, &bytes, sizeof bytes);
    }

    /** Bytes 1 and 0 of integers of 16 bits. */
    static TIERCEL_INLINE void storeTwoBytes(uint8_t* high, uint8_t* low, const Integers (&values)[4]) {
        for (int i = 0; i < 4; i++) {
            const Bytes highs = __builtin_convertvector(values[i] >> 8, Bytes);
            const Bytes lows = __builtin_convertvector(values[i], Bytes);
            std::memcpy(high + i * LANES, &highs, sizeof highs);
            std::memcpy(low + i * LANES, &lows, sizeof lows);
        }
    }
    static TIERCEL_INLINE Integers loadIntegers(const int32_t* from) { return loadAs<Integers>(from); }
    static TIERCEL_INLINE Integers maximum(Integers a, Integers b) { return a > b ? a : b; }
    static TIERCEL_INLINE int32_t largest(Integers value) {
        int32_t most = value[0];
        for (int i = 1; i < LANES; i++) {
            most = value[i] > most ? value[i] : most;
        }
        return most;
    }
    /** Zero but in the first lanes. */
    static TIERCEL_INLINE Integers firstLanes(Integers value, int count) {
        for (int i = count; i < LANES; i++) {
            value[i] = 0;
        }
        return value;
    }

    /** As ScalarLanes. */
    static TIERCEL_INLINE Integers rint(Floats value) {
        return reinterpret_cast<Integers>(value + 0x1.8p23f) - 0x4B400000;
    }
    static TIERCEL_INLINE Integers rintLarge(Floats value) {
        const Floats rounded = value < all(0x1p23f) ? (value + 0x1p23f) - 0x1p23f : value;
        return __builtin_convertvector(rounded, Integers);
    }
    static TIERCEL_INLINE Floats powerOfTwo(Integers n) { return reinterpret_cast<Floats>((n + 127) * (1 << 23)); }

    static TIERCEL_INLINE Integers add(Integers a, Integers b) { return a + b; }
    static TIERCEL_INLINE Integers subtract(Integers a, Integers b) { return a - b; }
    static TIERCEL_INLINE Integers addProducts(Integers sums, Integers a, Integers b) { return sums + a * b; }
    static TIERCEL_INLINE Integers sixteenth(Integers value) { return value >> 4; }
    static TIERCEL_INLINE Integers shiftLeft(Integers value, int bits) { return value * (1 << bits); }

    static TIERCEL_INLINE Codes loadCodes(const uint8_t* from) { return loadAs<Codes>(from); }
    static TIERCEL_INLINE Columns loadColumns(const Activation* from) { return {from[0], from[1]}; }
    static TIERCEL_INLINE Integers loadMultipliers(const uint8_t* from) {
        return __builtin_convertvector(loadAs<Bytes>(from), Integers);
    }

    static TIERCEL_INLINE Integers dot(Integers sums, Codes codes, Columns columns) {
        const Words first = (codes << 8) >> 8;
        const Words second = codes >> 8;
        return sums + __builtin_convertvector(first * columns.first + second * columns.second, Integers);
    }
    /** A product of 255 and 127 fits 16 bits, the sum of two does not. */
    static TIERCEL_INLINE Integers dotUnsigned(Integers sums, Codes codes, Columns columns) {
        const Words first = (codes & 0xFF) * columns.first;
        const Words second = reinterpret_cast<Words>(reinterpret_cast<UnsignedWords>(codes) >> 8) * columns.second;
        return sums + __builtin_convertvector(first, Integers) + __builtin_convertvector(second, Integers);
    }
    static TIERCEL_INLINE Codes lowNibbles(Codes codes) { return codes & 0x0F0F; }

    static TIERCEL_INLINE Wide noWide() { return Wide{}; }
    static TIERCEL_INLINE Wide addWide(Wide sums, Integers value) {
        return sums + __builtin_convertvector(value, Wide);
    }
    static TIERCEL_INLINE Wide addSquares(Wide sums, Integers value) {
        const Wide wide = __builtin_convertvector(value, Wide);
        return sums + wide * wide;
    }
    static TIERCEL_INLINE int64_t sumWide(Wide value) {
        int64_t sum = 0;
        for (int i = 0; i < LANES; i++) {
            sum += value[i];
        }
        return sum;
    }

    static TIERCEL_INLINE int32_t sumLanes(Integers value) {
        int32_t sum = 0;
        for (int i = 0; i < LANES; i++) {
            sum += value[i];
        }
        return sum;
    }

    static TIERCEL_INLINE int32_t sum32(const Activation* from) {
        int32_t sum = 0;
        for (int i = 0; i < 32; i++) {
            sum += from[i];
        }
        return sum;
    }

private:
    template <class V, class T>
    static TIERCEL_INLINE V loadAs(const T* from) {
        V value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }
};

}  // namespace
}  // namespace tiercel

#endif
