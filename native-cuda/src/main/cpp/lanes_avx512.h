/* 16 lanes of AVX-512 with VNNI: vpdpbusd multiplies four bytes a lane and adds, without saturation. */
#ifndef TIERCEL_LANES_AVX512_H
#define TIERCEL_LANES_AVX512_H

#include <immintrin.h>

#include "exact.h"

namespace tiercel {
namespace {

struct Avx512Lanes {
    static constexpr int LANES = 16;
    static constexpr int COLUMNS = 4;
    /** Vectors of rows that one pass keeps in registers. */
    static constexpr int VECTORS = 8;
    /** vpdpbusd's first operand is unsigned: weights are; activations stay signed. */
    static constexpr int CODE_OFFSET = 128;
    using Activation = int8_t;
    using Floats = __m512;
    using Integers = __m512i;
    /** Sums of 64 bits, in some lanes or other. */
    using Wide = __m512i;
    /** 64 packed bytes: one vector of rows (int4: two), one lane-full of columns. */
    using Codes = __m512i;
    /** One lane-full of activations, in every lane. */
    using Columns = __m512i;

    static TIERCEL_INLINE Floats all(float value) { return _mm512_set1_ps(value); }
    static TIERCEL_INLINE Integers allIntegers(int32_t value) { return _mm512_set1_epi32(value); }
    static TIERCEL_INLINE Floats minimum(Floats a, Floats b) { return _mm512_min_ps(a, b); }
    static TIERCEL_INLINE Floats maximum(Floats a, Floats b) { return _mm512_max_ps(a, b); }
    /** Bits without their sign: they order as magnitudes do. */
    static TIERCEL_INLINE Integers magnitudeBits(Floats value) {
        return _mm512_and_si512(_mm512_castps_si512(value), _mm512_set1_epi32(0x7FFFFFFF));
    }
    /** A bit for each lane of a that is not below b. */
    static TIERCEL_INLINE uint32_t notBelow(Floats a, Floats b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ); }
    static TIERCEL_INLINE Floats toFloats(Integers value) { return _mm512_cvtepi32_ps(value); }
    static TIERCEL_INLINE Floats load(const float* from) { return _mm512_loadu_ps(from); }
    static TIERCEL_INLINE void store(float* to, Floats value) { _mm512_storeu_ps(to, value); }
    static TIERCEL_INLINE void store(int32_t* to, Integers value) { _mm512_storeu_si512(to, value); }
    static TIERCEL_INLINE void store(int8_t* to, Integers value) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(value));
    }
    /** Bytes 1 and 0 of integers of 16 bits. */
    static TIERCEL_INLINE void storeTwoBytes(uint8_t* high, uint8_t* low, const Integers (&values)[4]) {
        // Packing takes 128 bits at a time: fours of bytes of the four values by turns, which are put in order.
        const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        const __m512i first = _mm512_packus_epi32(values[0], values[1]);
        const __m512i second = _mm512_packus_epi32(values[2], values[3]);
        const __m512i byte = _mm512_set1_epi16(0xFF);
        const __m512i lows = _mm512_packus_epi16(_mm512_and_si512(first, byte), _mm512_and_si512(second, byte));
        const __m512i highs = _mm512_packus_epi16(_mm512_srli_epi16(first, 8), _mm512_srli_epi16(second, 8));
        _mm512_storeu_si512(high, _mm512_permutexvar_epi32(order, highs));
        _mm512_storeu_si512(low, _mm512_permutexvar_epi32(order, lows));
    }
    static TIERCEL_INLINE Integers loadIntegers(const int32_t* from) { return _mm512_loadu_si512(from); }
    static TIERCEL_INLINE Integers maximum(Integers a, Integers b) { return _mm512_max_epi32(a, b); }
    static TIERCEL_INLINE int32_t largest(Integers value) { return _mm512_reduce_max_epi32(value); }
    /** Zero but in the first lanes. */
    static TIERCEL_INLINE Integers firstLanes(Integers value, int count) {
        return _mm512_maskz_mov_epi32(static_cast<__mmask16>((1u << count) - 1), value);
    }
    static TIERCEL_INLINE Integers rint(Floats value) { return _mm512_cvtps_epi32(value); }
    static TIERCEL_INLINE Integers rintLarge(Floats value) { return _mm512_cvtps_epi32(value); }
    static TIERCEL_INLINE Floats powerOfTwo(Integers n) {
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(n, _mm512_set1_epi32(127)), 23));
    }

    static TIERCEL_INLINE Integers add(Integers a, Integers b) { return _mm512_add_epi32(a, b); }
    static TIERCEL_INLINE Integers subtract(Integers a, Integers b) { return _mm512_sub_epi32(a, b); }
    static TIERCEL_INLINE Integers sixteenth(Integers value) { return _mm512_srai_epi32(value, 4); }
    static TIERCEL_INLINE Integers shiftLeft(Integers value, int bits) { return _mm512_slli_epi32(value, bits); }

    static TIERCEL_INLINE Codes loadCodes(const uint8_t* from) { return _mm512_load_si512(from); }
    static TIERCEL_INLINE Columns loadColumns(const Activation* from) {
        int32_t four;
        std::memcpy(&four, from, sizeof four);
        return _mm512_set1_epi32(four);
    }
    static TIERCEL_INLINE Integers loadMultipliers(const uint8_t* from) {
        return _mm512_cvtepu8_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
    }

    /** sums + codes . columns, the codes carrying their offset. */
    static TIERCEL_INLINE Integers dot(Integers sums, Codes codes, Columns columns) {
        // As _mm512_dpbusd_epi32, for which GCC 12 copies every sum before and after it.
        asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(codes), "v"(columns));
        return sums;
    }
    static TIERCEL_INLINE Integers dotUnsigned(Integers sums, Codes codes, Columns columns) {
        return dot(sums, codes, columns);
    }
    static TIERCEL_INLINE Codes lowNibbles(Codes& codes) {
        // In a register: GCC would load them a second time, and loads are what int4 is short of.
        asm("" : "+v"(codes));
        return _mm512_and_si512(codes, _mm512_set1_epi8(0x0F));
    }

    /** sums + a x b for a within 16 bits and b in 0..255: vpdpwssd's products of the high halves are zero. */
    static TIERCEL_INLINE Integers addProducts(Integers sums, Integers a, Integers b) {
        asm("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
        return sums;
    }

    static TIERCEL_INLINE Wide noWide() { return _mm512_setzero_si512(); }
    static TIERCEL_INLINE Wide addWide(Wide sums, Integers value) {
        const Wide low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(value));
        return _mm512_add_epi64(sums, _mm512_add_epi64(low, _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(value, 1))));
    }
    static TIERCEL_INLINE Wide addSquares(Wide sums, Integers value) {
        const Integers odd = _mm512_srli_epi64(value, 32);
        return _mm512_add_epi64(sums, _mm512_add_epi64(_mm512_mul_epi32(value, value), _mm512_mul_epi32(odd, odd)));
    }
    static TIERCEL_INLINE int64_t sumWide(Wide value) { return _mm512_reduce_add_epi64(value); }

    static TIERCEL_INLINE int32_t sumLanes(Integers value) { return _mm512_reduce_add_epi32(value); }

    /** The sum of 32 activations. */
    static TIERCEL_INLINE int32_t sum32(const Activation* from) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        // vpsadbw sums unsigned bytes: x + 128, and 32 x 128 off again.
        const __m256i sums = _mm256_sad_epu8(_mm256_xor_si256(bytes, _mm256_set1_epi8(static_cast<char>(0x80))),
                                             _mm256_setzero_si256());
        const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
        return static_cast<int32_t>(_mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1)) - 32 * 128;
    }
};

}  // namespace
}  // namespace tiercel

#endif
