/*
 * The kernels of the lstm family, written once over lanes. A translation unit includes this with its lanes and takes
 * LstmKernels<Lanes>::set().
 */
#ifndef TIERCEL_LSTM_KERNELS_H
#define TIERCEL_LSTM_KERNELS_H

#include <utility>

#include "lanes_side_by_side.h"
#include "products.h"
#include "vectors.h"

namespace tiercel {
namespace {

template <class L>
struct LstmKernels {
    using Floats = typename L::Floats;
    using Integers = typename L::Integers;
    using Activation = typename L::Activation;
    using E = Exact<L>;
    using P = Products<L>;
    template <int B>
    using Plane = typename P::template Plane<B>;
    using OpenPlane = typename P::template OpenPlane<1>;
    using Nothing = typename P::Nothing;

    static constexpr int LANE_FULLS = P::LANE_FULLS;
    static constexpr int CODES_BYTES = P::CODES_BYTES;
    static constexpr int UNIT_VECTORS = BLOCK_UNITS / L::LANES;

    using Units = SideBySide<L, UNIT_VECTORS>;
    using Four = SideBySide<L, GATES>;

    /** Where a block's units of one position stand. */
    struct UnitsAt {
        const float* scales;
        const float* ahead;
        float* cell;
        int8_t* hidden;
        Activation* output;
        int32_t* outputSum;
        float inverseHiddenScale;
        int unitCount;

        UnitsAt() = default;
        TIERCEL_INLINE UnitsAt(
            const uint8_t* afterCodes, const GateLayer& layer, const GatePosition& position, int block)
            : scales(reinterpret_cast<const float*>(afterCodes)),
              ahead(position.ahead + block * GATE_ROWS),
              cell(position.cell + block * BLOCK_UNITS),
              hidden(position.hidden + block * BLOCK_UNITS),
              output(static_cast<Activation*>(position.output.values) + block * BLOCK_UNITS),
              outputSum(position.output.groupSums + block),
              inverseHiddenScale(layer.inverseHiddenScale),
              unitCount(layer.hiddenCount - block * BLOCK_UNITS) {}

        /** The sums before the gates i f g o of a vector of units; i, f and o are halved in the weights. */
        TIERCEL_INLINE typename Four::Floats before(const Integers* sums, int vector) const {
            return Four::Floats::each([&](int gate) {
                const int row = gate * BLOCK_UNITS + vector * L::LANES;
                return E::scaled(sums[gate * UNIT_VECTORS + vector], L::load(scales + row), L::load(ahead + row));
            });
        }

        /** The cell after, of the gates' tanh and the cell before. */
        static TIERCEL_INLINE Floats moved(const typename Four::Floats& gates, Floats cell) {
            return E::sigmoidOfTanh(gates[1]) * cell + E::sigmoidOfTanh(gates[0]) * gates[2];
        }

        /** Of h = o tanh(c): to integers, and everything to where it belongs. */
        TIERCEL_INLINE void finish(typename Units::Floats cells, typename Units::Floats hiddenValues) const {
            const typename Units::Integers quantised =
                Exact<Units>::quantise(hiddenValues, inverseHiddenScale, 127.0f);
            Integers total = L::allIntegers(0);
            for (int v = 0; v < UNIT_VECTORS; v++) {
                L::store(output + v * L::LANES, quantised[v]);
                total = L::add(total, quantised[v]);
            }
            if (unitCount >= BLOCK_UNITS) {
                storeState(cell, hidden, cells, quantised);
            } else {
                float someCells[BLOCK_UNITS];
                int8_t someHidden[BLOCK_UNITS];
                storeState(someCells, someHidden, cells, quantised);
                std::memcpy(cell, someCells, unitCount * sizeof(float));
                std::memcpy(hidden, someHidden, unitCount);
            }
            // A block's units are a group of the next layer's columns.
            *outputSum = L::sumLanes(total);
        }

        /**
         * c of all units. Those past the last one are zero, and so are their weights, scales and partial sums: they
         * come to a qh of zero.
         */
        TIERCEL_INLINE typename Units::Floats loadCells() const {
            if (unitCount >= BLOCK_UNITS) {
                return Units::load(cell);
            }
            float someCells[BLOCK_UNITS] = {};
            std::memcpy(someCells, cell, unitCount * sizeof(float));
            return Units::load(someCells);
        }

    private:
        static TIERCEL_INLINE void storeState(
            float* cellTo, int8_t* hiddenTo, const typename Units::Floats& cells,
            const typename Units::Integers& quantised) {
            Units::store(cellTo, cells);
            for (int v = 0; v < UNIT_VECTORS; v++) {
                L::store(hiddenTo + v * L::LANES, quantised[v]);
            }
        }
    };

