/*
 * A model of the lstm family as its CUDA kernels see it: sizes, where weights are, how units are shared among blocks,
 * warps and lanes. Filled by lstm_packing.h on the host; passed to a kernel by value.
 *
 * The hidden units of every layer are cut into slices of unitsPerSlice, a multiple of 4. Of a persistent kernel each
 * block has a slice; other kernels go through them one by one. A slice is computed in passes of
 * threads / lanesPerUnit units: lanesPerUnit lanes of a warp (4, 8, 16 or 32) share the columns of a unit's four rows,
 * add up by shuffles, and end with a gate each (lane modulo 4: i f g o).
 *
 * A matrix, by slice, by pass:
 *   16 bytes for each chunk of each thread, [chunk][thread]: four words, of the unit's rows i f g o
 *     int8   4 columns in a word; lane l of a unit has columns 4 (l + lanesPerUnit chunk) and on
 *     int4   8 columns in a word, two's complement: low nibbles of the first four, high nibbles of the last four
 *   int4     4 bytes for each 32 columns of each unit, [group][unit]: the multipliers of i f g o
 *   binary32 [unit][gate]: scales
 *   binary32 [unit][gate]: biases                                                          (recurrent matrices)
 * Scales and biases of i, f and o are halved, as kernel_set.h says. What is past the last column or unit is zero.
 *
 * The head: 16 bytes for each chunk of each row, [row][chunk]; int8 of 16 columns, int4 of 32 (four words, each as
 * above) with a multiplier each.
 *
 * An integer vector is words of four bytes in shared memory, zero past the last column; a feature vector of 16 bits is
 * three such planes of digits.
 */
#ifndef TIERCEL_LSTM_VIEW_H
#define TIERCEL_LSTM_VIEW_H

#include <cstdint>

#include "lstm_shape.h"

namespace tiercel {

/** How a model's units are shared out. */
struct LstmGeometry {
    /** A multiple of 4. */
    int32_t unitsPerSlice;
    /** 4, 8, 16 or 32. */
    int32_t lanesPerUnit;
    /** Of a block: a multiple of 32 and of 4 x lanesPerUnit. */
    int32_t threads;
};

struct LstmMatrixView {
    const uint8_t* slices;
    int32_t sliceBytes;
    int32_t passBytes;
    /** Of a lane. */
    int32_t chunks;
    /** Of 32 columns, of int4; with what pads the chunks. */
    int32_t groups;
};

struct LstmLayerView {
    LstmMatrixView input;
    LstmMatrixView recurrent;
    float inverseHiddenScale;
};

/** The head's parts stand one after the other, each at a multiple of 16 bytes. */
struct LstmHeadView {
    explicit LstmHeadView(const LstmShape& shape)
        : packed(nullptr),
          chunks(divideUp(shape.hidden, shape.isHeadInt4 ? 32 : 16)),
          multipliersOffset(shape.outputs * chunks * 16),
          scalesOffset(multipliersOffset + (shape.isHeadInt4 ? divideUp(shape.outputs * chunks, 16) * 16 : 0)),
          biasesOffset(scalesOffset + divideUp(shape.outputs * 4, 16) * 16),
          bytes(biasesOffset + divideUp(shape.outputs * 4, 16) * 16) {}

    TIERCEL_INLINE const uint8_t* multipliers() const { return packed + multipliersOffset; }
    TIERCEL_INLINE const float* scales() const { return reinterpret_cast<const float*>(packed + scalesOffset); }
    TIERCEL_INLINE const float* biases() const { return reinterpret_cast<const float*>(packed + biasesOffset); }

    const uint8_t* packed;
    /** Of a row. */
    int32_t chunks;
    int32_t multipliersOffset;
    int32_t scalesOffset;
    int32_t biasesOffset;
    int32_t bytes;
};

/** A session's canonical state in pinned memory of the host, and on the GPU, where it may be null: no session. */
struct SessionCopy {
    uint8_t* host;
    uint8_t* state;
};

struct LstmView {
    /** Sizes alone; nothing points anywhere yet. */
    LstmView(const LstmShape& shape, const LstmGeometry& geometry)
        : layers(shape.layers),
          hidden(shape.hidden),
          features(shape.features),
          outputs(shape.outputs),
          isInt4(shape.isInt4),
          isHeadInt4(shape.isHeadInt4),
          isSoftmax(shape.isSoftmax),
          planes(shape.featureMaximum > 127 ? DIGITS : 1),
          slices(divideUp(shape.hidden, geometry.unitsPerSlice)),
          unitsPerSlice(geometry.unitsPerSlice),
          lanesPerUnit(geometry.lanesPerUnit),
          laneBits(__builtin_ctz(static_cast<unsigned>(geometry.lanesPerUnit))),
          threads(geometry.threads),
          unitsPerPass(geometry.threads / geometry.lanesPerUnit),
          passes(divideUp(geometry.unitsPerSlice, unitsPerPass)),
          means(nullptr),
          inverseDeviations(nullptr),
          inverseFeatureScale(0.0f),
          featureMaximum(static_cast<float>(shape.featureMaximum)),
          state(shape),
          head(shape) {
        for (int i = 0; i < shape.layers; i++) {
            layer[i] = {matrix(i == 0 ? shape.features : shape.hidden, false), matrix(shape.hidden, true), 0.0f};
        }
        featureWords = words(layer[0].input);
        const int headWords = head.chunks * (shape.isHeadInt4 ? 8 : 4);
        hiddenWords = words(layer[0].recurrent) > headWords ? words(layer[0].recurrent) : headWords;
    }

