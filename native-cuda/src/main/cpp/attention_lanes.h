/*
 * Attention over packed codes, for each instruction set: products of a query with keys, sums of values times weights.
 * Codes are unsigned fields of b bits here, or signed bytes; what they stand for the caller makes of the sums.
 *
 *   keys    a block of 16 slots times 8 / b fields: for each 4 channels 64 bytes, [16 slots][4 channels]
 *   values  a block of  4 slots times 8 / b fields: [d channels][4 slots] bytes
 */
#ifndef TIERCEL_ATTENTION_LANES_H
#define TIERCEL_ATTENTION_LANES_H

#include <cstdint>
#include <cstring>

#include "exact.h"
#include "transformer_view.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace tiercel {
namespace {

/** One head's coded slots, where channels share codes: an entry for each that stands for all of a group. */
struct CoupledCodes {
    static constexpr int ENTRIES = 256;
    static constexpr int PAGE_SLOTS = 128;

    /** [channels][256], and the same as [channels / width][256][width]. */
    const int8_t* entries;
    const int8_t* codebook;
    int channels;
    /** Channels that share a code: 2, 4 or 8. */
    int width;
    const TransformerStateView* view;
    const uint8_t* state;
    /** Where in a page [channels / width][128] codes stand. */
    int64_t inPage;
    int slots;

    const uint8_t* page(int slot) const { return view->page(state, slot / PAGE_SLOTS) + inPage; }
    int slotsOfPage(int slot) const { return slots - slot < PAGE_SLOTS ? slots - slot : PAGE_SLOTS; }
};

/** Coupled codes in plain loops, for whoever has nothing better. */
struct PlainCoupled {
    /** table is scratch, [channels / width][256]: what the query makes of each entry. */
    static void coupledKeys(
        const CoupledCodes& codes, const int8_t* query, int32_t querySum, int32_t* table, int32_t* products) {
        static_cast<void>(querySum);
        const int groups = codes.channels / codes.width;
        for (int group = 0; group < groups; group++) {
            makeTable(codes, group, query, table + group * CoupledCodes::ENTRIES);
        }
        for (int slot = 0; slot < codes.slots; slot += CoupledCodes::PAGE_SLOTS) {
            const uint8_t* page = codes.page(slot);
            const int count = codes.slotsOfPage(slot);
            std::memset(products + slot, 0, count * sizeof(int32_t));
            for (int group = 0; group < groups; group++, page += CoupledCodes::PAGE_SLOTS) {
                for (int i = 0; i < count; i++) {
                    products[slot + i] += table[group * CoupledCodes::ENTRIES + page[i]];
                }
            }
        }
    }

    /** sums[c] += weights times entries. A page's sums fit 32 bits: 128 x 2^15 x 128. */
    static void coupledValues(
        const CoupledCodes& codes, const uint8_t* highWeights, const uint8_t* lowWeights, int64_t* sums) {
        for (int slot = 0; slot < codes.slots; slot += CoupledCodes::PAGE_SLOTS) {
            const int count = codes.slotsOfPage(slot);
            int32_t weights[CoupledCodes::PAGE_SLOTS];
            for (int i = 0; i < count; i++) {
                weights[i] = 256 * highWeights[slot + i] + lowWeights[slot + i];
            }
            const uint8_t* page = codes.page(slot);
            const int8_t* group = codes.codebook;
            for (int c = 0; c < codes.channels; c += codes.width, page += CoupledCodes::PAGE_SLOTS) {
                int32_t some[8] = {};
                for (int i = 0; i < count; i++) {
                    const int8_t* entry = group + page[i] * codes.width;
                    for (int j = 0; j < codes.width; j++) {
                        some[j] += weights[i] * entry[j];
                    }
                }
                for (int j = 0; j < codes.width; j++) {
                    sums[c + j] += some[j];
                }
                group += codes.width * CoupledCodes::ENTRIES;
            }
        }
    }

private:
    static TIERCEL_INLINE void makeTable(const CoupledCodes& codes, int group, const int8_t* query, int32_t* table) {
        int32_t of[CoupledCodes::ENTRIES] = {};
        for (int c = group * codes.width; c < (group + 1) * codes.width; c++) {
            const int8_t* entries = codes.entries + c * CoupledCodes::ENTRIES;
            const int32_t channel = query[c];
            for (int i = 0; i < CoupledCodes::ENTRIES; i++) {
                of[i] += static_cast<int16_t>(channel * entries[i]);
            }
        }
        std::memcpy(table, of, sizeof of);
    }
};

/** C++ without intrinsics. */
struct PortableAttention : PlainCoupled {
    /** products of blocks of slots: query . codes of each. */
    template <int BITS>
    static void keys(
        const uint8_t* blocks, int blockCount, int channels, const int8_t* query, int32_t querySum,
        int32_t* products) {
        static_cast<void>(querySum);
        for (int i = 0; i < blockCount; i++) {
            keysOfBlock<BITS>(blocks + i * 16 * channels, channels, query, products + i * 16 * (8 / BITS));
        }
    }