    /** A block's gates of one position. */
    static TIERCEL_INLINE void gateUnits(const Integers* sums, const UnitsAt& at) {
        typename Units::Floats cells = at.loadCells();
        typename Units::Floats outputGates;
        for (int v = 0; v < UNIT_VECTORS; v++) {
            const typename Four::Floats gates = Exact<Four>::tanh(at.before(sums, v));
            cells[v] = UnitsAt::moved(gates, cells[v]);
            outputGates[v] = E::sigmoidOfTanh(gates[3]);
        }
        at.finish(cells, outputGates * Exact<Units>::tanh(cells));
    }

    template <int B, bool INT4>
    static void gateBlocks(const GateLayer* layers, int layerCount, int first, int end) {
        for (int index = 0; index < layerCount; index++) {
            const GateLayer& layer = layers[index];
            const Plane<B> plane(&layer.positions->input, sizeof *layer.positions, 0);
            for (int block = first; block < end; block++) {
                Integers sums[B][GATE_ROWS / L::LANES];
                const uint8_t* codes = layer.input.block(block);
                const uint8_t* after = P::template planeSums<GATE_ROWS, B, INT4>(codes, plane, sums);
                if (layer.positions->input.planes > 1) {
                    P::template addPlanes<GATE_ROWS, B, INT4>(
                        codes, &layer.positions->input, sizeof *layer.positions, sums);
                }
                for (int b = 0; b < B; b++) {
                    gateUnits(sums[b], UnitsAt(after, layer, layer.positions[b], block));
                }
            }
        }
    }

    /** Whether one position's gates go by gateBlocksOverlapped. */
    static constexpr bool OVERLAPS = GATE_ROWS == L::VECTORS * L::LANES && UNIT_VECTORS == 2 && LANE_FULLS == 8;

    /**
     * The gates of a block in 24 steps, to be done between other things. Everything stays in registers; steps are
     * numbered at compile time.
     */
    struct GateSteps {
        static constexpr int STEPS = 24;


        const UnitsAt at;
        const Integers* sums;
        typename Exact<Four>::Tanh gates;
        typename Exact<Units>::Tanh ofCells;
        typename Units::Floats cells;
        typename Units::Floats outputGates;
        typename Four::Floats fourTanh;
        typename Units::Floats unitsTanh;

        template <int STEP>
        TIERCEL_INLINE void step() {
            constexpr int VECTOR = STEP / 8;
            if constexpr (STEP < 16) {
                if constexpr (STEP % 8 == 0) {
                    fourTanh = at.before(sums, VECTOR);
                } else if constexpr (STEP % 8 == 1) {
                    gates = typename Exact<Four>::Tanh(fourTanh);
                } else if constexpr (STEP % 8 == 2) {
                    gates.second();
                } else if constexpr (STEP % 8 == 3) {
                    gates.third();
                } else if constexpr (STEP % 8 == 4) {
                    gates.fourth();
                } else if constexpr (STEP % 8 == 5) {
                    fourTanh = gates.value();
                } else if constexpr (STEP == 6) {
                    cells = at.loadCells();
                } else if constexpr (STEP % 8 == 7) {
                    cells[VECTOR] = UnitsAt::moved(fourTanh, cells[VECTOR]);
                    outputGates[VECTOR] = E::sigmoidOfTanh(fourTanh[3]);
                }
            } else if constexpr (STEP == 16) {
                ofCells = typename Exact<Units>::Tanh(cells);
            } else if constexpr (STEP == 17) {
                ofCells.second();
            } else if constexpr (STEP == 18) {
                ofCells.third();
            } else if constexpr (STEP == 19) {
                ofCells.fourth();
            } else if constexpr (STEP == 20) {
                unitsTanh = ofCells.value();
            } else if constexpr (STEP == 22) {
                at.finish(cells, outputGates * unitsTanh);
            }
        }
    };

    /** After each lane-full of a group of columns, PER steps of another block's gates. */
    template <int GROUP, int PER>
    struct StepsBetween {
        GateSteps& steps;

        template <int LANE_FULL>
        TIERCEL_INLINE void after() const {
            all<(GROUP * LANE_FULLS + LANE_FULL) * PER>(std::make_integer_sequence<int, PER>());
        }

        template <int FIRST, int... INDEX>
        TIERCEL_INLINE void all(std::integer_sequence<int, INDEX...>) const {
            (steps.template step<FIRST + INDEX>(), ...);
        }
    };

