/*
 * Products of packed matrices with integer vectors, written once over lanes: int8 and int4, one vector or several at
 * once, with room for something else in between. Ranges: the loader has shown that every row's sum fits 32 bits; what a
 * code's offset adds on the way is taken out again modulo 2^32, so sums are exact whatever they pass through.
 */
#ifndef TIERCEL_PRODUCTS_H
#define TIERCEL_PRODUCTS_H

#include <utility>

#include "exact.h"
#include "kernel_set.h"

namespace tiercel {
namespace {

template <class L>
struct Products {
    using Integers = typename L::Integers;
    using Activation = typename L::Activation;

    /** How many times the lanes take columns (a lane-full of them) until they have taken a group. */
    static constexpr int LANE_FULLS = GROUP_COLUMNS / L::COLUMNS;
    static constexpr int CODES_BYTES = L::LANES * L::COLUMNS;
    static constexpr int INT4_OFFSET = 8;

    static constexpr int passVectors(int rows) {
        return rows / L::LANES < L::VECTORS ? rows / L::LANES : L::VECTORS;
    }

    static constexpr int multiplierBytes(int vectors) {
        return (vectors * L::LANES + 63) / 64 * 64;
    }

    /** One plane of B integer vectors, which may still be in the making. */
    template <int B>
    struct OpenPlane {
        int groups;
        const Activation* columns[B];
        const int32_t* groupSums[B];
        /** Of vectors that stand stride bytes apart. */
        TIERCEL_INLINE OpenPlane(const Activations* vectors, int stride, int plane) : groups(vectors->groups) {
            for (int b = 0; b < B; b++) {
                const Activations& vector = *reinterpret_cast<const Activations*>(
                    reinterpret_cast<const char*>(vectors) + b * stride);
                columns[b] = static_cast<const Activation*>(vector.values) + plane * groups * GROUP_COLUMNS;
                groupSums[b] = vector.groupSums + plane * groups;
            }
        }

        /** What takes the codes' offset out of an int8 sum, of a vector that is there. */
        TIERCEL_INLINE int32_t correctionOf(int b) const {
            int32_t sum = 0;
            for (int group = 0; L::CODE_OFFSET != 0 && group < groups; group++) {
                sum += groupSums[b][group];
            }
            return -L::CODE_OFFSET * sum;
        }
    };

    /** The same of vectors that are there. */
    template <int B>
    struct Plane : OpenPlane<B> {
        int32_t corrections[B];

        TIERCEL_INLINE Plane(const Activations* vectors, int stride, int plane)
            : OpenPlane<B>(vectors, stride, plane) {
            for (int b = 0; b < B; b++) {
                corrections[b] = this->correctionOf(b);
            }
        }
    };

    template <int V>
    static constexpr int groupBytes(bool isInt4) {
        return isInt4 ? V / 2 * LANE_FULLS * CODES_BYTES + multiplierBytes(V) : V * LANE_FULLS * CODES_BYTES;
    }

    /** Nothing to do after a lane-full of columns. */
    struct Nothing {};

    /** add(n) for each lane-full n of a group of columns, and after each what stands between. */
    template <class Add, class Between, int... LANE_FULL>
    static TIERCEL_INLINE void eachLaneFull(
        const Add& add, const Between& between, std::integer_sequence<int, LANE_FULL...>) {
        ((add(LANE_FULL), between.template after<LANE_FULL>()), ...);
    }

    template <class Add, int... LANE_FULL>
    static TIERCEL_INLINE void eachLaneFull(const Add& add, const Nothing&, std::integer_sequence<int, LANE_FULL...>) {
        for (int laneFull = 0; laneFull < LANE_FULLS; laneFull++) {
            add(laneFull);
        }
    }

    using LaneFulls = std::make_integer_sequence<int, LANE_FULLS>;

    /** sums[b][v] += a pass's rows . columns[b] over one group of columns, int8. */
    template <int V, int B, class Between>
    static TIERCEL_INLINE void addGroupInt8(
        const uint8_t* codes, const OpenPlane<B>& plane, int group, Integers (&sums)[B][V], const Between& between) {
        const auto add = [&](int laneFull) TIERCEL_LAMBDA {
            typename L::Columns columns[B];
            for (int b = 0; b < B; b++) {
                columns[b] = L::loadColumns(plane.columns[b] + group * GROUP_COLUMNS + laneFull * L::COLUMNS);
            }
#pragma GCC unroll 8
            for (int v = 0; v < V; v++) {
                const typename L::Codes loaded = L::loadCodes(codes + (laneFull * V + v) * CODES_BYTES);
                for (int b = 0; b < B; b++) {
                    sums[b][v] = L::dot(sums[b][v], loaded, columns[b]);
                }
            }
        };
        eachLaneFull(add, between, LaneFulls());
    }

