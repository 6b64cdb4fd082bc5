/* A bundle's matrices, put by the host into the layout of lstm_view.h. */
#ifndef TIERCEL_LSTM_PACKING_H
#define TIERCEL_LSTM_PACKING_H

#include <algorithm>
#include <vector>

#include "lstm_view.h"
#include "packed_word.h"

namespace tiercel {

/** Everything of a model that its kernels read, as one piece of memory to be copied to the GPU. */
class LstmPacking {
public:
    LstmPacking(const LstmShape& shape, const LstmGeometry& geometry) : view(shape, geometry) {
        meansOffset = take(sizeof(float) * shape.features);
        deviationsOffset = take(sizeof(float) * shape.features);
        headOffset = take(view.head.bytes);
        for (int i = 0; i < shape.layers; i++) {
            inputOffsets.push_back(take(static_cast<size_t>(view.slices) * view.layer[i].input.sliceBytes));
            recurrentOffsets.push_back(take(static_cast<size_t>(view.slices) * view.layer[i].recurrent.sliceBytes));
        }
        packed.resize(size);
    }

    /** means[features], inverseDeviations[features]. */
    void setFeatures(const float* means, const float* inverseDeviations, float inverseScale) {
        std::copy_n(means, view.features, at<float>(meansOffset));
        std::copy_n(inverseDeviations, view.features, at<float>(deviationsOffset));
        view.inverseFeatureScale = inverseScale;
    }

    /** Matrices of rows i f g o, hidden each; input [4 hidden, features or hidden], recurrent [4 hidden, hidden]. */
    void setLayer(
        int index, const MatrixCodes& input, const MatrixCodes& recurrent, const float* biases,
        float inverseHiddenScale) {
        view.layer[index].inverseHiddenScale = inverseHiddenScale;
        pack(view.layer[index].input, inputOffsets[index], input, index == 0 ? view.features : view.hidden, nullptr);
        pack(view.layer[index].recurrent, recurrentOffsets[index], recurrent, view.hidden, biases);
    }

    /** [outputs, hidden]. */
    void setHead(const MatrixCodes& codes, const float* biases) {
        const LstmHeadView& head = view.head;
        const int chunkColumns = view.isHeadInt4 ? 32 : 16;
        uint8_t* to = at<uint8_t>(headOffset);
        for (int row = 0; row < view.outputs; row++) {
            for (int chunk = 0; chunk < head.chunks; chunk++) {
                for (int word = 0; word < 4; word++) {
                    const int column = chunk * chunkColumns + word * chunkColumns / 4;
                    putWord(to, codes.codes, view.isHeadInt4, row, column, view.hidden);
                    to += 4;
                }
            }
        }
        if (view.isHeadInt4) {
            std::copy_n(
                codes.multipliers, view.outputs * head.chunks, at<uint8_t>(headOffset + head.multipliersOffset));
        }
        std::copy_n(codes.scales, view.outputs, at<float>(headOffset + head.scalesOffset));
        std::copy_n(biases, view.outputs, at<float>(headOffset + head.biasesOffset));
    }

    const void* data() const { return packed.data(); }
    size_t bytes() const { return packed.size(); }

    /** The model once data() stands at an address, aligned to 16 bytes. */
    LstmView viewAt(const uint8_t* address) const {
        LstmView there = view;
        there.means = reinterpret_cast<const float*>(address + meansOffset);
        there.inverseDeviations = reinterpret_cast<const float*>(address + deviationsOffset);
        there.head.packed = address + headOffset;
        for (int i = 0; i < view.layers; i++) {
            there.layer[i].input.slices = address + inputOffsets[i];
            there.layer[i].recurrent.slices = address + recurrentOffsets[i];
        }
        return there;
    }

private:
    size_t take(size_t bytes) {
        const size_t offset = size;
        size += toCacheLines(bytes);
        return offset;
    }

    template <class T>
    T* at(size_t offset) {
        return reinterpret_cast<T*>(packed.data() + offset);
    }

    void pack(
        const LstmMatrixView& matrix, size_t offset, const MatrixCodes& codes, int columns, const float* biases) {
        for (int slice = 0; slice < view.slices; slice++) {
            for (int pass = 0; pass < view.passes; pass++) {
                packPass(at<uint8_t>(offset), slice, pass, matrix, codes, columns, biases);
                offset += matrix.passBytes;
            }
        }
    }

    void packPass(
        uint8_t* to, int slice, int pass, const LstmMatrixView& matrix, const MatrixCodes& codes, int columns,
        const float* biases) const {
        const int wordColumns = view.isInt4 ? 8 : 4;
        for (int chunk = 0; chunk < matrix.chunks; chunk++) {
            for (int thread = 0; thread < view.threads; thread++) {
                const int unit = unitOf(slice, pass, thread / view.lanesPerUnit);
                const int column = (chunk * view.lanesPerUnit + thread % view.lanesPerUnit) * wordColumns;
                for (int gate = 0; gate < GATES; gate++) {
                    putWord(to, codes.codes, view.isInt4, rowOf(unit, gate), column, columns);
                    to += 4;
                }
            }
        }
        const int groups = divideUp(columns, GROUP_COLUMNS);
        for (int group = 0; group < matrix.groups; group++) {
            for (int i = 0; i < view.unitsPerPass; i++) {
                for (int gate = 0; gate < GATES; gate++) {
                    const int row = rowOf(unitOf(slice, pass, i), gate);
                    const bool isThere = row >= 0 && group < groups;
                    *to++ = isThere ? codes.multipliers[static_cast<int64_t>(row) * groups + group] : 0;
                }
            }
        }
        to = putFloats(to, slice, pass, codes.scales);
        if (biases != nullptr) {
            putFloats(to, slice, pass, biases);
        }
    }

    /** Of i, f and o half: what the gates' sigmoids are taken of. */
    uint8_t* putFloats(uint8_t* to, int slice, int pass, const float* values) const {
        for (int i = 0; i < view.unitsPerPass; i++) {
            for (int gate = 0; gate < GATES; gate++) {
                const int row = rowOf(unitOf(slice, pass, i), gate);
                const float value = row < 0 ? 0.0f : values[row] * (gate == CANDIDATE_GATE ? 1.0f : 0.5f);
                std::memcpy(to, &value, sizeof value);
                to += sizeof value;
            }
        }
        return to;
    }

    /** Of a slice's pass; -1 if there is none. */
    int unitOf(int slice, int pass, int index) const {
        const int ofSlice = pass * view.unitsPerPass + index;
        const int unit = slice * view.unitsPerSlice + ofSlice;
        return ofSlice < view.unitsPerSlice && unit < view.hidden ? unit : -1;
    }

    int rowOf(int unit, int gate) const { return unit < 0 ? -1 : gate * view.hidden + unit; }

    LstmView view;
    size_t size = 0;
    size_t meansOffset;
    size_t deviationsOffset;
    size_t headOffset;
    std::vector<size_t> inputOffsets;
    std::vector<size_t> recurrentOffsets;
    std::vector<uint8_t> packed;
};

}  // namespace tiercel

#endif