    template <int BITS>
    static TIERCEL_INLINE void keysOfBlock(
        const uint8_t* block, int channels, const int8_t* query, int32_t* products) {
        constexpr int FIELDS = 8 / BITS;
        for (int field = 0; field < FIELDS; field++) {
            int32_t sums[16] = {};
            for (int c = 0; c < channels; c++) {
                const uint8_t* codes = block + c / 4 * 64 + c % 4;
                for (int slot = 0; slot < 16; slot++) {
                    sums[slot] += query[c] * code<BITS>(codes[4 * slot], field);
                }
            }
            std::memcpy(products + 16 * field, sums, sizeof sums);
        }
    }

    /** high[c], low[c] += the weights' high and low bytes times codes, over blocks of slots. */
    template <int BITS>
    static void values(
        const uint8_t* blocks, int blockCount, int channels, const uint8_t* highWeights, const uint8_t* lowWeights,
        int32_t* high, int32_t* low) {
        constexpr int FIELDS = 8 / BITS;
        for (int block = 0; block < blockCount; block++) {
            for (int slot = 0; slot < 4 * FIELDS; slot++) {
                const int32_t highWeight = *highWeights++;
                const int32_t lowWeight = *lowWeights++;
                const uint8_t* codes = blocks + slot % 4;
                for (int c = 0; c < channels; c++) {
                    const int32_t value = code<BITS>(codes[4 * c], slot / 4);
                    high[c] += highWeight * value;
                    low[c] += lowWeight * value;
                }
            }
            blocks += 4 * channels;
        }
    }

private:
    template <int BITS>
    static TIERCEL_INLINE int32_t code(uint8_t byte, int field) {
        return BITS == 8 ? static_cast<int8_t>(byte) : (byte >> (field * BITS)) & ((1 << BITS) - 1);
    }
};

#if defined(__AVX2__)
/** vpmaddubsw is exact for codes of up to 4 bits: 2 x 15 x 255 fits 16 bits. Bytes are widened. */
struct Avx2Attention : PlainCoupled {
    template <int BITS>
    static void keys(
        const uint8_t* blocks, int blockCount, int channels, const int8_t* query, int32_t querySum,
        int32_t* products) {
        static_cast<void>(querySum);
        for (int i = 0; i < blockCount; i++) {
            keysOfBlock<BITS>(blocks + i * 16 * channels, channels, query, products + i * 16 * (8 / BITS));
        }
    }

