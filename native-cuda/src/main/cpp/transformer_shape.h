/*
 * A model of the transformer family as the CPU and CUDA kernels have it in common: its sizes and numbers, how its cache
 * is coded, where the parts of a session's state stand, and by what names a host gives its weights.
 *
 * Letters as in appliance/TRANSFORMER.md: D the residual stream, H heads of queries, K of keys and values, d channels
 * of a head, F units of a feed-forward layer, V tokens.
 */
#ifndef TIERCEL_TRANSFORMER_SHAPE_H
#define TIERCEL_TRANSFORMER_SHAPE_H

#include <cstdint>

#include "exact.h"
#include "memory.h"
#include "packing.h"

namespace tiercel {

/** What a head's logits become. */
enum class Outputs : int32_t { LIKELIEST_TOKENS, PROBABILITIES, LOGITS };

/** How keys, or values, are coded once they leave the window: as CodecParameters.java says. */
struct CodecFormat {
    static constexpr int ENTRIES = 256;

    /** A channel. */
    int32_t bits;
    /** That share a code: 1 unless coupled. */
    int32_t channels;

    TIERCEL_INLINE bool isCoupled() const { return channels > 1; }
    TIERCEL_INLINE bool hasSteps() const { return !isCoupled() && bits < 8; }
    TIERCEL_INLINE int codesOf(int channelCount) const { return channelCount / channels; }
    /** What a uniform code stands for is 2 code - offset. */
    TIERCEL_INLINE int offset() const { return (1 << bits) - 1; }
};

/** As the C interface takes it; tiercel_cpu.h says what each is. */
struct TransformerShape {
    int32_t layers;
    int32_t dimension;
    int32_t heads;
    int32_t keyValueHeads;
    int32_t headSize;
    int32_t hidden;
    int32_t vocabulary;
    int32_t features;
    int32_t logits;
    int32_t top;
    int32_t context;
    int32_t window;
    int32_t sinks;
    int32_t experts;
    int32_t activeExperts;
    int32_t isHeadTied;
    int32_t weightBits;
    int32_t headBits;
    int32_t activationMaximum;
    int32_t featureMaximum;
    int32_t keyBits;
    int32_t keyChannels;
    int32_t valueBits;
    int32_t valueChannels;
    int32_t isRotated;
    Outputs outputs;
    /** 1, or 2 where the window has 16 bits. */
    int32_t recentPlanes;

    /** Of a step's input, 4 bytes each: a token, or features. */
    TIERCEL_INLINE int inputWords() const { return vocabulary > 0 ? 1 : features; }
    TIERCEL_INLINE int queryCount() const { return heads * headSize; }
    TIERCEL_INLINE int keyCount() const { return keyValueHeads * headSize; }
    TIERCEL_INLINE int projectedCount() const { return queryCount() + 2 * keyCount(); }
    TIERCEL_INLINE int recentTokens() const { return sinks + window; }
    TIERCEL_INLINE int codedTokens() const { return context - recentTokens(); }
    TIERCEL_INLINE int feedForwards() const { return experts > 0 ? experts : 1; }
    TIERCEL_INLINE CodecFormat keyFormat() const { return {keyBits, keyChannels}; }
    TIERCEL_INLINE CodecFormat valueFormat() const { return {valueBits, valueChannels}; }
    /** Whether a token's codes are kept once it is coded. */
    TIERCEL_INLINE bool hasCodes(int64_t token) const { return token >= sinks && codedTokens() > 0; }
    /** Of a token that is a sink or has a window to be in. */
    TIERCEL_INLINE int recentSlot(int64_t token) const {
        return static_cast<int>(token < sinks ? token : sinks + (token - sinks) % window);
    }
    /** Of a token that hasCodes. */
    TIERCEL_INLINE int codedSlot(int64_t token) const { return static_cast<int>((token - sinks) % codedTokens()); }
};
constexpr int MAX_HEAD_SIZE = 256;
constexpr int TRANSFORMER_SHAPE_VALUES = sizeof(TransformerShape) / sizeof(int32_t);

/** How many slots of each kind, from the first on, a token at a position attends to, its own too. */
struct SlotsInReach {
    int32_t recent;
    int32_t coded;

    TIERCEL_INLINE SlotsInReach(const TransformerShape& shape, int64_t position) {
        const int64_t reach = position + 1;
        const int recentLimit = shape.window == 0 ? shape.sinks : shape.recentTokens();
        recent = static_cast<int32_t>(reach < recentLimit ? reach : recentLimit);
        const int64_t past = reach - shape.recentTokens();
        coded = static_cast<int32_t>(past < 0 ? 0 : past < shape.codedTokens() ? past : shape.codedTokens());
    }
};

/** Numbers of the whole model. */
struct TransformerNumbers {
    float normEpsilon;
    /** log2(e) / sqrt(d). */
    float softmaxScale;
    /** 1 / sqrt(d). */
    float rotationScale;
    float featureScale;
    float inverseFeatureScale;
};

/** Where the parts of a state stand: as TransformerStateLayout.java says. Bytes from the state's start. */
struct TransformerStateView {
    static constexpr int HEADER_BYTES = 64;
    /** Before a shared page: an int64, how many sessions have it. */
    static constexpr int SHARED_HEADER_BYTES = 64;
    static constexpr int PAGE_SLOTS = 128;
    static constexpr int KEY_LANES = 16;
    static constexpr int VALUE_LANES = 4;

