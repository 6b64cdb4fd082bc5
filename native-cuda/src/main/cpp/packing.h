/*
 * Matrices as bundles hold them, put into the layout of kernel_set.h; and the memory for it.
 */
#ifndef TIERCEL_PACKING_H
#define TIERCEL_PACKING_H

#include <algorithm>
#include <cstdint>

#include "kernel_set.h"
#include "memory.h"

namespace tiercel {

/** A matrix as bundles hold it: int8 codes by row, or nibbles by row with a multiplier for each 32 columns. */
struct MatrixCodes {
    const uint8_t* codes;
    const uint8_t* multipliers;
    /** Of a row; maybe times a vector's scale. */
    const float* scales;
};

/** As they cross the C interface. */
inline MatrixCodes codesOf(const int8_t* codes, const int8_t* multipliers, const float* scales) {
    return {reinterpret_cast<const uint8_t*>(codes), reinterpret_cast<const uint8_t*>(multipliers), scales};
}

inline constexpr int divideUp(int value, int by) {
    return (value + by - 1) / by;
}

/** Bytes of a pass's codes; kernel_set.h has the layout. */
inline int64_t passBytes(int rows, int groups, bool isInt4) {
    return isInt4 ? static_cast<int64_t>(groups) * (rows * (GROUP_COLUMNS / 2) + toCacheLines(rows))
                  : static_cast<int64_t>(groups) * rows * GROUP_COLUMNS;
}

inline int rowsOfPass(const KernelSet& kernels, int blockRows) {
    return std::min(kernels.rowsPerPass, blockRows);
}

inline int64_t blockBytes(const KernelSet& kernels, int columns, int blockRows, bool isInt4, bool hasBias) {
    const int rows = rowsOfPass(kernels, blockRows);
    const int64_t codes = blockRows / rows * passBytes(rows, divideUp(columns, GROUP_COLUMNS), isInt4);
    return codes + static_cast<int64_t>(blockRows) * sizeof(float) * (hasBias ? 2 : 1);
}

/**
 * Writes a matrix in the layout of kernel_set.h. rowOf(block, rowInBlock) is the row there, or -1 for none; factorOf
 * likewise is what the row's scale and bias are multiplied with, a power of two.
 */
template <class RowOf, class FactorOf>
class Packer {
public:
    Packer(
        const KernelSet& kernels, const PackedMatrix& matrix, int columns, int blockRows, RowOf rowOf,
        FactorOf factorOf)
        : kernels(kernels), matrix(matrix), columns(columns), blockRows(blockRows), rowOf(rowOf), factorOf(factorOf) {}

    void pack(const MatrixCodes& from, const float* biases) const {
        for (int block = 0; block < matrix.blockCount; block++) {
            uint8_t* to = const_cast<uint8_t*>(matrix.block(block));
            const int passRows = rowsOfPass(kernels, blockRows);
            for (int first = 0; first < blockRows; first += passRows) {
                matrix.isInt4 ? packInt4(from, block, first, passRows, to) : packInt8(from, block, first, passRows, to);
                to += passBytes(passRows, matrix.groups, matrix.isInt4);
            }
            float* scales = reinterpret_cast<float*>(to);
            for (int i = 0; i < blockRows; i++) {
                const int row = rowOf(block, i);
                scales[i] = row < 0 ? 0.0f : from.scales[row] * factorOf(i);
                if (biases != nullptr) {
                    scales[blockRows + i] = row < 0 ? 0.0f : biases[row] * factorOf(i);
                }
            }
        }
    }

private:
    void packInt8(const MatrixCodes& from, int block, int first, int passRows, uint8_t* to) const {
        const int width = kernels.columnsPerLane;
        for (int column = 0; column < matrix.groups * GROUP_COLUMNS; column += width) {
            for (int i = 0; i < passRows; i++) {
                const int row = rowOf(block, first + i);
                for (int j = 0; j < width; j++) {
                    const bool isThere = row >= 0 && column + j < columns;
                    const int code =
                        isThere ? static_cast<int8_t>(from.codes[static_cast<int64_t>(row) * columns + column + j]) : 0;
                    *to++ = static_cast<uint8_t>(code + kernels.codeOffset);
                }
            }
        }
    }