    template <int BITS>
    static TIERCEL_INLINE void keysOfBlock(
        const uint8_t* block, int channels, const int8_t* query, int32_t* products) {
        constexpr int FIELDS = 8 / BITS;
        for (int half = 0; half < 2; half++) {
            __m256i sums[FIELDS == 1 ? 2 : FIELDS] = {};
            for (int group = 0; group < channels / 4; group++) {
                int32_t four;
                std::memcpy(&four, query + 4 * group, sizeof four);
                const uint8_t* from = block + 64 * group + 32 * half;
                if constexpr (BITS == 8) {
                    const __m256i columns = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
                    for (int i = 0; i < 2; i++) {
                        const __m256i codes =
                            _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 16 * i)));
                        sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(codes, columns));
                    }
                } else {
                    const __m256i columns = _mm256_set1_epi32(four);
                    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
                    for (int field = 0; field < FIELDS; field++) {
                        sums[field] = _mm256_add_epi32(sums[field], dot(fieldOf<BITS>(bytes, field), columns));
                    }
                }
            }
            if constexpr (BITS == 8) {
                // Of each slot two sums stand side by side; hadd takes four slots of each operand's halves.
                const __m256i added = _mm256_hadd_epi32(sums[0], sums[1]);
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(products + 8 * half),
                                    _mm256_permute4x64_epi64(added, 0xD8));
            } else {
                for (int field = 0; field < FIELDS; field++) {
                    _mm256_storeu_si256(reinterpret_cast<__m256i*>(products + 16 * field + 8 * half), sums[field]);
                }
            }
        }
    }

    template <int BITS>
    static void values(
        const uint8_t* blocks, int blockCount, int channels, const uint8_t* highWeights, const uint8_t* lowWeights,
        int32_t* high, int32_t* low) {
        constexpr int FIELDS = 8 / BITS;
        int c = 0;
        for (; c <= channels - 8; c += 8) {
            __m256i highSums = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(high + c));
            __m256i lowSums = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(low + c));
            const uint8_t* from = blocks + 4 * c;
            for (int block = 0; block < blockCount; block++, from += 4 * channels) {
                const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
                for (int field = 0; field < FIELDS; field++) {
                    const int slot = (block * FIELDS + field) * 4;
                    if constexpr (BITS == 8) {
                        highSums = _mm256_add_epi32(highSums, dotWide(bytes, highWeights + slot));
                        lowSums = _mm256_add_epi32(lowSums, dotWide(bytes, lowWeights + slot));
                    } else {
                        const __m256i codes = fieldOf<BITS>(bytes, field);
                        highSums = _mm256_add_epi32(highSums, dot(four(highWeights + slot), codes));
                        lowSums = _mm256_add_epi32(lowSums, dot(four(lowWeights + slot), codes));
                    }
                }
            }
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(high + c), highSums);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(low + c), lowSums);
        }
        if (c < channels) {
            lastValues<BITS>(blocks, blockCount, channels, c, highWeights, lowWeights, high, low);
        }
    }

private:
    template <int BITS>
    static TIERCEL_INLINE __m256i fieldOf(__m256i bytes, int field) {
        return _mm256_and_si256(_mm256_srli_epi16(bytes, field * BITS), _mm256_set1_epi8((1 << BITS) - 1));
    }

    static TIERCEL_INLINE __m256i four(const uint8_t* weights) {
        int32_t value;
        std::memcpy(&value, weights, sizeof value);
        return _mm256_set1_epi32(value);
    }

    /** Sums of four products of bytes, of which two and two fit 16 bits. */
    static TIERCEL_INLINE __m256i dot(__m256i unsignedBytes, __m256i signedBytes) {
        return _mm256_madd_epi16(_mm256_maddubs_epi16(unsignedBytes, signedBytes), _mm256_set1_epi16(1));
    }

    /** The same of any bytes: [8 channels][4 slots] times four weights. */
    static TIERCEL_INLINE __m256i dotWide(__m256i bytes, const uint8_t* weights) {
        int32_t value;
        std::memcpy(&value, weights, sizeof value);
        const __m256i columns = _mm256_cvtepu8_epi16(_mm_set1_epi32(value));
        const __m256i first = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm256_castsi256_si128(bytes)), columns);
        const __m256i second = _mm256_madd_epi16(_mm256_cvtepi8_epi16(_mm256_extracti128_si256(bytes, 1)), columns);
        return _mm256_permute4x64_epi64(_mm256_hadd_epi32(first, second), 0xD8);
    }

    /** The last four channels of an odd number of fours. */
    template <int BITS>
    static void lastValues(
        const uint8_t* blocks, int blockCount, int channels, int first, const uint8_t* highWeights,
        const uint8_t* lowWeights, int32_t* high, int32_t* low) {
        constexpr int FIELDS = 8 / BITS;
        for (int block = 0; block < blockCount; block++, blocks += 4 * channels) {
            for (int slot = 0; slot < 4 * FIELDS; slot++) {
                const int32_t highWeight = *highWeights++;
                const int32_t lowWeight = *lowWeights++;
                for (int c = first; c < channels; c++) {
                    const uint8_t byte = blocks[4 * c + slot % 4];
                    const int32_t value =
                        BITS == 8 ? static_cast<int8_t>(byte) : (byte >> (slot / 4 * BITS)) & ((1 << BITS) - 1);
                    high[c] += highWeight * value;
                    low[c] += lowWeight * value;
                }
            }
        }
    }
};
#endif

