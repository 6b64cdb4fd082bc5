/* Words of four bytes that a host packs a matrix's codes in, for products by __dp4a. */
#ifndef TIERCEL_PACKED_WORD_H
#define TIERCEL_PACKED_WORD_H

#include <cstdint>

#include "packing.h"

namespace tiercel {

/**
 * A word of codes of a row from a column on: of int8 the next 4, of int4 the next 8, in two's complement, the first four
 * in low nibbles and the last four in high ones. codes are as bundles hold them. Zero past the last column, and of row
 * -1.
 */
inline void putWord(uint8_t* to, const uint8_t* codes, bool isInt4, int row, int column, int columns) {
    const auto nibble = [&](int of) {
        const int64_t rowBytes = divideUp(columns, GROUP_COLUMNS) * (GROUP_COLUMNS / 2);
        return of < columns ? codes[row * rowBytes + of / 2] >> (of % 2 == 0 ? 0 : 4) & 15 : 0;
    };
    for (int i = 0; i < 4; i++) {
        if (row < 0) {
            to[i] = 0;
        } else if (isInt4) {
            to[i] = static_cast<uint8_t>(nibble(column + i) | nibble(column + 4 + i) << 4);
        } else {
            to[i] = column + i < columns ? codes[static_cast<int64_t>(row) * columns + column + i] : 0;
        }
    }
}

}  // namespace tiercel

#endif