    /** The first groups of columns, with all steps of another block's gates between them; returns how many groups. */
    template <bool INT4, int PER>
    static TIERCEL_INLINE int addGroupsWithSteps(
        const uint8_t* codes, const OpenPlane& plane, Integers (&sums)[1][L::VECTORS], GateSteps steps) {
        constexpr int GROUPS = (GateSteps::STEPS + LANE_FULLS * PER - 1) / (LANE_FULLS * PER);
        constexpr int GROUP_BYTES = P::template groupBytes<L::VECTORS>(INT4);
        P::template addGroup<INT4>(codes, plane, 0, sums, StepsBetween<0, PER>{steps});
        if constexpr (GROUPS > 1) {
            P::template addGroup<INT4>(codes + GROUP_BYTES, plane, 1, sums, StepsBetween<1, PER>{steps});
        }
        if constexpr (GROUPS > 2) {
            P::template addGroup<INT4>(codes + 2 * GROUP_BYTES, plane, 2, sums, StepsBetween<2, PER>{steps});
        }
        static_assert(GROUPS <= 3, "three groups are written down");
        return GROUPS;
    }

    /**
     * gateBlocks of one position, which waits for weights, or for the multipliers of the processor: each block's gates
     * are computed while the next block's sums are, across layers too, where only the last group of columns is missing
     * until then. (An out-of-order processor would do it by itself if it looked far enough ahead.)
     */
    template <bool INT4>
    static void gateBlocksOverlapped(const GateLayer* layers, int layerCount, int first, int end) {
        constexpr int GROUP_BYTES = P::template groupBytes<L::VECTORS>(INT4);
        Integers openSums[1][L::VECTORS];
        UnitsAt openAt{};
        bool isOpen = false;
        for (int index = 0; index < layerCount; index++) {
            const GateLayer& layer = layers[index];
            const OpenPlane plane(&layer.positions->input, 0, 0);
            for (int block = first; block < end; block++) {
                const uint8_t* const codes = layer.input.block(block);
                // A layer's first block can do without its last group until the one below is finished.
                const int groupsBefore = block == first ? plane.groups - 1 : plane.groups;
                int group = 0;
                Integers sums[1][L::VECTORS];
                for (int v = 0; v < L::VECTORS; v++) {
                    sums[0][v] = L::allIntegers(0);
                }
                const GateSteps steps{openAt, openSums[0], {}, {}, {}, {}, {}, {}};
                if (isOpen && groupsBefore >= 3) {
                    group = addGroupsWithSteps<INT4, 1>(codes, plane, sums, steps);
                } else if (isOpen && groupsBefore == 2) {
                    group = addGroupsWithSteps<INT4, 2>(codes, plane, sums, steps);
                } else if (isOpen && groupsBefore == 1) {
                    group = addGroupsWithSteps<INT4, 3>(codes, plane, sums, steps);
                } else if (isOpen) {
                    gateUnits(openSums[0], openAt);
                }
                for (; group < plane.groups; group++) {
                    P::template addGroup<INT4>(codes + group * GROUP_BYTES, plane, group, sums, Nothing());
                }
                const Integers correction = L::allIntegers(INT4 ? 0 : plane.correctionOf(0));
                for (int v = 0; v < L::VECTORS; v++) {
                    openSums[0][v] = L::add(sums[0][v], correction);
                }
                if (layer.positions->input.planes > 1) {
                    P::template addPlanes<GATE_ROWS, 1, INT4>(codes, &layer.positions->input, 0, openSums);
                }
                openAt = UnitsAt(codes + plane.groups * GROUP_BYTES, layer, *layer.positions, block);
                isOpen = true;
            }
        }
        if (isOpen) {
            gateUnits(openSums[0], openAt);
        }
    }

    template <int B, bool INT4>
    static void aheadBlocks(const PackedMatrix& recurrent, int first, int end, const AheadPosition* positions) {
        const Plane<B> plane(&positions->hidden, sizeof *positions, 0);
        for (int block = first; block < end; block++) {
            Integers sums[B][GATE_ROWS / L::LANES];
            const uint8_t* after = P::template planeSums<GATE_ROWS, B, INT4>(recurrent.block(block), plane, sums);
            for (int b = 0; b < B; b++) {
                scaleRows<GATE_ROWS>(after, sums[b], positions[b].ahead + block * GATE_ROWS);
            }
        }
    }