#if defined(__AVX512VNNI__)
/**
 * Coupled codes by vpermb, which looks up 64 bytes in a table of 64: four of them look up an entry's channel for 64
 * slots. Not every processor with VNNI has it (AVX-512 VBMI), so this is asked for, and compiled for it by itself.
 */
struct VbmiCoupled {
    static constexpr int LOOKED_UP = 64;

    static bool isThere() {
        static const bool IS_THERE = __builtin_cpu_supports("avx512vbmi");
        return IS_THERE;
    }

#define TIERCEL_VBMI __attribute__((target("avx512vbmi")))
    TIERCEL_VBMI static void keys(const CoupledCodes& codes, const int8_t* query, int32_t querySum, int32_t* products) {
        switch (codes.width) {
            case 2: return keysOf<2>(codes, query, querySum, products);
            case 4: return keysOf<4>(codes, query, querySum, products);
            default: return keysOf<8>(codes, query, querySum, products);
        }
    }

    TIERCEL_VBMI static void values(
        const CoupledCodes& codes, const uint8_t* highWeights, const uint8_t* lowWeights, int64_t* sums) {
        switch (codes.width) {
            case 2: return valuesOf<2>(codes, highWeights, lowWeights, sums);
            case 4: return valuesOf<4>(codes, highWeights, lowWeights, sums);
            default: return valuesOf<8>(codes, highWeights, lowWeights, sums);
        }
    }

private:
    /** 64 codes, and which quarter of the entries each is in. */
    struct Index {
        __m512i codes;
        __mmask64 second;
        __mmask64 third;
        __mmask64 fourth;
    };

    TIERCEL_VBMI static inline Index index(const uint8_t* from) {
        const __m512i codes = _mm512_loadu_si512(from);
        const __mmask64 high = _mm512_movepi8_mask(codes);
        const __mmask64 odd = _mm512_test_epi8_mask(codes, _mm512_set1_epi8(0x40));
        return {codes, _kandn_mask64(high, odd), _kandn_mask64(odd, high), _kand_mask64(high, odd)};
    }

    TIERCEL_VBMI static inline __m512i lookUp(const Index& index, const int8_t* entries) {
        __m512i found = _mm512_permutexvar_epi8(index.codes, _mm512_loadu_si512(entries));
        found = _mm512_mask_permutexvar_epi8(found, index.second, index.codes, _mm512_loadu_si512(entries + 64));
        found = _mm512_mask_permutexvar_epi8(found, index.third, index.codes, _mm512_loadu_si512(entries + 128));
        return _mm512_mask_permutexvar_epi8(found, index.fourth, index.codes, _mm512_loadu_si512(entries + 192));
    }

