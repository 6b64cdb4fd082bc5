/*
 * A model of the transformer family as its CUDA kernels see it: sizes, and where everything is in one piece of memory,
 * in bytes from its start, so that it can be copied anywhere. Filled by transformer_packing.h on the host; passed to a
 * kernel by value. Letters as in transformer_shape.h.
 *
 * A matrix is cut into tiles of 32 / lanesPerRow rows, of which a warp takes one at a time. Lanes that share a row have
 * a part of its columns each, a chunk in each step: lane is row of the tile x lanesPerRow + part, and chunk is
 * step x lanesPerRow + part.
 *   16 bytes for each lane, [tile][step][plane][lane]: four words (packed_word.h)
 *     int8   16 columns
 *     int16  16 columns, in a plane of high bytes and one of low ones
 *     int4   32 columns
 *   int4     a byte for each lane, [tile][step][lane]: the multiplier of its 32 columns
 *   binary32 [row]: scales
 * What is past the last column or row is zero.
 *
 * An operand, the integer vector of a product, is words of four bytes in shared memory, zero past the last column; of
 * 16 bits it is three such planes of digits.
 *
 * Of a session, every page stands in its own state: the table of pages is not looked at.
 */
#ifndef TIERCEL_TRANSFORMER_DEVICE_H
#define TIERCEL_TRANSFORMER_DEVICE_H

#include <cstdint>

#include "transformer_shape.h"

namespace tiercel {

/** The most threads of a block. */
constexpr int TRANSFORMER_THREADS = 512;
/** Of a matrix's rows, those that a warp takes at once have as many lanes. */
constexpr int TILE_LANES = 32;
constexpr int CHUNK_BYTES = 16;
/** Words of a request to a kernel that stays, before the input of a step (transformer_link.h). */
constexpr int TRANSFORMER_REQUEST_HEADER_WORDS = 8;

struct DeviceMatrix {
    int64_t codes;
    int64_t multipliers;
    int64_t scales;
    int32_t rows;
    int32_t columns;
    int32_t bits;
    /** The logarithm of lanesPerRow. */
    int32_t laneBits;
    /** Chunks of a lane. */
    int32_t steps;
    int32_t tiles;

    /** Nothing is anywhere yet. A row has more lanes where that gives more of a step's threads something to do. */
    static DeviceMatrix of(int rows, int columns, int bits, int threads) {
        DeviceMatrix matrix{};
        matrix.rows = rows;
        matrix.columns = columns;
        matrix.bits = bits;
        const int chunks = divideUp(columns, matrix.chunkColumns());
        while ((1 << matrix.laneBits) < TILE_LANES && (1 << matrix.laneBits) < chunks &&
               (rows << matrix.laneBits) < threads) {
            matrix.laneBits++;
        }
        matrix.steps = divideUp(chunks, 1 << matrix.laneBits);
        matrix.tiles = divideUp(rows << matrix.laneBits, TILE_LANES);
        return matrix;
    }

    TIERCEL_INLINE int chunkColumns() const { return bits == 4 ? 32 : 16; }
    TIERCEL_INLINE int planes() const { return bits == 16 ? 2 : 1; }
    TIERCEL_INLINE int rowsPerTile() const { return TILE_LANES >> laneBits; }
    /** Of an operand, padding included. */
    TIERCEL_INLINE int operandWords() const { return (steps << laneBits) * chunkColumns() / 4; }
    TIERCEL_INLINE int64_t codesBytes() const {
        return static_cast<int64_t>(tiles) * steps * planes() * TILE_LANES * CHUNK_BYTES;
    }
    TIERCEL_INLINE int64_t multipliersBytes() const {
        return bits == 4 ? static_cast<int64_t>(tiles) * steps * TILE_LANES : 0;
    }

    /** Where a chunk of a row is, counted in lanes of steps: of one plane. */
    TIERCEL_INLINE int64_t laneOf(int row, int chunk) const {
        const int lane = ((row & (rowsPerTile() - 1)) << laneBits) + (chunk & ((1 << laneBits) - 1));
        const int64_t step = static_cast<int64_t>(row >> (5 - laneBits)) * steps + (chunk >> laneBits);
        return step * TILE_LANES + lane;
    }
    /** From the matrix's codes on. */
    TIERCEL_INLINE int64_t chunkOffset(int64_t laneOfStep, int plane) const {
        const int64_t step = laneOfStep / TILE_LANES;
        return ((step * planes() + plane) * TILE_LANES + laneOfStep % TILE_LANES) * CHUNK_BYTES;
    }
};

/** The keys, or the values, of one layer; arrays are [K d], the codebook as bundles have it. */
struct DeviceCodec : CodecFormat {
    int64_t means;
    int64_t scales;
    int64_t inverseScales;
    int64_t steps;
    int64_t reciprocals;
    int64_t codebook;
};

struct DeviceLayer {
    int64_t attentionNorm;
    int64_t feedNorm;
    DeviceMatrix attentionInput;
    DeviceMatrix attentionOutput;
    DeviceCodec keys;
    DeviceCodec values;
    DeviceMatrix router;
    /** [experts] of matrices: an expert's input, then its output. */
    int64_t experts;
};

/** What of a step outlives it, of a position of a batch, in global memory, zeros at first. Bytes from its start. */
struct TransformerRecord {
    explicit TransformerRecord(const TransformerShape& shape)
        : rowBytes(2 * shape.keyCount()),
          planes(shape.recentPlanes),
          heads(shape.keyValueHeads),
          keyCodesBytes(divideUp(shape.keyFormat().codesOf(shape.headSize), 8) * 8),
          valueCodesBytes(divideUp(shape.valueFormat().codesOf(shape.headSize), 8) * 8),
          rowsOffset(toCacheLines(shape.logits * sizeof(float))),
          codesOffset(rowsOffset + toCacheLines(static_cast<int64_t>(shape.layers) * planes * rowBytes)),
          bytes(codesOffset + toCacheLines(static_cast<int64_t>(shape.layers) * heads *
                                           (keyCodesBytes + valueCodesBytes))) {}