    /** to[r] = (float) sums[r] * scale[r] + bias[r]. */
    template <int ROWS>
    static TIERCEL_INLINE void scaleRows(const uint8_t* after, const Integers* sums, float* to) {
        const float* scales = reinterpret_cast<const float*>(after);
        const float* biases = scales + ROWS;
        for (int v = 0; v < ROWS / L::LANES; v++) {
            const int row = v * L::LANES;
            L::store(to + row, E::scaled(sums[v], L::load(scales + row), L::load(biases + row)));
        }
    }

    template <bool INT4>
    static void headBlocks(const PackedMatrix& head, const Activations& hidden, float* y) {
        const Plane<1> plane(&hidden, 0, 0);
        for (int block = 0; block < head.blockCount; block++) {
            Integers sums[1][HEAD_ROWS / L::LANES];
            const uint8_t* after = P::template planeSums<HEAD_ROWS, 1, INT4>(head.block(block), plane, sums);
            scaleRows<HEAD_ROWS>(after, sums[0], y + block * HEAD_ROWS);
        }
    }

    // The functions of a kernel set.

    static void loadHidden(const int8_t* hidden, int32_t hiddenCount, const Activations& to) {
        Activation* values = static_cast<Activation*>(to.values);
        for (int i = 0; i < hiddenCount; i++) {
            values[i] = hidden[i];
        }
        Vectors<L>::sumGroups(to, 0);
    }

    static void gates(
        const GateLayer* layers, int32_t layerCount, int32_t first, int32_t end, int32_t positionCount) {
        const bool isInt4 = layers->input.isInt4;
        if (positionCount > 1) {
            isInt4 ? gateBlocks<2, true>(layers, layerCount, first, end)
                   : gateBlocks<2, false>(layers, layerCount, first, end);
        } else if constexpr (OVERLAPS) {
            isInt4 ? gateBlocksOverlapped<true>(layers, layerCount, first, end)
                   : gateBlocksOverlapped<false>(layers, layerCount, first, end);
        } else {
            isInt4 ? gateBlocks<1, true>(layers, layerCount, first, end)
                   : gateBlocks<1, false>(layers, layerCount, first, end);
        }
    }

    static void ahead(
        const PackedMatrix& recurrent, int32_t first, int32_t end, const AheadPosition* positions, int32_t count) {
        if (count == 1) {
            recurrent.isInt4 ? aheadBlocks<1, true>(recurrent, first, end, positions)
                             : aheadBlocks<1, false>(recurrent, first, end, positions);
        } else {
            recurrent.isInt4 ? aheadBlocks<2, true>(recurrent, first, end, positions)
                             : aheadBlocks<2, false>(recurrent, first, end, positions);
        }
    }

    static void head(const PackedMatrix& head, const Activations& hidden, float* y, int32_t count, bool isSoftmax) {
        head.isInt4 ? headBlocks<true>(head, hidden, y) : headBlocks<false>(head, hidden, y);
        if (isSoftmax) {
            Vectors<L>::softmax(y, count);
        }
    }

    /** Enough sums in the making that none is waited for, so that only the loads are. */
    static int32_t stream(const uint8_t* from, int64_t bytes) {
        constexpr int SUMS = 8;
        Activation ones[L::COLUMNS];
        for (Activation& one : ones) {
            one = 1;
        }
        const typename L::Columns columns = L::loadColumns(ones);
        Integers sums[SUMS];
        for (Integers& sum : sums) {
            sum = L::allIntegers(0);
        }
        const uint8_t* const end = from + bytes;
        for (; end - from >= SUMS * CODES_BYTES; from += SUMS * CODES_BYTES) {
#pragma GCC unroll 8
            for (int i = 0; i < SUMS; i++) {
                sums[i] = L::dotUnsigned(sums[i], L::loadCodes(from + i * CODES_BYTES), columns);
            }
        }
        for (; from < end; from += CODES_BYTES) {
            sums[0] = L::dotUnsigned(sums[0], L::loadCodes(from), columns);
        }
        int32_t sum = 0;
        for (const Integers& some : sums) {
            sum += L::sumLanes(some);
        }
        return sum;
    }

    template <class Transformer>
    static constexpr KernelSet set(const char* name) {
        return {name, L::LANES, L::COLUMNS, L::VECTORS * L::LANES, L::CODE_OFFSET, sizeof(Activation),
                Vectors<L>::quantiseFeatures, loadHidden, gates, ahead, head, stream, Transformer::forward, Transformer::codeToken,
                Transformer::undo};
    }
};

static_assert(BLOCK_UNITS == GROUP_COLUMNS, "a block's units are a group of the next layer's columns");
static_assert(TILE_POSITIONS == 2, "gates and ahead have a form for one and for two positions");

}  // namespace
}  // namespace tiercel

#endif
