/*
 * 8 lanes of AVX2: weights widened to 16 bits, vpmaddwd multiplies two a lane and adds. (vpmaddubsw would take bytes,
 * but saturates at 16 bits, which is not exact.)
 */
#ifndef TIERCEL_LANES_AVX2_H
#define TIERCEL_LANES_AVX2_H

#include <immintrin.h>

#include "exact.h"

namespace tiercel {
namespace {

struct Avx2Lanes {
    static constexpr int LANES = 8;
    static constexpr int COLUMNS = 2;
    /** Vectors of rows that one pass keeps in registers. */
    static constexpr int VECTORS = 4;
    static constexpr int CODE_OFFSET = 0;
    using Activation = int16_t;
    using Floats = __m256;
    using Integers = __m256i;
    /** Sums of 64 bits, in some lanes or other. */
    using Wide = __m256i;
    using Codes = __m128i;
    using Columns = __m256i;

    static TIERCEL_INLINE Floats all(float value) { return _mm256_set1_ps(value); }
    static TIERCEL_INLINE Integers allIntegers(int32_t value) { return _mm256_set1_epi32(value); }
    static TIERCEL_INLINE Floats minimum(Floats a, Floats b) { return _mm256_min_ps(a, b); }
    static TIERCEL_INLINE Floats maximum(Floats a, Floats b) { return _mm256_max_ps(a, b); }
    /** Bits without their sign: they order as magnitudes do. */
    static TIERCEL_INLINE Integers magnitudeBits(Floats value) {
        return _mm256_and_si256(_mm256_castps_si256(value), _mm256_set1_epi32(0x7FFFFFFF));
    }
    /** A bit for each lane of a that is not below b. */
    static TIERCEL_INLINE uint32_t notBelow(Floats a, Floats b) {
        return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NLT_UQ)));
    }
    static TIERCEL_INLINE Floats toFloats(Integers value) { return _mm256_cvtepi32_ps(value); }
    static TIERCEL_INLINE Floats load(const float* from) { return _mm256_loadu_ps(from); }
    static TIERCEL_INLINE void store(float* to, Floats value) { _mm256_storeu_ps(to, value); }
    static TIERCEL_INLINE void store(int32_t* to, Integers value) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value);
    }
    static TIERCEL_INLINE void store(int16_t* to, Integers value) {
        const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(value, value), 0x08);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
    }
    static TIERCEL_INLINE void store(int8_t* to, Integers value) {
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(words, words));
    }
    /** Bytes 1 and 0 of integers of 16 bits. */
    static TIERCEL_INLINE void storeTwoBytes(uint8_t* high, uint8_t* low, const Integers (&values)[4]) {
        // Packing takes 128 bits at a time: fours of bytes of the four values by turns, which are put in order.
        const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        const __m256i first = _mm256_packus_epi32(values[0], values[1]);
        const __m256i second = _mm256_packus_epi32(values[2], values[3]);
        const __m256i byte = _mm256_set1_epi16(0xFF);
        const __m256i lows = _mm256_packus_epi16(_mm256_and_si256(first, byte), _mm256_and_si256(second, byte));
        const __m256i highs = _mm256_packus_epi16(_mm256_srli_epi16(first, 8), _mm256_srli_epi16(second, 8));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(high), _mm256_permutevar8x32_epi32(highs, order));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(low), _mm256_permutevar8x32_epi32(lows, order));
    }
    static TIERCEL_INLINE Integers loadIntegers(const int32_t* from) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    static TIERCEL_INLINE Integers maximum(Integers a, Integers b) { return _mm256_max_epi32(a, b); }
    static TIERCEL_INLINE int32_t largest(Integers value) {
        const __m128i four = _mm_max_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
        const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4E));
        return _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
    }
    /** Zero but in the first lanes. */
    static TIERCEL_INLINE Integers firstLanes(Integers value, int count) {
        const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return _mm256_and_si256(value, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
    }
    static TIERCEL_INLINE Integers rint(Floats value) { return _mm256_cvtps_epi32(value); }
    static TIERCEL_INLINE Integers rintLarge(Floats value) { return _mm256_cvtps_epi32(value); }
    static TIERCEL_INLINE Floats powerOfTwo(Integers n) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
    }

    static TIERCEL_INLINE Integers add(Integers a, Integers b) { return _mm256_add_epi32(a, b); }
    static TIERCEL_INLINE Integers addProducts(Integers sums, Integers a, Integers b) {
        return add(sums, _mm256_mullo_epi32(a, b));
    }
    static TIERCEL_INLINE Integers subtract(Integers a, Integers b) { return _mm256_sub_epi32(a, b); }
    static TIERCEL_INLINE Integers sixteenth(Integers value) { return _mm256_srai_epi32(value, 4); }
    static TIERCEL_INLINE Integers shiftLeft(Integers value, int bits) { return _mm256_slli_epi32(value, bits); }

    static TIERCEL_INLINE Codes loadCodes(const uint8_t* from) {
        return _mm_load_si128(reinterpret_cast<const __m128i*>(from));
    }
    static TIERCEL_INLINE Columns loadColumns(const Activation* from) {
        int32_t two;
        std::memcpy(&two, from, sizeof two);
        return _mm256_set1_epi32(two);
    }
    static TIERCEL_INLINE Integers loadMultipliers(const uint8_t* from) {
        return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    }

    static TIERCEL_INLINE Integers dot(Integers sums, Codes codes, Columns columns) {
        return add(sums, _mm256_madd_epi16(_mm256_cvtepi8_epi16(codes), columns));
    }
    static TIERCEL_INLINE Integers dotUnsigned(Integers sums, Codes codes, Columns columns) {
        return add(sums, _mm256_madd_epi16(_mm256_cvtepu8_epi16(codes), columns));
    }
    static TIERCEL_INLINE Codes lowNibbles(const Codes& codes) { return _mm_and_si128(codes, _mm_set1_epi8(0x0F)); }

    static TIERCEL_INLINE Wide noWide() { return _mm256_setzero_si256(); }
    static TIERCEL_INLINE Wide addWide(Wide sums, Integers value) {
        const Wide low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(value));
        return _mm256_add_epi64(sums, _mm256_add_epi64(low, _mm256_cvtepi32_epi64(_mm256_extracti128_si256(value, 1))));
    }
    static TIERCEL_INLINE Wide addSquares(Wide sums, Integers value) {
        const Integers odd = _mm256_srli_epi64(value, 32);
        return _mm256_add_epi64(sums, _mm256_add_epi64(_mm256_mul_epi32(value, value), _mm256_mul_epi32(odd, odd)));
    }
    static TIERCEL_INLINE int64_t sumWide(Wide value) {
        const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
        return _mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1);
    }

    static TIERCEL_INLINE int32_t sumLanes(Integers value) {
        const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(value), _mm256_extracti128_si256(value, 1));
        const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
        return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
    }

    static TIERCEL_INLINE int32_t sum32(const Activation* from) {
        Integers sums = _mm256_setzero_si256();
        for (int i = 0; i < 32; i += 16) {
            const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
            sums = add(sums, _mm256_madd_epi16(words, _mm256_set1_epi16(1)));
        }
        return sumLanes(sums);
    }
};

}  // namespace
}  // namespace tiercel

#endif