    /** Of a token: keys [K d], then values [K d], of one plane. The logits are at 0. */
    TIERCEL_INLINE int64_t row(int layer, int plane) const {
        return rowsOffset + (static_cast<int64_t>(layer) * planes + plane) * rowBytes;
    }
    /** Codes of one head, of the token that was coded: a byte each, and zeros up to a multiple of 8. */
    TIERCEL_INLINE int64_t codes(int layer, int head, bool isValues) const {
        return codesOffset + (static_cast<int64_t>(layer) * heads + head) * (keyCodesBytes + valueCodesBytes) +
               (isValues ? keyCodesBytes : 0);
    }

    int32_t rowBytes;
    int32_t planes;
    int32_t heads;
    int32_t keyCodesBytes;
    int32_t valueCodesBytes;
    int64_t rowsOffset;
    int64_t codesOffset;
    int64_t bytes;
};

/**
 * Where everything is that a block computes a step with, in bytes. Reductions, operands and queries are in shared
 * memory; vectors follow them there, or where that is too small, are in global memory.
 */
struct TransformerWorkspace {
    static constexpr int REDUCTION_BYTES = 512;

    // In shared memory.
    int32_t factor;
    /** Of D columns; of attention's or a feed-forward layer's. */
    int32_t narrowOperand;
    int32_t wideOperand;
    /** [2][H][d] bytes: for keys in the window and for coded ones, or two digits of a query for a window of 16 bits. */
    int32_t queries;
    /** [2][H], and of the second [H]: sums of a query's integers. */
    int32_t queryScales;
    int32_t querySums;
    /** [H]: of the weights of all slots; the sum of those of coded ones. */
    int32_t inverseTotals;
    int32_t codedTotals;
    int32_t sharedBytes;

    // Vectors. Those that a matrix's rows make, and attention's heads, a team of blocks has in common.
    /** Of a kernel that stays: what is asked for. */
    int32_t request;
    int32_t cosines;
    int32_t sines;
    int32_t residual;
    /** What a matrix adds to the residual stream, [D]. */
    int32_t change;
    int32_t expertSum;
    int32_t projected;
    int32_t attended;
    /** [2 F]. */
    int32_t hidden;
    int32_t routed;
    int32_t ranked;
    int32_t shares;
    int32_t terms;
    /** [H][slots], coded slots from codedFirst on. */
    int32_t slots;
    int32_t codedFirst;
    int64_t scores;
    /** A weight's two bytes. */
    int64_t highWeights;
    int64_t lowWeights;
    int64_t vectorBytes;

    /** Words of a plane of each operand. */
    int32_t narrowWords;
    int32_t wideWords;
};

struct DeviceTransformer {
    /** Sizes alone; nothing is anywhere yet. */
    DeviceTransformer(const TransformerShape& shape, const TransformerNumbers& numbers)
        : shape(shape), numbers(numbers), state(TransformerStateView::of(shape)), record(shape) {}

    TransformerShape shape;
    TransformerNumbers numbers;
    TransformerStateView state;
    TransformerRecord record;
    TransformerWorkspace workspace{};
    /** Where the model is. */
    const uint8_t* packed = nullptr;
    /** Of tokens [V, D], of which the head may be the same; of feature vectors [D, features]. */
    DeviceMatrix embedding{};
    DeviceMatrix head{};
    int64_t headBiases = 0;
    int64_t embeddingBiases = 0;
    int64_t featureMeans = 0;
    int64_t inverseFeatureDeviations = 0;
    int64_t rotarySteps = 0;
    int64_t rotaryCircle = 0;
    int64_t finalNorm = 0;
    int64_t layers = 0;

    template <class T>
    TIERCEL_INLINE const T* at(int64_t offset) const {
        return reinterpret_cast<const T*>(packed + offset);
    }
    TIERCEL_INLINE const DeviceLayer& layer(int index) const { return at<DeviceLayer>(layers)[index]; }
    TIERCEL_INLINE const DeviceMatrix& expertInput(const DeviceLayer& of, int expert) const {
        return at<DeviceMatrix>(of.experts)[2 * expert];
    }
    TIERCEL_INLINE const DeviceMatrix& expertOutput(const DeviceLayer& of, int expert) const {
        return at<DeviceMatrix>(of.experts)[2 * expert + 1];
    }
    /** Planes of an operand. */
    TIERCEL_INLINE int activationPlanes() const { return shape.activationMaximum > 127 ? DIGITS : 1; }
    TIERCEL_INLINE int featurePlanes() const { return shape.featureMaximum > 127 ? DIGITS : 1; }
};

/** Several steps of one session in a row. */
struct TransformerRow {
    /** Tokens, int32, or feature vectors, one after the other. */
    const uint8_t* inputs;
    uint8_t* state;
    uint8_t* outputs;
    /** From one step's outputs to the next one's, in bytes; 0 for the last step's alone. */
    int64_t outputsStride;
    /** From one step's record to the next one's, in bytes; 0 for one record, which is the last step's in the end. */
    int64_t recordStride;
    int32_t count;
};

}  // namespace tiercel

#endif