    int32_t keyValueHeads;
    int32_t recentPlanes;
    int64_t recentKeysBytes;
    int64_t recentValuesBytes;
    int64_t pageKeysBytes;
    int64_t pageValuesBytes;
    int64_t pageBytes;
    int64_t pagesOffset;
    int64_t pages;
    int64_t tableOffset;
    int64_t bytes;

    static TransformerStateView of(const TransformerShape& shape) {
        const auto padded = [](int count, int to) { return static_cast<int64_t>(divideUp(count, to)) * to; };
        const int64_t channels = shape.headSize;
        TransformerStateView state{};
        state.keyValueHeads = shape.keyValueHeads;
        state.recentPlanes = shape.recentPlanes;
        state.recentKeysBytes = padded(shape.recentTokens(), KEY_LANES) * channels;
        state.recentValuesBytes = toCacheLines(padded(shape.recentTokens(), VALUE_LANES) * channels);
        state.pageKeysBytes = toCacheLines(PAGE_SLOTS * channels * shape.keyBits / 8);
        state.pageValuesBytes = toCacheLines(PAGE_SLOTS * channels * shape.valueBits / 8);
        state.pageBytes = shape.layers * shape.keyValueHeads * (state.pageKeysBytes + state.pageValuesBytes);
        state.pagesOffset = state.recentKeys(shape.layers, 0, 0);
        state.pages = divideUp(shape.codedTokens(), PAGE_SLOTS);
        state.tableOffset = state.pagesOffset + state.pages * state.pageBytes;
        state.bytes = state.tableOffset + toCacheLines(state.pages * sizeof(uint8_t*));
        return state;
    }

    TIERCEL_INLINE int64_t recentKeys(int layer, int head, int plane) const {
        return HEADER_BYTES + (layer * keyValueHeads + head) * recentPlanes * (recentKeysBytes + recentValuesBytes) +
               plane * recentKeysBytes;
    }
    TIERCEL_INLINE int64_t recentValues(int layer, int head, int plane) const {
        return recentKeys(layer, head, recentPlanes) + plane * recentValuesBytes;
    }
    TIERCEL_INLINE uint8_t* ownPage(uint8_t* state, int index) const { return state + pagesOffset + index * pageBytes; }
    /** For each page where it stands if not in the session's own place: null, or a page of SharedPages.java. */
    uint8_t** table(uint8_t* state) const { return reinterpret_cast<uint8_t**>(state + tableOffset); }
    uint8_t* const* table(const uint8_t* state) const {
        return reinterpret_cast<uint8_t* const*>(state + tableOffset);
    }
    const uint8_t* page(const uint8_t* state, int index) const {
        const uint8_t* shared = table(state)[index];
        return shared != nullptr ? shared : state + pagesOffset + index * pageBytes;
    }
    /** From a page's start. */
    TIERCEL_INLINE int64_t pageKeys(int layer, int head) const {
        return (layer * keyValueHeads + head) * (pageKeysBytes + pageValuesBytes);
    }
    TIERCEL_INLINE int64_t pageValues(int layer, int head) const { return pageKeys(layer, head) + pageKeysBytes; }

    /** From a region's start, of a slot's key of so many bits: its block, where each four channels stand 64 apart. */
    TIERCEL_INLINE static int keyBlock(int bits, int slot, int channels) {
        return slot / (KEY_LANES * (8 / bits)) * (KEY_LANES * channels) + slot % KEY_LANES * 4;
    }
    /** The lowest of its bits in a byte. */
    TIERCEL_INLINE static int keyShift(int bits, int slot) { return slot / KEY_LANES % (8 / bits) * bits; }
    /** Likewise of a slot's value: its block, where channels stand 4 apart. */
    TIERCEL_INLINE static int valueBlock(int bits, int slot, int channels) {
        return slot / (VALUE_LANES * (8 / bits)) * (VALUE_LANES * channels) + slot % VALUE_LANES;
    }
    TIERCEL_INLINE static int valueShift(int bits, int slot) { return slot / VALUE_LANES % (8 / bits) * bits; }
};

/** The first words of a state. */
struct TransformerHeader {
    int64_t position;
    uint64_t digest;
    int64_t codedTokens;
};

/** A matrix as bundles hold it; of int16 weights with its low plane, which is null otherwise. */
struct MatrixPlanes {
    MatrixCodes codes;
    const uint8_t* lowCodes;
};

/** Matrices of a layer, and of none, by number; tiercel_cpu.h has the same. */
enum class MatrixId : int32_t {
    EMBEDDING, HEAD, ATTENTION_INPUT, ATTENTION_OUTPUT, ROUTER, EXPERT_INPUT, EXPERT_OUTPUT
};

/** Vectors of floats by number. */
enum class VectorId : int32_t {
    FINAL_NORM, HEAD_BIASES, ROTARY_CIRCLE, FEATURE_MEANS, FEATURE_DEVIATIONS, EMBEDDING_BIASES, ATTENTION_NORM,
    FEED_NORM
};

/** A position of a batch, as it crosses the C interface: three addresses. */
struct TransformerPosition {
    /** A token, int32, or a feature vector. */
    const void* input;
    uint8_t* state;
    float* outputs;
};

}  // namespace tiercel

#endif
