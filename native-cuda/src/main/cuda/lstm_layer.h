/*
 * A layer of the lstm family for the lanes of a warp: sums of packed rows times integer vectors, and the gates of a
 * unit. lstm_view.h has the layout. Every float is made by exact.h; sums are of integers, so how they are shared out
 * changes no bit.
 */
#ifndef TIERCEL_LSTM_LAYER_H
#define TIERCEL_LSTM_LAYER_H

#include "device.h"
#include "kernel_set.h"
#include "lstm_view.h"

namespace tiercel {
namespace {

/** Sums of the four rows of a unit over this lane's columns. */
struct GateSums {
    int32_t i = 0;
    int32_t f = 0;
    int32_t g = 0;
    int32_t o = 0;

    /** 4 columns of int8. */
    TIERCEL_DEVICE void add(const Words4& codes, uint32_t columns) {
        i = dp4a(codes.x, columns, i);
        f = dp4a(codes.y, columns, f);
        g = dp4a(codes.z, columns, g);
        o = dp4a(codes.w, columns, o);
    }

    /** 8 columns of int4. A group's multiplier is the same for all of them; 16 x 8 x 8 x 127 is small. */
    TIERCEL_DEVICE void add(const Words4& codes, uint32_t first, uint32_t second, uint32_t multipliers) {
        i = addGroup(i, codes.x, first, second, multipliers & 255);
        f = addGroup(f, codes.y, first, second, (multipliers >> 8) & 255);
        g = addGroup(g, codes.z, first, second, (multipliers >> 16) & 255);
        o = addGroup(o, codes.w, first, second, multipliers >> 24);
    }

    /** Adds sums of a plane of digits: 2^(7 plane) times each. */
    TIERCEL_DEVICE void addPlane(const GateSums& of, int plane) {
        const int32_t factor = 1 << (DIGIT_BITS * plane);
        i = addWrapping(i, multiplyWrapping(of.i, factor));
        f = addWrapping(f, multiplyWrapping(of.f, factor));
        g = addWrapping(g, multiplyWrapping(of.g, factor));
        o = addWrapping(o, multiplyWrapping(of.o, factor));
    }

    /**
     * The unit's sum of one gate, lane modulo 4, over all of its lanes. Each of the first two exchanges gives away the
     * half that another lane will end with, so they take three shuffles and not eight.
     */
    TIERCEL_DEVICE int32_t ofOwnGate(int lane, int lanesPerUnit) const {
        const bool isOdd = (lane & 1) != 0;
        const bool isHigh = (lane & 2) != 0;
        const int32_t iOrF = addWrapping(isOdd ? f : i, shuffleXor(isOdd ? i : f, 1));
        const int32_t gOrO = addWrapping(isOdd ? o : g, shuffleXor(isOdd ? g : o, 1));
        int32_t sum = addWrapping(isHigh ? gOrO : iOrF, shuffleXor(isHigh ? iOrF : gOrO, 2));
        for (int distance = GATES; distance < lanesPerUnit; distance *= 2) {
            sum = addWrapping(sum, shuffleXor(sum, distance));
        }
        return sum;
    }

private:
    static TIERCEL_DEVICE int32_t addGroup(
        int32_t sum, uint32_t codes, uint32_t first, uint32_t second, uint32_t multiplier) {
        const int32_t dot = sixteenfoldNibbleDot(codes, first, second, 0) >> 4;
        return addWrapping(sum, multiplyWrapping(dot, static_cast<int32_t>(multiplier)));
    }
};

/** Which unit of a slice's pass a thread works on, and as which of its lanes. */
struct UnitLane {
    int pass;
    /** Of the pass. */
    int index;
    int lane;
    int gate;
    /** Of the layer. Past the last one everything is zero, and nothing is written. */
    int unit;
    bool isPresent;

    TIERCEL_DEVICE UnitLane(const LstmView& model, int slice, int pass)
        : pass(pass),
          index(threadIndex() >> model.laneBits),
          lane(threadIndex() & (model.lanesPerUnit - 1)),
          gate(lane & (GATES - 1)) {
        const int ofSlice = pass * model.unitsPerPass + index;
        unit = slice * model.unitsPerSlice + ofSlice;
        isPresent = ofSlice < model.unitsPerSlice && unit < model.hidden;
    }

    /** Of the four lanes that end with the unit's gates, this one. */
    TIERCEL_DEVICE bool hasOwnGate() const { return isPresent && lane < GATES; }
    TIERCEL_DEVICE bool isFirst() const { return isPresent && lane == 0; }

    /** Of the state's partial sums, those of this gate: [block of 32][gate][unit]. */
    TIERCEL_DEVICE int aheadIndex() const {
        const uint32_t of = static_cast<uint32_t>(unit);
        return static_cast<int>(of / BLOCK_UNITS * GATE_ROWS + gate * BLOCK_UNITS + of % BLOCK_UNITS);
    }
};

/** Partial sums ahead of a layer's step, and its cells and hidden values, in a session's state. */
TIERCEL_DEVICE float* aheadOf(const LstmView& model, uint8_t* state, int layer) {
    return reinterpret_cast<float*>(state + model.state.ahead(layer));
}
TIERCEL_DEVICE float* cellsOf(const LstmView& model, uint8_t* state, int layer) {
    return reinterpret_cast<float*>(state + model.state.cell(layer));
}
TIERCEL_DEVICE int8_t* hiddenOf(const LstmView& model, uint8_t* state, int layer) {
    return reinterpret_cast<int8_t*>(state + model.state.hidden(layer));
}

template <bool INT4>
struct LstmLayer {
    /** A pass of a slice of a matrix: where this thread's part is. */
    struct Pass {
        int chunks;
        const Words4* codes;
        const uint32_t* multipliers;
        const float* scales;
        const float* biases;