    static TIERCEL_INLINE __m512i dot(__m512i sums, __m512i unsignedBytes, __m512i signedBytes) {
        asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(unsignedBytes), "v"(signedBytes));
        return sums;
    }

    /** A slot's four channels come to stand side by side, and are multiplied with the query's. */
    template <int WIDTH>
    TIERCEL_VBMI static void keysOf(
        const CoupledCodes& codes, const int8_t* query, int32_t querySum, int32_t* products) {
        for (int slot = 0; slot < codes.slots; slot += LOOKED_UP) {
            const uint8_t* page = codes.page(slot) + slot % CoupledCodes::PAGE_SLOTS;
            // vpdpbusd's first operand is unsigned: 128 is added to each channel of an entry.
            __m512i sums[4];
            for (__m512i& sum : sums) {
                sum = _mm512_set1_epi32(-128 * querySum);
            }
            Index at{};
            for (int c = 0; c < codes.channels; c += 4) {
                __m512i found[4];
#pragma GCC unroll 4
                for (int i = 0; i < 4; i++) {
                    if ((c + i) % WIDTH == 0) {
                        at = index(page + (c + i) / WIDTH * CoupledCodes::PAGE_SLOTS);
                    }
                    found[i] = lookUp(at, codes.entries + (c + i) * CoupledCodes::ENTRIES);
                }
                int32_t four;
                std::memcpy(&four, query + c, sizeof four);
                addFours(found, _mm512_set1_epi32(four), sums);
            }
            storeSlots(sums, products + slot);
        }
    }

    TIERCEL_VBMI static inline void addFours(const __m512i (&found)[4], __m512i columns, __m512i (&sums)[4]) {
        const __m512i offset = _mm512_set1_epi8(-128);
        const __m512i lowTwo = _mm512_unpacklo_epi8(found[0], found[1]);
        const __m512i highTwo = _mm512_unpackhi_epi8(found[0], found[1]);
        const __m512i lowOthers = _mm512_unpacklo_epi8(found[2], found[3]);
        const __m512i highOthers = _mm512_unpackhi_epi8(found[2], found[3]);
        sums[0] = dot(sums[0], _mm512_xor_si512(_mm512_unpacklo_epi16(lowTwo, lowOthers), offset), columns);
        sums[1] = dot(sums[1], _mm512_xor_si512(_mm512_unpackhi_epi16(lowTwo, lowOthers), offset), columns);
        sums[2] = dot(sums[2], _mm512_xor_si512(_mm512_unpacklo_epi16(highTwo, highOthers), offset), columns);
        sums[3] = dot(sums[3], _mm512_xor_si512(_mm512_unpackhi_epi16(highTwo, highOthers), offset), columns);
    }

    /** Unpacking works on 128 bits at a time, so sums[i] has slots 4i.. of each 16. */
    TIERCEL_VBMI static inline void storeSlots(const __m512i (&sums)[4], int32_t* to) {
        for (int i = 0; i < 4; i++) {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 4 * i), _mm512_castsi512_si128(sums[i]));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16 + 4 * i), _mm512_extracti32x4_epi32(sums[i], 1));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 32 + 4 * i), _mm512_extracti32x4_epi32(sums[i], 2));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 48 + 4 * i), _mm512_extracti32x4_epi32(sums[i], 3));
        }
    }

    /** Weights are zero past the last slot, up to 64. */
    template <int WIDTH>
    TIERCEL_VBMI static void valuesOf(
        const CoupledCodes& codes, const uint8_t* highWeights, const uint8_t* lowWeights, int64_t* sums) {
        for (int slot = 0; slot < codes.slots; slot += CoupledCodes::PAGE_SLOTS) {
            const uint8_t* page = codes.page(slot);
            const int count = codes.slotsOfPage(slot);
            int c = 0;
            for (; c < codes.channels; c += WIDTH) {
                __m512i high[WIDTH] = {};
                __m512i low[WIDTH] = {};
                for (int i = 0; i < count; i += LOOKED_UP) {
                    const Index at = index(page + c / WIDTH * CoupledCodes::PAGE_SLOTS + i);
                    const __m512i highs = _mm512_loadu_si512(highWeights + slot + i);
                    const __m512i lows = _mm512_loadu_si512(lowWeights + slot + i);
#pragma GCC unroll 8
                    for (int j = 0; j < WIDTH; j++) {
                        const __m512i found = lookUp(at, codes.entries + (c + j) * CoupledCodes::ENTRIES);
                        high[j] = dot(high[j], highs, found);
                        low[j] = dot(low[j], lows, found);
                    }
                }
                // Of a page a lane's sum fits 32 bits, and that of all lanes: 128 x 2^15 x 128.
                for (int j = 0; j < WIDTH; j++) {
                    sums[c + j] += _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_slli_epi32(high[j], 8), low[j]));
                }
            }
        }
    }
#undef TIERCEL_VBMI
};

struct Avx512Attention {
    static void coupledKeys(
        const CoupledCodes& codes, const int8_t* query, int32_t querySum, int32_t* table, int32_t* products) {
        if (VbmiCoupled::isThere()) {
            VbmiCoupled::keys(codes, query, querySum, products);
        } else {
            PlainCoupled::coupledKeys(codes, query, querySum, table, products);
        }
    }

    static void coupledValues(
        const CoupledCodes& codes, const uint8_t* highWeights, const uint8_t* lowWeights, int64_t* sums) {
        if (VbmiCoupled::isThere()) {
            VbmiCoupled::values(codes, highWeights, lowWeights, sums);
        } else {
            PlainCoupled::coupledValues(codes, highWeights, lowWeights, sums);
        }
    }

    /** querySum takes out of the products of bytes what is added to each key. */
    template <int BITS>
    static void keys(
        const uint8_t* blocks, int blockCount, int channels, const int8_t* query, int32_t querySum,
        int32_t* products) {
        // Eight sums in the making: of several blocks, or of one block's fields.
        keysInTiles<BITS, BITS>(blocks, blockCount, channels, query, querySum, products);
    }

