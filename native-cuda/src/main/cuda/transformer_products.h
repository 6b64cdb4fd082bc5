/* Rows of a packed matrix times an operand, by the warps of a team; transformer_device.h has the layout. */
#ifndef TIERCEL_TRANSFORMER_PRODUCTS_H
#define TIERCEL_TRANSFORMER_PRODUCTS_H

#include "transformer_operand.h"

namespace tiercel {
namespace {

/** 16 columns of int8. */
TIERCEL_DEVICE int32_t chunkDot(const Words4& codes, const Words4& columns, int32_t sum) {
    sum = dp4a(codes.x, columns.x, sum);
    sum = dp4a(codes.y, columns.y, sum);
    sum = dp4a(codes.z, columns.z, sum);
    return dp4a(codes.w, columns.w, sum);
}

/** 32 columns of int4, without their multiplier. */
TIERCEL_DEVICE int32_t nibbleChunkDot(const Words4& codes, const Words4& first, const Words4& second) {
    int32_t dot = sixteenfoldNibbleDot(codes.x, first.x, first.y, 0);
    dot = sixteenfoldNibbleDot(codes.y, first.z, first.w, dot);
    dot = sixteenfoldNibbleDot(codes.z, second.x, second.y, dot);
    return sixteenfoldNibbleDot(codes.w, second.z, second.w, dot) >> 4;
}

/** Sums of a row over some of its columns; of int16 weights by their high and their low bytes. Modulo 2^32. */
struct RowSums {
    int32_t high = 0;
    int32_t low = 0;
};

/** This lane's columns of a tile's row, times a plane of an operand. */
TIERCEL_DEVICE RowSums laneSums(
    const uint8_t* packed, const DeviceMatrix& matrix, int tile, const uint32_t* columns) {
    const int64_t first = static_cast<int64_t>(tile) * matrix.steps;
    const int part = laneIndex() & ((1 << matrix.laneBits) - 1);
    const Words4* const codes =
        reinterpret_cast<const Words4*>(packed + matrix.codes) + first * matrix.planes() * WARP_LANES + laneIndex();
    const Words4* const vector = reinterpret_cast<const Words4*>(columns);
    const int steps = matrix.steps;
    const int laneBits = matrix.laneBits;
    RowSums sums;
    if (matrix.bits == 8) {
        TIERCEL_UNROLL(4)
        for (int step = 0; step < steps; step++) {
            sums.high = chunkDot(codes[step * WARP_LANES], vector[(step << laneBits) + part], sums.high);
        }
    } else if (matrix.bits == 4) {
        const uint8_t* const multipliers = packed + matrix.multipliers + first * WARP_LANES + laneIndex();
        TIERCEL_UNROLL(4)
        for (int step = 0; step < steps; step++) {
            const Words4* const of = vector + 2 * ((step << laneBits) + part);
            const int32_t dot = nibbleChunkDot(codes[step * WARP_LANES], of[0], of[1]);
            sums.high = addWrapping(sums.high, multiplyWrapping(dot, multipliers[step * WARP_LANES]));
        }
    } else {
        TIERCEL_UNROLL(2)
        for (int step = 0; step < steps; step++) {
            const Words4 of = vector[(step << laneBits) + part];
            sums.high = chunkDot(codes[2 * step * WARP_LANES], of, sums.high);
            sums.low = chunkDot(codes[(2 * step + 1) * WARP_LANES], of, sums.low);
        }
    }
    return sums;
}

TIERCEL_DEVICE int32_t sumOfLanes(int32_t sum, int laneBits) {
    TIERCEL_UNROLL(1)
    for (int bit = 0; bit < laneBits; bit++) {
        sum = addWrapping(sum, shuffleXor(sum, 1 << bit));
    }
    return sum;
}

/** results[row] = (float) sum * (rowScale * scale) of all rows, the team's in common; ends with its barrier. */
TIERCEL_DEVICE_CALLED void multiply(
    const TransformerBlock& block, const DeviceMatrix& matrix, const Operand& operand, float* results) {
    const uint8_t* const packed = block.model.packed;
    const float* const scales = reinterpret_cast<const float*>(packed + matrix.scales);
    TIERCEL_UNROLL(1)
    for (int tile = block.firstTask(); tile < matrix.tiles; tile += block.taskStride()) {
        RowSums sums = laneSums(packed, matrix, tile, operand.words);
        TIERCEL_UNROLL(1)
        for (int plane = 1; plane < operand.planes; plane++) {
            const RowSums more = laneSums(packed, matrix, tile, operand.words + plane * operand.planeWords);
            const int32_t factor = 1 << (DIGIT_BITS * plane);
            sums.high = addWrapping(sums.high, multiplyWrapping(more.high, factor));
            sums.low = addWrapping(sums.low, multiplyWrapping(more.low, factor));
        }
        const int32_t high = sumOfLanes(sums.high, matrix.laneBits);
        const int32_t low = matrix.bits == 16 ? sumOfLanes(sums.low, matrix.laneBits) : 0;
        const int row = tile * matrix.rowsPerTile() + (laneIndex() >> matrix.laneBits);
        if ((laneIndex() & ((1 << matrix.laneBits) - 1)) == 0 && row < matrix.rows) {
            const float sum = matrix.bits == 16 ? static_cast<float>(256 * static_cast<int64_t>(high) + low)
                                                : static_cast<float>(high);
            results[row] = sum * (scales[row] * operand.scale);
        }
    }
    block.team.sync();
}

}  // namespace
}  // namespace tiercel

#endif
