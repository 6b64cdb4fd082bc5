/*
 * A transformer as its kernels see it: sizes, packed weights, codecs, where a session's state stands, and the scratch
 * of one executor. Plain structures: who owns what they point at is said in transformer.h.
 *
 * Letters as in appliance/TRANSFORMER.md: D the residual stream, H heads of queries, K of keys and values, d channels
 * of a head, F units of a feed-forward layer, V tokens.
 */
#ifndef TIERCEL_TRANSFORMER_VIEW_H
#define TIERCEL_TRANSFORMER_VIEW_H

#include <cstdint>

#include "kernel_set.h"

namespace tiercel {

/** What a head's logits become. */
enum class Outputs : int32_t { LIKELIEST_TOKENS, PROBABILITIES, LOGITS };

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

    int queryCount() const { return heads * headSize; }
    int keyCount() const { return keyValueHeads * headSize; }
    int projectedCount() const { return queryCount() + 2 * keyCount(); }
    int recentTokens() const { return sinks + window; }
    int codedTokens() const { return context - recentTokens(); }
    int feedForwards() const { return experts > 0 ? experts : 1; }
};
constexpr int MAX_HEAD_SIZE = 256;
constexpr int TRANSFORMER_SHAPE_VALUES = sizeof(TransformerShape) / sizeof(int32_t);

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

/** Rows of the blocks that most of a matrix is packed in, and of those for its last rows. */
constexpr int WIDE_ROWS = 128;
constexpr int NARROW_ROWS = 32;

/**
 * A feed-forward layer's input is packed so that 16 gates and the 16 units that they gate stand by turns: what becomes
 * of them can be computed where a block's rows come to be.
 */
constexpr int PAIRED_ROWS = 16;

/** A matrix: of int16 weights its high plane, and its low one beside it. */
struct PackedRows {
    PackedMatrix wide;
    PackedMatrix narrow;
    PackedMatrix wideLow;
    PackedMatrix narrowLow;
    int32_t rows;
    int32_t columns;
    bool hasLow;
};

/** How keys, or values, of one layer are coded: as CodecParameters.java says. Arrays are [K d]. */
struct CodecView {
    int32_t bits;
    int32_t channels;
    const float* means;
    const float* scales;
    const float* inverseScales;
    const float* steps;
    const int32_t* reciprocals;
    /** [K d][256]: an entry's channels stand apart, so that lanes take entries. */
    const int8_t* entries;
    /** [K][d / channels][256][channels], as bundles have it. */
    const int8_t* codebook;

    bool isCoupled() const { return channels > 1; }
    bool hasSteps() const { return !isCoupled() && bits < 8; }
    int codesOf(int channelCount) const { return channelCount / channels; }
    /** What a uniform code stands for is 2 code - offset. */
    int offset() const { return (1 << bits) - 1; }
};

struct TransformerLayerView {
    const float* attentionNorm;
    PackedRows attentionInput;
    PackedRows attentionOutput;
    CodecView keys;
    CodecView values;
    const float* feedNorm;
    PackedRows router;
    const PackedRows* expertInputs;
    const PackedRows* expertOutputs;
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

    int64_t recentKeys(int layer, int head, int plane) const {
        return HEADER_BYTES + (layer * keyValueHeads + head) * recentPlanes * (recentKeysBytes + recentValuesBytes) +
               plane * recentKeysBytes;
    }
    int64_t recentValues(int layer, int head, int plane) const {
        return recentKeys(layer, head, recentPlanes) + plane * recentValuesBytes;
    }
    uint8_t* ownPage(uint8_t* state, int index) const { return state + pagesOffset + index * pageBytes; }
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
    int64_t pageKeys(int layer, int head) const {
        return (layer * keyValueHeads + head) * (pageKeysBytes + pageValuesBytes);
    }
    int64_t pageValues(int layer, int head) const { return pageKeys(layer, head) + pageKeysBytes; }
};

/** The first words of a state. */
struct TransformerHeader {
    int64_t position;
    uint64_t digest;
    int64_t codedTokens;
};

struct TransformerView {
    TransformerShape shape;
    TransformerNumbers numbers;
    TransformerStateView state;
    /** Of tokens: the rows as bundles hold them. */
    const uint8_t* embeddingCodes;
    const uint8_t* embeddingLowCodes;
    const uint8_t* embeddingMultipliers;
    const float* embeddingScales;
    /** Of feature vectors. */
    PackedRows embedding;
    FeatureNormalisation features;
    const float* embeddingBiases;
    const uint64_t* rotarySteps;
    const float* rotaryCircle;
    const TransformerLayerView* layers;
    const float* finalNorm;
    PackedRows head;
    const float* headBiases;
};

/** A token of a session on its way: its input, and what is known of it in the layer that is computed. */
struct TransformerItem {
    /** A token, int32, or a feature vector. */
    const void* input;
    uint8_t* state;
    float* outputs;
    int64_t position;
    /** Tokens that were coded before the first item of this session. */
    int64_t codedTokens;
    /** Pages with a coded token that it attends to. */
    int32_t pageCount;
    /** Whether its state was worked on a moment ago. */
    bool isNear;
    /** Whether its outputs are wanted. */
    bool hasOutputs;

    float* residual;
    float* projected;
    float* attended;
    float* hidden;
    float* change;
    float* logits;
    float* cosines;
    float* sines;
    /** Keys, then values: of one plane, then of the other. */
    int8_t* rows;
    Activations narrow;
    Activations attendedCodes;
    Activations hiddenCodes;
    float scale;
    /** Where what the item overwrites of its state is kept, to be put back; null if it is here to stay. */
    uint8_t* undo;
    uint64_t rowDigest;
    uint64_t codedDigest;
    bool isCoded;
};

/** A head's query as integers, their sum, and what makes an exponent of a product with it. */
struct QueryCodes {
    int8_t* codes;
    int32_t sum;
    float scale;
};

/** Of one executor, for one head after the other; queries are made of all heads at once. */
struct TransformerScratch {
    float* normed;
    float* folded;
    QueryCodes* recentQueries;
    QueryCodes* codedQueries;
    /** Where the window has 16 bits. */
    int16_t* wideQuery;
    /** [recent slots | coded slots], each up to a multiple of a page. */
    int32_t* products;
    /** Where the window has 16 bits. */
    float* scores;
    uint8_t* highWeights;
    uint8_t* lowWeights;
    int64_t* recentSums;
    int64_t* codedSums;
    /** [d / channels][256]. */
    int32_t* table;
    int8_t* codes;
    float* routed;
    float* shares;
    float* expertSum;
    int32_t* ranked;
    /** Or softmax's integers, as their bits. */
    float* probabilities;
    Activations features;
};

}  // namespace tiercel

#endif