        TIERCEL_DEVICE Pass(
            const LstmView& model, const LstmMatrixView& matrix, const uint8_t* slice, const UnitLane& at)
            : chunks(matrix.chunks) {
            const uint8_t* pass = slice + at.pass * matrix.passBytes;
            codes = reinterpret_cast<const Words4*>(pass) + threadIndex();
            pass += 16 * matrix.chunks * model.threads;
            multipliers = reinterpret_cast<const uint32_t*>(pass) + at.index;
            pass += 4 * matrix.groups * model.unitsPerPass;
            scales = reinterpret_cast<const float*>(pass) + at.index * GATES + at.gate;
            biases = scales + model.unitsPerPass * GATES;
        }

        /** The same of a matrix of the same shape so many bytes further. */
        TIERCEL_DEVICE void advance(int bytes) {
            codes += bytes / 16;
            multipliers += bytes / 4;
            scales += bytes / 4;
            biases += bytes / 4;
        }
    };

    /** So many chunks from one on. All loads come first: each takes as long as many. */
    template <int COUNT>
    static TIERCEL_DEVICE void addChunks(
        const LstmView& model, const Pass& pass, const UnitLane& at, const uint32_t* vector, int chunk,
        GateSums& sums) {
        constexpr int WORDS = INT4 ? 2 : 1;
        Words4 codes[COUNT];
        uint32_t columns[COUNT][WORDS];
        uint32_t multipliers[COUNT];
        TIERCEL_UNROLL(COUNT)
        for (int i = 0; i < COUNT; i++) {
            const int index = ((chunk + i) << model.laneBits) + at.lane;
            codes[i] = pass.codes[(chunk + i) * model.threads];
            for (int word = 0; word < WORDS; word++) {
                columns[i][word] = vector[index * WORDS + word];
            }
            multipliers[i] = INT4 ? pass.multipliers[index / 4 * model.unitsPerPass] : 1;
        }
        TIERCEL_UNROLL(COUNT)
        for (int i = 0; i < COUNT; i++) {
            if constexpr (INT4) {
                sums.add(codes[i], columns[i][0], columns[i][1], multipliers[i]);
            } else {
                sums.add(codes[i], columns[i][0]);
            }
        }
    }

    /** Rows times a plane of a vector in shared memory, this lane's columns. */
    static TIERCEL_DEVICE GateSums planeSums(
        const LstmView& model, const Pass& pass, const UnitLane& at, const uint32_t* vector) {
        GateSums sums;
        int chunk = 0;
        for (; chunk <= pass.chunks - 4; chunk += 4) {
            addChunks<4>(model, pass, at, vector, chunk, sums);
        }
        if ((pass.chunks & 2) != 0) {
            addChunks<2>(model, pass, at, vector, chunk, sums);
            chunk += 2;
        }
        if ((pass.chunks & 1) != 0) {
            addChunks<1>(model, pass, at, vector, chunk, sums);
        }
        return sums;
    }

    /** The sum of this lane's gate: the unit's row times a vector of so many planes, featureWords each. */
    static TIERCEL_DEVICE int32_t gateSum(
        const LstmView& model, const Pass& pass, const UnitLane& at, const uint32_t* vector, int planes) {
        GateSums sums = planeSums(model, pass, at, vector);
        for (int plane = 1; plane < planes; plane++) {
            sums.addPlane(planeSums(model, pass, at, vector + plane * model.featureWords), plane);
        }
        return sums.ofOwnGate(at.lane, model.lanesPerUnit);
    }

    /** What a step makes of a unit; its first lane has it. */
    struct Unit {
        float cell;
        int8_t hidden;
    };

    /**
     * One step of one unit: pass is the input matrix's, vector the layer's input in shared memory, ahead this gate's
     * partial sum and cellBefore the unit's cell, each 0 where the lane has none.
     */
    static TIERCEL_DEVICE Unit stepUnit(
        const LstmView& model, const Pass& pass, const UnitLane& at, float ahead, float cellBefore,
        const uint32_t* vector, int planes, float inverseHiddenScale) {
        const int32_t sum = gateSum(model, pass, at, vector, planes);
        const float tanhOfGate = Scalar::tanh(Scalar::scaled(sum, *pass.scales, ahead));
        const float gate = at.gate == CANDIDATE_GATE ? tanhOfGate : Scalar::sigmoidOfTanh(tanhOfGate);
        const int first = (threadIndex() - at.lane) & (WARP_LANES - 1);
        const float i = shuffle(gate, first);
        const float f = shuffle(gate, first + 1);
        const float g = shuffle(gate, first + 2);
        const float o = shuffle(gate, first + 3);
        const float cell = f * cellBefore + i * g;
        const float hidden = o * Scalar::tanh(cell);
        return {cell, static_cast<int8_t>(Scalar::quantise(hidden, inverseHiddenScale, 127.0f))};
    }

    /** The work ahead of one unit: this gate's recurrent half, of the layer's hidden vector in shared memory. */
    static TIERCEL_DEVICE float aheadUnit(
        const LstmView& model, const Pass& pass, const UnitLane& at, const uint32_t* vector) {
        return Scalar::scaled(gateSum(model, pass, at, vector, 1), *pass.scales, *pass.biases);
    }
};

/** Zeros to this block's vectors, so that their padding is. */
TIERCEL_DEVICE void clearVectors(const LstmShared& shared) {
    uint32_t* words = reinterpret_cast<uint32_t*>(sharedMemory());
    for (int i = threadIndex(); i < shared.outputs / 4; i += threadCount()) {
        words[i] = 0;
    }
}

}  // namespace
}  // namespace tiercel

#endif
