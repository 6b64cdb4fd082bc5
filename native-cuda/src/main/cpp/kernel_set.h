/*
 * What the engine needs of an instruction set: how weights are laid out, and a few functions over them. Each set is one
 * translation unit (kernels_*.cpp), compiled with its own flags from the templates in lstm_kernels.h and
 * transformer_kernels.h.
 */
#ifndef TIERCEL_KERNEL_SET_H
#define TIERCEL_KERNEL_SET_H

#include <cstdint>

namespace tiercel {

/** Columns that share an int4 multiplier, and to a multiple of which every matrix is padded. */
constexpr int GROUP_COLUMNS = 32;

/** Hidden units of a block; every kernel set's. Four gates make 128 rows. */
constexpr int BLOCK_UNITS = 32;
constexpr int GATES = 4;
/** Of i, f, g and o, the one that goes through tanh. */
constexpr int CANDIDATE_GATE = 2;
constexpr int GATE_ROWS = GATES * BLOCK_UNITS;

/** Rows of a block of the head. */
constexpr int HEAD_ROWS = 32;

/** Positions of a batch that share one pass over a block's weights. */
constexpr int TILE_POSITIONS = 2;

/**
 * An integer vector as the kernels read it: int8 or int16 elements (KernelSet::activationBytes), zero past the last
 * column. Of a kernel set with int8 elements, an int16 feature takes three planes of digits, x = d0 + 2^7 d1 + 2^14 d2.
 * groupSums[plane * groups + g] is the sum of the plane's columns 32g..32g+31, which takes the weights' offset out.
 */
struct Activations {
    void* values;
    int32_t* groupSums;
    int32_t groups;
    int32_t planes;
};

/**
 * A packed matrix: blocks of rows, one after the other, each blockBytes long and a multiple of 64. A block is a few
 * passes of rowsPerPass rows (fewer where the block has fewer); a pass is a few vectors of as many rows as there are
 * lanes.
 *
 *   for each pass
 *     int8   for each lane-full of columns, for each vector: LANES x COLUMNS bytes, code + codeOffset
 *     int4   for each group of 32 columns:
 *              for each two vectors, for each lane-full of columns: LANES x COLUMNS bytes,
 *                code + 8 of the first vector's row in the low nibble, of the second's in the high one
 *              a byte for each row of the pass: the group's multiplier, filled up to a multiple of 64
 *   binary32 for each row: scale
 *   binary32 for each row: bias                                              (recurrent matrices and the head)
 *
 * Rows of gates stand by block of 32 units: 32 of i, 32 of f, 32 of g, 32 of o. Scales and biases of i, f and o are
 * halved. A row past the last one is zero.
 */
struct PackedMatrix {
    const uint8_t* blocks;
    int64_t blockBytes;
    int32_t blockCount;
    int32_t groups;
    bool isInt4;

    const uint8_t* block(int index) const { return blocks + index * blockBytes; }
    const uint8_t* end() const { return blocks + blockCount * blockBytes; }
};

/** One position of a batch in one layer. */
struct GatePosition {
    Activations input;
    /** [block][gate][32]: the recurrent partial sums and bias. */
    const float* ahead;
    /** c and qh of the session, hiddenCount long. */
    float* cell;
    int8_t* hidden;
    /** The next layer's input; where qh goes too. */
    Activations output;
};

/** One layer for up to TILE_POSITIONS positions. */
struct GateLayer {
    PackedMatrix input;
    int32_t hiddenCount;
    float inverseHiddenScale;
    GatePosition positions[TILE_POSITIONS];
};

struct AheadPosition {
    Activations hidden;
    float* ahead;
};

struct FeatureNormalisation {
    const float* means;
    const float* inverseDeviations;
    int32_t count;
    float inverseScale;
    float maximum;
};

struct TransformerView;
struct TransformerScratch;
struct TransformerItem;

struct KernelSet {
    const char* name;
    int32_t lanes;
    int32_t columnsPerLane;
    int32_t rowsPerPass;
    int32_t codeOffset;
    int32_t activationBytes;

    /** features[count] to integers, with their group sums. */
    void (*quantiseFeatures)(const FeatureNormalisation& how, const float* features, const Activations& to);

    /** qh of a state to activations, with their group sums. */
    void (*loadHidden)(const int8_t* hidden, int32_t hiddenCount, const Activations& to);

    /**
     * Blocks first..end of the gates of each layer in turn. More than one layer only with all of the blocks: a layer
     * reads all that the one before has written.
     */
    void (*gates)(
        const GateLayer* layers, int32_t layerCount, int32_t first, int32_t end, int32_t positionCount);

    /** Blocks first..end of a layer's recurrent partial sums. */
    void (*ahead)(
        const PackedMatrix& recurrent, int32_t first, int32_t end, const AheadPosition* positions, int32_t count);

    /** y[blocks x HEAD_ROWS] of the last layer's qh; then softmax over the first count if asked for. */
    void (*head)(const PackedMatrix& head, const Activations& hidden, float* y, int32_t count, bool isSoftmax);

    /** Reads bytes, a multiple of 64, as weights are read, and does next to nothing with them: how fast can it be? */
    int32_t (*stream)(const uint8_t* from, int64_t bytes);

    /** The forward pass of tokens; transformer_kernels.h. */
    void (*forward)(
        const TransformerView& model, const TransformerScratch& scratch, TransformerItem* items, int count);

    /** Codes a token that leaves the window from its bytes there, of all layers, and notes it in the header. */
    void (*codeToken)(
        const TransformerView& model, const TransformerScratch& scratch, uint8_t* state, int64_t leaving);

    /** Puts back what an item has written, in all layers. Of a row of items the last one first. */
    void (*undoToken)(const TransformerView& model, const TransformerItem& item);
};

extern const KernelSet PORTABLE_KERNELS;
extern const KernelSet AVX2_KERNELS;
extern const KernelSet AVX512_KERNELS;

}  // namespace tiercel

#endif