    template <int BITS>
    static void values(
        const uint8_t* blocks, int blockCount, int channels, const uint8_t* highWeights, const uint8_t* lowWeights,
        int32_t* high, int32_t* low) {
        if (channels == 8) {
            eightValues<BITS>(blocks, blockCount, highWeights, lowWeights, high, low);
            return;
        }
        int c = 0;
        for (; c <= channels - 64; c += 64) {
            someValues<BITS, 4>(blocks, blockCount, channels, c, 0xFFFF, highWeights, lowWeights, high, low);
        }
        for (; c <= channels - 32; c += 32) {
            someValues<BITS, 2>(blocks, blockCount, channels, c, 0xFFFF, highWeights, lowWeights, high, low);
        }
        for (; c < channels; c += 16) {
            const int rest = channels - c < 16 ? channels - c : 16;
            const __mmask16 mask = static_cast<__mmask16>((1u << rest) - 1);
            someValues<BITS, 1>(blocks, blockCount, channels, c, mask, highWeights, lowWeights, high, low);
        }
    }

private:
    /** So many blocks at once, and of the rest half as many. */
    template <int BITS, int TILE>
    static TIERCEL_INLINE void keysInTiles(
        const uint8_t* blocks, int blockCount, int channels, const int8_t* query, int32_t querySum,
        int32_t* products) {
        int i = 0;
        for (; i <= blockCount - TILE; i += TILE) {
            someKeys<BITS, TILE>(blocks + i * 16 * channels, channels, query, querySum, products + i * 128 / BITS);
        }
        if constexpr (TILE > 1) {
            keysInTiles<BITS, TILE / 2>(
                blocks + i * 16 * channels, blockCount - i, channels, query, querySum, products + i * 128 / BITS);
        }
    }

    template <int BITS, int BLOCKS>
    static TIERCEL_INLINE void someKeys(
        const uint8_t* blocks, int channels, const int8_t* query, int32_t querySum, int32_t* products) {
        constexpr int FIELDS = 8 / BITS;
        __m512i sums[BLOCKS][FIELDS];
        for (int i = 0; i < BLOCKS; i++) {
            for (int field = 0; field < FIELDS; field++) {
                sums[i][field] = _mm512_set1_epi32(BITS == 8 ? -128 * querySum : 0);
            }
        }
        for (int group = 0; group < channels / 4; group++) {
            const __m512i columns = four(reinterpret_cast<const uint8_t*>(query) + 4 * group);
#pragma GCC unroll 8
            for (int i = 0; i < BLOCKS; i++) {
                const __m512i bytes = _mm512_loadu_si512(blocks + i * 16 * channels + 64 * group);
                if constexpr (BITS == 8) {
                    // vpdpbusd's first operand is unsigned: 128 is added to each key.
                    sums[i][0] = dot(sums[i][0], _mm512_xor_si512(bytes, _mm512_set1_epi8(-128)), columns);
                } else {
                    // Of each field with those below it, which takes a mask alone, and of the last not even that.
#pragma GCC unroll 8
                    for (int field = 0; field < FIELDS; field++) {
                        sums[i][field] = dot(sums[i][field], lowFields<BITS>(bytes, field + 1), columns);
                    }
                }
            }
        }
        for (int i = 0; i < BLOCKS; i++) {
            for (int field = 0; field < FIELDS; field++) {
                const __m512i below = field == 0 ? _mm512_setzero_si512() : sums[i][field - 1];
                const __m512i apart = _mm512_srai_epi32(_mm512_sub_epi32(sums[i][field], below), field * BITS);
                _mm512_storeu_si512(products + 16 * (i * FIELDS + field), field == 0 ? sums[i][0] : apart);
            }
        }
    }

