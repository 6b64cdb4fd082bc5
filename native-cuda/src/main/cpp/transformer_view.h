/*
 * A transformer as the CPU's kernels see it: packed weights, codecs, and the scratch of one executor; what it has in
 * common with CUDA's is in transformer_shape.h. Plain structures: who owns what they point at is said in transformer.h.
 */
#ifndef TIERCEL_TRANSFORMER_VIEW_H
#define TIERCEL_TRANSFORMER_VIEW_H

#include <cstdint>

#include "kernel_set.h"
#include "transformer_shape.h"

namespace tiercel {

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

/** The keys, or values, of one layer. Arrays are [K d]. */
struct CodecView : CodecFormat {
    const float* means;
    const float* scales;
    const float* inverseScales;
    const float* steps;
    const int32_t* reciprocals;
    /** [K d][256]: an entry's channels stand apart, so that lanes take entries. */
    const int8_t* entries;
    /** [K][d / channels][256][channels], as bundles have it. */
    const int8_t* codebook;
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