    void packInt4(const MatrixCodes& from, int block, int first, int passRows, uint8_t* to) const {
        const int width = kernels.columnsPerLane;
        for (int group = 0; group < matrix.groups; group++) {
            for (int pair = 0; pair < passRows; pair += 2 * kernels.lanes) {
                for (int column = group * GROUP_COLUMNS; column < (group + 1) * GROUP_COLUMNS; column += width) {
                    for (int i = 0; i < kernels.lanes; i++) {
                        const int low = rowOf(block, first + pair + i);
                        const int high = rowOf(block, first + pair + kernels.lanes + i);
                        for (int j = 0; j < width; j++) {
                            *to++ = static_cast<uint8_t>(
                                nibble(from.codes, low, column + j) | (nibble(from.codes, high, column + j) << 4));
                        }
                    }
                }
            }
            for (int i = 0; i < passRows; i++) {
                const int row = rowOf(block, first + i);
                to[i] = row < 0 ? 0 : from.multipliers[static_cast<int64_t>(row) * matrix.groups + group];
            }
            to += toCacheLines(passRows);
        }
    }

    /** The code + 8. A bundle's nibbles are two's complement, even columns low, zero past the last column. */
    int nibble(const uint8_t* codes, int row, int column) const {
        const int64_t rowBytes = matrix.groups * GROUP_COLUMNS / 2;
        const int pair = row < 0 ? 0 : codes[row * rowBytes + column / 2];
        return ((column % 2 == 0 ? pair : pair >> 4) & 0x0F) ^ 0x08;
    }

    const KernelSet& kernels;
    const PackedMatrix& matrix;
    const int columns;
    const int blockRows;
    const RowOf rowOf;
    const FactorOf factorOf;
};

template <class RowOf, class FactorOf>
Packer<RowOf, FactorOf> packer(
    const KernelSet& kernels, const PackedMatrix& matrix, int columns, int blockRows, RowOf rowOf, FactorOf factorOf) {
    return Packer<RowOf, FactorOf>(kernels, matrix, columns, blockRows, rowOf, factorOf);
}

inline size_t activationsBytes(const KernelSet& kernels, int columns, int planeCount) {
    const size_t groups = divideUp(columns, GROUP_COLUMNS) * static_cast<size_t>(planeCount);
    return toCacheLines(groups * GROUP_COLUMNS * kernels.activationBytes) + toCacheLines(groups * sizeof(int32_t));
}

inline Activations takeActivations(Arena& arena, const KernelSet& kernels, int columns, int planeCount) {
    const int groups = divideUp(columns, GROUP_COLUMNS);
    Activations taken{};
    taken.values = arena.take(static_cast<size_t>(groups) * planeCount * GROUP_COLUMNS * kernels.activationBytes);
    taken.groupSums = arena.take<int32_t>(static_cast<size_t>(groups) * planeCount);
    taken.groups = groups;
    taken.planes = planeCount;
    return taken;
}

/** Room for a matrix of so many rows; zero until it is packed. */
inline PackedMatrix takeMatrix(
    Arena& arena, const KernelSet& kernels, int columns, int rows, int blockRows, bool isInt4, bool hasBias) {
    PackedMatrix matrix{};
    matrix.blockBytes = blockBytes(kernels, columns, blockRows, isInt4, hasBias);
    matrix.blockCount = divideUp(rows, blockRows);
    matrix.groups = divideUp(columns, GROUP_COLUMNS);
    matrix.isInt4 = isInt4;
    matrix.blocks = arena.take<uint8_t>(matrix.blockCount * matrix.blockBytes);
    return matrix;
}

}  // namespace tiercel

#endif