    static TIERCEL_INLINE __m512i dot(__m512i sums, __m512i unsignedBytes, __m512i signedBytes) {
        // As _mm512_dpbusd_epi32, for which GCC 12 copies every sum before and after it.
        asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(unsignedBytes), "v"(signedBytes));
        return sums;
    }

    template <int BITS>
    static TIERCEL_INLINE __m512i lowFields(__m512i bytes, int count) {
        return count * BITS == 8 ? bytes : _mm512_and_si512(bytes, _mm512_set1_epi8((1 << (count * BITS)) - 1));
    }

    template <int BITS>
    static TIERCEL_INLINE __m512i fieldOf(__m512i bytes, int field) {
        return _mm512_and_si512(_mm512_srli_epi16(bytes, field * BITS), _mm512_set1_epi8((1 << BITS) - 1));
    }

    static TIERCEL_INLINE __m512i four(const uint8_t* weights) {
        int32_t value;
        std::memcpy(&value, weights, sizeof value);
        return _mm512_set1_epi32(value);
    }

    /** Heads of eight channels: two blocks are the sixteen lanes. */
    template <int BITS>
    static TIERCEL_INLINE void eightValues(
        const uint8_t* blocks, int blockCount, const uint8_t* highWeights, const uint8_t* lowWeights, int32_t* high,
        int32_t* low) {
        constexpr int FIELDS = 8 / BITS;
        __m512i highSums = _mm512_setzero_si512();
        __m512i lowSums = _mm512_setzero_si512();
        for (int block = 0; block < blockCount; block += 2) {
            const bool isPair = block + 1 < blockCount;
            const __m512i bytes = _mm512_maskz_loadu_epi32(isPair ? 0xFFFF : 0x00FF, blocks + 32 * block);
#pragma GCC unroll 8
            for (int field = 0; field < FIELDS; field++) {
                const __m512i codes = BITS == 8 ? bytes : fieldOf<BITS>(bytes, field);
                const int slot = (block * FIELDS + field) * 4;
                // Of the second block nothing is read where there is none: its codes are zeros.
                const int second = isPair ? slot + 4 * FIELDS : slot;
                highSums = dot(highSums, twoFours(highWeights + slot, highWeights + second), codes);
                lowSums = dot(lowSums, twoFours(lowWeights + slot, lowWeights + second), codes);
            }
        }
        const __m256i highs =
            _mm256_add_epi32(_mm512_castsi512_si256(highSums), _mm512_extracti64x4_epi64(highSums, 1));
        const __m256i lows = _mm256_add_epi32(_mm512_castsi512_si256(lowSums), _mm512_extracti64x4_epi64(lowSums, 1));
        addTo(high, highs);
        addTo(low, lows);
    }

    static TIERCEL_INLINE __m512i twoFours(const uint8_t* first, const uint8_t* second) {
        int32_t other;
        std::memcpy(&other, second, sizeof other);
        return _mm512_mask_set1_epi32(four(first), 0xFF00, other);
    }

    static TIERCEL_INLINE void addTo(int32_t* sums, __m256i addend) {
        __m256i* to = reinterpret_cast<__m256i*>(sums);
        _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), addend));
    }

    /** V vectors of 16 channels from channel c on; of the last vector those of the mask. */
    template <int BITS, int V>
    static TIERCEL_INLINE void someValues(
        const uint8_t* blocks, int blockCount, int channels, int c, __mmask16 mask, const uint8_t* highWeights,
        const uint8_t* lowWeights, int32_t* high, int32_t* low) {
        constexpr int FIELDS = 8 / BITS;
        __m512i highSums[V] = {};
        __m512i lowSums[V] = {};
        const uint8_t* from = blocks + 4 * c;
        for (int block = 0; block < blockCount; block++, from += 4 * channels) {
            __m512i bytes[V];
            for (int v = 0; v < V; v++) {
                bytes[v] = _mm512_maskz_loadu_epi32(mask, from + 64 * v);
            }
#pragma GCC unroll 8
            for (int field = 0; field < FIELDS; field++) {
                const int slot = (block * FIELDS + field) * 4;
                const __m512i highFour = four(highWeights + slot);
                const __m512i lowFour = four(lowWeights + slot);
                for (int v = 0; v < V; v++) {
                    const __m512i codes = BITS == 8 ? bytes[v] : fieldOf<BITS>(bytes[v], field);
                    highSums[v] = dot(highSums[v], highFour, codes);
                    lowSums[v] = dot(lowSums[v], lowFour, codes);
                }
            }
        }
        for (int v = 0; v < V; v++) {
            addTo(high + c + 16 * v, mask, highSums[v]);
            addTo(low + c + 16 * v, mask, lowSums[v]);
        }
    }

    static TIERCEL_INLINE void addTo(int32_t* sums, __mmask16 mask, __m512i addend) {
        _mm512_mask_storeu_epi32(sums, mask, _mm512_add_epi32(_mm512_maskz_loadu_epi32(mask, sums), addend));
    }
};
#endif

}  // namespace
}  // namespace tiercel

#endif