    /**
     * The rows v to v + 2 PAIRS of addGroupInt4. Two pairs of rows stand side by side: more sums in the making than one
     * takes to be made.
     */
    template <int PAIRS, int V, int B, class Between>
    static TIERCEL_INLINE void addPairs(
        const uint8_t* codes, const uint8_t* multipliers, const OpenPlane<B>& plane, int group, int v,
        Integers (&sums)[B][V], const Between& between) {
        Integers whole[B][PAIRS];
        Integers low[B][PAIRS];
        for (int b = 0; b < B; b++) {
            for (int pair = 0; pair < PAIRS; pair++) {
                whole[b][pair] = L::allIntegers(-17 * INT4_OFFSET * plane.groupSums[b][group]);
                low[b][pair] = L::allIntegers(-INT4_OFFSET * plane.groupSums[b][group]);
            }
        }
        const auto add = [&](int laneFull) TIERCEL_LAMBDA {
#pragma GCC unroll 2
            for (int pair = 0; pair < PAIRS; pair++) {
                typename L::Codes loaded = L::loadCodes(codes + (pair * LANE_FULLS + laneFull) * CODES_BYTES);
                const typename L::Codes lowNibbles = L::lowNibbles(loaded);
                for (int b = 0; b < B; b++) {
                    const typename L::Columns columns =
                        L::loadColumns(plane.columns[b] + group * GROUP_COLUMNS + laneFull * L::COLUMNS);
                    whole[b][pair] = L::dotUnsigned(whole[b][pair], loaded, columns);
                    low[b][pair] = L::dotUnsigned(low[b][pair], lowNibbles, columns);
                }
            }
        };
        eachLaneFull(add, between, LaneFulls());
        for (int pair = 0; pair < PAIRS; pair++) {
            const int row = v + 2 * pair;
            const Integers lowMultiplier = L::loadMultipliers(multipliers + row * L::LANES);
            const Integers highMultiplier = L::loadMultipliers(multipliers + (row + 1) * L::LANES);
            for (int b = 0; b < B; b++) {
                const Integers high = L::sixteenth(L::subtract(whole[b][pair], low[b][pair]));
                sums[b][row] = L::addProducts(sums[b][row], low[b][pair], lowMultiplier);
                sums[b][row + 1] = L::addProducts(sums[b][row + 1], high, highMultiplier);
            }
        }
    }

    /**
     * The same of int4. A byte has the codes of two rows, A + 8 low and B + 8 high, so two products give both rows'
     * sums with the nibbles taken apart once: whole = 16 B.x + A.x and low = A.x. A group's sum fits 16 bits for int8
     * vectors; then it takes its row's multiplier.
     */
    template <int V, int B, class Between>
    static TIERCEL_INLINE void addGroupInt4(
        const uint8_t* codes, const OpenPlane<B>& plane, int group, Integers (&sums)[B][V], const Between& between) {
        constexpr int PAIRS = V % 4 == 0 ? 2 : 1;
        const uint8_t* multipliers = codes + V / 2 * LANE_FULLS * CODES_BYTES;
        addPairs<PAIRS>(codes, multipliers, plane, group, 0, sums, between);
        for (int v = 2 * PAIRS; v < V; v += 2 * PAIRS) {
            codes += PAIRS * LANE_FULLS * CODES_BYTES;
            addPairs<PAIRS>(codes, multipliers, plane, group, v, sums, Nothing());
        }
    }

    /** One group of columns of a pass; between.after<n>() is called after its nth lane-full. */
    template <bool INT4, int V, int B, class Between>
    static TIERCEL_INLINE void addGroup(
        const uint8_t* codes, const OpenPlane<B>& plane, int group, Integers (&sums)[B][V], const Between& between) {
        if constexpr (INT4) {
            addGroupInt4(codes, plane, group, sums, between);
        } else {
            addGroupInt8(codes, plane, group, sums, between);
        }
    }

    /** sums[b][0..ROWS) = a block's rows . columns[b], over one plane; returns what follows the codes. */
    template <int ROWS, int B, bool INT4>
    static TIERCEL_INLINE const uint8_t* planeSums(
        const uint8_t* codes, const Plane<B>& plane, Integers (&sums)[B][ROWS / L::LANES]) {
        constexpr int V = passVectors(ROWS);
        for (int first = 0; first < ROWS / L::LANES; first += V) {
            // Of few rows, two sums each, for groups by turns: one alone takes longer to be made than codes to come.
            constexpr int SETS = V * B <= 2 ? 2 : 1;
            Integers some[SETS][B][V];
            for (int b = 0; b < B; b++) {
                for (int v = 0; v < V; v++) {
                    some[0][b][v] = L::allIntegers(0);
                    some[SETS - 1][b][v] = L::allIntegers(0);
                }
            }
            int group = 0;
            for (; group <= plane.groups - SETS; group += SETS) {
#pragma GCC unroll 2
                for (int set = 0; set < SETS; set++) {
                    addGroup<INT4>(codes, plane, group + set, some[set], Nothing());
                    codes += groupBytes<V>(INT4);
                }
            }
            if (group < plane.groups) {
                addGroup<INT4>(codes, plane, group, some[0], Nothing());
                codes += groupBytes<V>(INT4);
            }
            for (int b = 0; b < B; b++) {
                for (int v = 0; v < V; v++) {
                    const Integers all = SETS == 1 ? some[0][b][v] : L::add(some[0][b][v], some[SETS - 1][b][v]);
                    // Last: the sum that it takes is there later than the vector.
                    const bool isCorrect = INT4 || L::CODE_OFFSET == 0;
                    sums[b][first + v] = isCorrect ? all : L::add(all, L::allIntegers(plane.corrections[b]));
                }
            }
        }
        return codes;
    }

    /** Adds what the planes after the first one come to: 2^(7 plane) times each. */
    template <int ROWS, int B, bool INT4>
    static __attribute__((noinline)) void addPlanes(
        const uint8_t* codes, const Activations* vectors, int stride, Integers (&sums)[B][ROWS / L::LANES]) {
        for (int index = 1; index < vectors->planes; index++) {
            Integers more[B][ROWS / L::LANES];
            planeSums<ROWS, B, INT4>(codes, Plane<B>(vectors, stride, index), more);
            for (int b = 0; b < B; b++) {
                for (int v = 0; v < ROWS / L::LANES; v++) {
                    sums[b][v] = L::add(sums[b][v], L::shiftLeft(more[b][v], DIGIT_BITS * index));
                }
            }
        }
    }
};

}  // namespace
}  // namespace tiercel

#endif