    /** Words of a vector that a matrix is multiplied with, padding included. */
    int32_t words(const LstmMatrixView& matrix) const { return matrix.chunks * lanesPerUnit * (isInt4 ? 2 : 1); }

    int32_t layers;
    int32_t hidden;
    int32_t features;
    int32_t outputs;
    bool isInt4;
    bool isHeadInt4;
    bool isSoftmax;

    /** Of a feature vector: 1 or 3. */
    int32_t planes;
    /** Of a plane of it, and of a hidden vector. */
    int32_t featureWords;
    int32_t hiddenWords;

    int32_t slices;
    int32_t unitsPerSlice;
    int32_t lanesPerUnit;
    /** Its logarithm. */
    int32_t laneBits;
    int32_t threads;
    int32_t unitsPerPass;
    int32_t passes;

    const float* means;
    const float* inverseDeviations;
    float inverseFeatureScale;
    float featureMaximum;

    LstmState state;
    LstmHeadView head;
    LstmLayerView layer[MAX_LAYERS]{};

private:
    LstmMatrixView matrix(int columns, bool hasBias) const {
        LstmMatrixView view{};
        view.chunks = divideUp(divideUp(columns, isInt4 ? 8 : 4), lanesPerUnit);
        view.groups = isInt4 ? divideUp(view.chunks * lanesPerUnit, 4) : 0;
        const int perUnit = 4 * view.groups + GATES * static_cast<int>(sizeof(float)) * (hasBias ? 2 : 1);
        view.passBytes = 16 * view.chunks * threads + perUnit * unitsPerPass;
        view.sliceBytes = passes * view.passBytes;
        return view;
    }
};

/** Where everything is in a block's shared memory, in bytes; of a persistent kernel weights follow. */
struct LstmShared {
    TIERCEL_INLINE explicit LstmShared(const LstmView& model)
        : hidden(model.planes * model.featureWords * 4),
          outputs(hidden + model.layers * model.hiddenWords * 4),
          header(outputs + (model.outputs * 4 + 15) / 16 * 16),
          bytes(header + 16) {}

    /** [layer][hiddenWords]; features are at 0. */
    int32_t hidden;
    int32_t outputs;
    /** What is known of a request: two words. */
    int32_t header;
    int32_t bytes;
};

/**
 * What a block of a persistent kernel keeps in its shared memory, in bytes from LstmShared::bytes on. Its slice is one
 * pass, and has a slot for each unit of that; a thread alone uses its gate's and its cell's.
 */
struct LstmResident {
    TIERCEL_INLINE explicit LstmResident(const LstmView& model)
        : slots(model.unitsPerPass),
          inverseDeviations((model.features * 4 + 15) / 16 * 16),
          ahead(2 * inverseDeviations),
          cells(ahead + model.layers * slots * GATES * 4),
          weights(cells + model.layers * slots * 4),
          bytes(weights + model.head.bytes) {
        for (int i = 0; i < model.layers; i++) {
            bytes += model.layer[i].input.sliceBytes + model.layer[i].recurrent.sliceBytes;
        }
    }

    int32_t slots;
    /** Of features; the means are at 0. */
    int32_t inverseDeviations;
    /** [layer][slot][gate] and [layer][slot]: what a session's next step begins with. */
    int32_t ahead;
    int32_t cells;
    /** The head's, then of each layer the slice of the input matrix and of the recurrent one. */
    int32_t weights;
    int32_t bytes;
};

/** Bytes of shared memory of a block of a persistent kernel; a multiple of 16. */
TIERCEL_INLINE int32_t persistentBytes(const LstmView& model) {
    return LstmShared(model).bytes + LstmResident(model).bytes;
}

}  // namespace tiercel

#endif
