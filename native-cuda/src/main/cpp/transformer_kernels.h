/*
 * The forward pass of the transformer family, written once over lanes, to be read from top to bottom: forward() is the
 * whole of it. appliance/TRANSFORMER.md has the formulas, io.tiercel.appliance.engine.reference.TransformerExecutor is
 * the specification. A translation unit includes this with its lanes and takes TransformerKernels<Lanes, Attention>.
 *
 * Items are tokens of sessions: of several sessions (a batch), or of one session in a row (a prompt), or both. A layer
 * is computed for all of them before the next one, so that its weights are read once. What an item does to its
 * session's state in a layer it does in its turn, so a row of tokens gives the bits of one token after the other.
 *
 * Loops over plain floats are left to the compiler: an element's operations are the same in any lane.
 */
#ifndef TIERCEL_TRANSFORMER_KERNELS_H
#define TIERCEL_TRANSFORMER_KERNELS_H

#include <cmath>

#include "attention_lanes.h"
#include "digest.h"
#include "products.h"
#include "transformer_view.h"
#include "vectors.h"

namespace tiercel {
namespace {

/**
 * What one layer reads of the states of some items, fetched a few cache lines at a time while weights are multiplied: a
 * session that nobody has touched for a while is in memory, not in a cache. Items that were here just now are left out.
 */
class Fetch {
public:
    /** Nothing. */
    Fetch() = default;

    Fetch(const TransformerView& model, int layer, const TransformerItem* items, int count)
        : model(&model), layer(layer), item(items), endItem(items + count) {
        toRange(0);
    }

    TIERCEL_INLINE void some(int lines) {
        for (; lines > 0 && next < end; lines--) {
            __builtin_prefetch(next, 0, 3);
            next += 64;
            if (next >= end) {
                toRange(range + 1);
            }
        }
    }

private:
    /** Range 0 is the layer's part of the window, those after it are its parts of pages. */
    void toRange(int index) {
        for (; item < endItem; item++, index = 0) {
            if (!item->isNear && index <= item->pageCount) {
                range = index;
                const TransformerStateView& state = model->state;
                const int64_t page = index == 0 ? 0 : state.page(index - 1);
                next = item->state + page + (index == 0 ? state.recentKeys(layer, 0, 0) : state.pageKeys(layer, 0));
                end = item->state + page +
                      (index == 0 ? state.recentKeys(layer + 1, 0, 0) : state.pageKeys(layer + 1, 0));
                if (next < end) {
                    return;
                }
            }
        }
        next = end = nullptr;
    }

    const TransformerView* model = nullptr;
    int layer = 0;
    const TransformerItem* item = nullptr;
    const TransformerItem* endItem = nullptr;
    int range = 0;
    const uint8_t* next = nullptr;
    const uint8_t* end = nullptr;
};

template <class L, class A>
struct TransformerKernels {
    using Floats = typename L::Floats;
    using Integers = typename L::Integers;
    using Activation = typename L::Activation;
    using E = Exact<L>;
    using P = Products<L>;
    using V = Vectors<L>;
    template <int B>
    using Plane = typename P::template Plane<B>;

    static constexpr float SMALLEST = 0x1p-100f;
    static constexpr int NORM_MAXIMUM = 32767;
    static constexpr float WEIGHT_ONE = 0x1p15f;
    static constexpr float LOWEST_EXPONENT = -32.0f;
    /** Of the first layer's states, fetched before anything else; a processor has some ten on their way at once. */
    static constexpr int FIRST_LINES = 64;
    static constexpr int SLOTS = TransformerStateView::PAGE_SLOTS;

    // Vectors.

    /** A loop the compiler makes lanes of: the bits of floats without their sign order as their magnitudes do. */
    static TIERCEL_INLINE float largestMagnitude(const float* vector, int count) {
        int32_t largest = 0;
        for (int i = 0; i < count; i++) {
            int32_t bits;
            std::memcpy(&bits, vector + i, sizeof bits);
            bits &= 0x7FFFFFFF;
            largest = bits > largest ? bits : largest;
        }
        float magnitude;
        std::memcpy(&magnitude, &largest, sizeof magnitude);
        return magnitude;
    }

    static TIERCEL_INLINE int32_t rint(float value) { return ScalarLanes::rint(value); }

    /** q = rint(v * (maximum / m)), m the largest magnitude; returns the scale m / maximum. */
    static float quantise(const float* __restrict vector, int count, int maximum, const Activations& to) {
        const float largest = largestMagnitude(vector, count);
        const bool isNothing = largest < SMALLEST;
        const float inverse = isNothing ? 0.0f : static_cast<float>(maximum) / largest;
        if (to.planes == 1) {
            Activation* __restrict values = static_cast<Activation*>(to.values);
            int i = 0;
            for (; i <= count - L::LANES; i += L::LANES) {
                L::store(values + i, L::rint(L::load(vector + i) * L::all(inverse)));
            }
            for (; i < count; i++) {
                values[i] = static_cast<Activation>(rint(vector[i] * inverse));
            }
        } else {
            for (int i = 0; i < count; i++) {
                V::storeDigits(to, i, rint(vector[i] * inverse));
            }
        }
        V::sumGroups(to);
        return isNothing ? 0.0f : largest / static_cast<float>(maximum);
    }

    static void norm(
        const float* __restrict vector, const float* __restrict weights, float epsilon, int count,
        float* __restrict normed) {
        const float largest = largestMagnitude(vector, count);
        double meanSquare = 0;
        if (largest >= SMALLEST) {
            const float inverse = static_cast<float>(NORM_MAXIMUM) / largest;
            int64_t sum = 0;
            for (int i = 0; i < count; i++) {
                const int32_t q = rint(vector[i] * inverse);
                sum += static_cast<int64_t>(q) * q;
            }
            const double unit = static_cast<double>(largest) / NORM_MAXIMUM;
            meanSquare = static_cast<double>(sum) * (unit * unit) / count;
        }
        const float factor = static_cast<float>(1.0 / std::sqrt(meanSquare + static_cast<double>(epsilon)));
        for (int i = 0; i < count; i++) {
            normed[i] = vector[i] * factor * weights[i];
        }
    }

    /** Cosines and sines of all pairs at a position: see RotaryParameters.java. */
    static void angles(const TransformerView& model, int64_t position, float* cosines, float* sines) {
        const int pairs = model.shape.headSize / 2;
        for (int pair = 0; pair < pairs; pair++) {
            const uint64_t phase = static_cast<uint64_t>(position) * model.rotarySteps[pair];
            const uint64_t entry = (phase + (uint64_t{1} << 55)) >> 56;
            const int64_t rest = static_cast<int64_t>(phase - (entry << 56));
            const float angle = static_cast<float>(static_cast<int32_t>(rest >> 32)) * 0x1.921fb6p-30f;
            const float square = angle * angle;
            const float cosineOfRest = (square * 0x1.555556p-5f - 0.5f) * square + 1.0f;
            const float sineOfRest = ((square * 0x1.111112p-7f - 0x1.555556p-3f) * square + 1.0f) * angle;
            const float cosine = model.rotaryCircle[2 * entry];
            const float sine = model.rotaryCircle[2 * entry + 1];
            cosines[pair] = cosine * cosineOfRest - sine * sineOfRest;
            sines[pair] = sine * cosineOfRest + cosine * sineOfRest;
        }
    }

    static TIERCEL_INLINE void rotate(
        float* __restrict firsts, float* __restrict seconds, const float* __restrict cosines,
        const float* __restrict sines, int pairs) {
        for (int pair = 0; pair < pairs; pair++) {
            const float first = firsts[pair];
            const float second = seconds[pair];
            firsts[pair] = first * cosines[pair] - second * sines[pair];
            seconds[pair] = first * sines[pair] + second * cosines[pair];
        }
    }

    static void hadamard(float* head, int count, float scale) {
        for (int stride = 1; stride < count; stride *= 2) {
            for (int first = 0; first < count; first += 2 * stride) {
                for (int i = first; i < first + stride; i++) {
                    const float sum = head[i] + head[i + stride];
                    head[i + stride] = head[i] - head[i + stride];
                    head[i] = sum;
                }
            }
        }
        for (int i = 0; i < count; i++) {
            head[i] *= scale;
        }
    }

    // Matrices.

    /** One of the vectors of a product: its codes, their scale, and where the rows go. */
    struct Operand {
        Activations codes;
        float scale;
        float* results;
    };

    template <int ROWS, int B, bool INT4>
    static TIERCEL_INLINE const uint8_t* blockSums(
        const PackedMatrix& matrix, int block, const Operand* operands, Integers (&sums)[B][ROWS / L::LANES]) {
        const Plane<B> plane(&operands->codes, sizeof *operands, 0);
        const uint8_t* after = P::template planeSums<ROWS, B, INT4>(matrix.block(block), plane, sums);
        if (operands->codes.planes > 1) {
            P::template addPlanes<ROWS, B, INT4>(matrix.block(block), &operands->codes, sizeof *operands, sums);
        }
        return after;
    }

    /** results[first + r] = (float) sum * (rowScale * scale). */
    template <int ROWS, int B, bool INT4>
    static void blocks(const PackedMatrix& matrix, int first, const Operand* operands, Fetch& fetch) {
        for (int block = 0; block < matrix.blockCount; block++) {
            Integers sums[B][ROWS / L::LANES];
            const float* scales = reinterpret_cast<const float*>(
                blockSums<ROWS, B, INT4>(matrix, block, operands, sums));
            for (int b = 0; b < B; b++) {
                float* results = operands[b].results + first + block * ROWS;
                for (int v = 0; v < ROWS / L::LANES; v++) {
                    const Floats scale = L::load(scales + v * L::LANES) * L::all(operands[b].scale);
                    L::store(results + v * L::LANES, L::toFloats(sums[b][v]) * scale);
                }
            }
            fetch.some(ROWS);
        }
    }

    /** The same of a matrix in two planes: (float) (256 high + low) * (rowScale * scale). */
    template <int ROWS, int B>
    static void planedBlocks(
        const PackedMatrix& high, const PackedMatrix& low, int first, const Operand* operands) {
        for (int block = 0; block < high.blockCount; block++) {
            Integers highSums[B][ROWS / L::LANES];
            Integers lowSums[B][ROWS / L::LANES];
            const float* scales = reinterpret_cast<const float*>(
                blockSums<ROWS, B, false>(high, block, operands, highSums));
            blockSums<ROWS, B, false>(low, block, operands, lowSums);
            for (int b = 0; b < B; b++) {
                int32_t highs[ROWS];
                int32_t lows[ROWS];
                for (int v = 0; v < ROWS / L::LANES; v++) {
                    L::store(highs + v * L::LANES, highSums[b][v]);
                    L::store(lows + v * L::LANES, lowSums[b][v]);
                }
                float* results = operands[b].results + first + block * ROWS;
                for (int i = 0; i < ROWS; i++) {
                    // Exact as doubles; rounded once.
                    const float sum = static_cast<float>(256.0 * highs[i] + lows[i]);
                    results[i] = sum * (scales[i] * operands[b].scale);
                }
            }
        }
    }

    template <int B>
    static void multiplySome(const PackedRows& matrix, const Operand* operands, Fetch& fetch) {
        const int narrowFirst = matrix.wide.blockCount * WIDE_ROWS;
        if (matrix.hasLow) {
            planedBlocks<WIDE_ROWS, B>(matrix.wide, matrix.wideLow, 0, operands);
            planedBlocks<NARROW_ROWS, B>(matrix.narrow, matrix.narrowLow, narrowFirst, operands);
        } else if (matrix.wide.isInt4) {
            blocks<WIDE_ROWS, B, true>(matrix.wide, 0, operands, fetch);
            blocks<NARROW_ROWS, B, true>(matrix.narrow, narrowFirst, operands, fetch);
        } else {
            blocks<WIDE_ROWS, B, false>(matrix.wide, 0, operands, fetch);
            blocks<NARROW_ROWS, B, false>(matrix.narrow, narrowFirst, operands, fetch);
        }
    }

    /** One matrix times one vector of each item: operandOf(item) says which and where to. */
    template <class OperandOf>
    static TIERCEL_INLINE void multiply(
        const PackedRows& matrix, TransformerItem* items, int count, Fetch& fetch, const OperandOf& operandOf) {
        int i = 0;
        for (; i <= count - TILE_POSITIONS; i += TILE_POSITIONS) {
            const Operand operands[TILE_POSITIONS] = {operandOf(items[i]), operandOf(items[i + 1])};
            multiplySome<TILE_POSITIONS>(matrix, operands, fetch);
        }
        if (i < count) {
            const Operand operand = operandOf(items[i]);
            multiplySome<1>(matrix, &operand, fetch);
        }
    }

    // The cache.

    /** rint(hold((x - mean) * (1 / scale), +-127)). */
    static void toBytes(const CodecView& codec, const float* vector, int count, int8_t* row) {
        int i = 0;
        for (; i <= count - L::LANES; i += L::LANES) {
            const Floats apart = L::load(vector + i) - L::load(codec.means + i);
            L::store(row + i, L::rint(E::hold(apart * L::load(codec.inverseScales + i), 127.0f)));
        }
        for (; i < count; i++) {
            const float scaled = (vector[i] - codec.means[i]) * codec.inverseScales[i];
            row[i] = static_cast<int8_t>(rint(Exact<ScalarLanes>::hold(scaled, 127.0f)));
        }
    }

    /** The same of 16 bits, held to what two bytes are: 256 high + low. */
    static void toPlanes(const CodecView& codec, const float* vector, int count, int8_t* high, int8_t* low) {
        for (int i = 0; i < count; i++) {
            const float scaled = (vector[i] - codec.means[i]) * codec.inverseScales[i];
            const int32_t value = rint(Exact<ScalarLanes>::hold(scaled, 32639.0f));
            low[i] = static_cast<int8_t>(value);
            high[i] = static_cast<int8_t>((value - low[i]) >> 8);
        }
    }

    /** A token's keys and values, which follow each other, to the rows of an item. */
    static void toRows(
        const TransformerView& model, const TransformerLayerView& layer, const float* keys, int8_t* rows) {
        const int count = model.shape.keyCount();
        if (model.shape.recentPlanes == 1) {
            toBytes(layer.keys, keys, count, rows);
            toBytes(layer.values, keys + count, count, rows + count);
        } else {
            toPlanes(layer.keys, keys, count, rows, rows + 2 * count);
            toPlanes(layer.values, keys + count, count, rows + count, rows + 3 * count);
        }
    }

    static TIERCEL_INLINE void putKeys(uint8_t* region, int bits, int slot, const int8_t* row, int channels) {
        const int fields = 8 / bits;
        const int lanes = TransformerStateView::KEY_LANES;
        uint8_t* block = region + slot / (lanes * fields) * (lanes * channels) + slot % lanes * 4;
        const int shift = slot / lanes % fields * bits;
        const uint32_t mask = ((1u << bits) - 1) << shift;
        for (int c = 0; c < channels; c += 4) {
            uint32_t four;
            uint32_t there;
            std::memcpy(&four, row + c, sizeof four);
            std::memcpy(&there, block + c / 4 * 64, sizeof there);
            const uint32_t fourMasks = mask * 0x01010101u;
            there = (there & ~fourMasks) | ((four << shift) & fourMasks);
            std::memcpy(block + c / 4 * 64, &there, sizeof there);
        }
    }

    static TIERCEL_INLINE void getKeys(const uint8_t* region, int slot, int8_t* row, int channels) {
        const int lanes = TransformerStateView::KEY_LANES;
        const uint8_t* block = region + slot / lanes * (lanes * channels) + slot % lanes * 4;
        for (int c = 0; c < channels; c += 4) {
            std::memcpy(row + c, block + c / 4 * 64, 4);
        }
    }

    static TIERCEL_INLINE void putValues(uint8_t* region, int bits, int slot, const int8_t* row, int channels) {
        const int fields = 8 / bits;
        const int lanes = TransformerStateView::VALUE_LANES;
        uint8_t* block = region + slot / (lanes * fields) * (lanes * channels) + slot % lanes;
        const int shift = slot / lanes % fields * bits;
        const unsigned mask = ((1u << bits) - 1) << shift;
        for (int c = 0; c < channels; c++) {
            uint8_t& there = block[4 * c];
            there = static_cast<uint8_t>((there & ~mask) | ((static_cast<unsigned>(row[c]) << shift) & mask));
        }
    }

    static TIERCEL_INLINE void getValues(const uint8_t* region, int slot, int8_t* row, int channels) {
        const int lanes = TransformerStateView::VALUE_LANES;
        const uint8_t* block = region + slot / lanes * (lanes * channels) + slot % lanes;
        for (int c = 0; c < channels; c++) {
            row[c] = static_cast<int8_t>(block[4 * c]);
        }
    }

    /** The codes of one head's channels, of which row has the bytes. */
    static void code(const CodecView& codec, int head, int channels, const int8_t* row, int8_t* codes) {
        if (codec.isCoupled()) {
            const int count = codec.codesOf(channels);
            for (int i = 0; i < count; i++) {
                codes[i] = nearest(codec, head * count + i, row + i * codec.channels);
            }
            return;
        }
        const int half = 1 << (codec.bits - 1);
        const int32_t* reciprocals = codec.hasSteps() ? codec.reciprocals + head * channels : nullptr;
        for (int c = 0; c < channels; c++) {
            if (reciprocals == nullptr) {
                codes[c] = row[c];
            } else {
                const int32_t code = ((row[c] * reciprocals[c]) >> 16) + half;
                const int32_t held = code < 2 * half - 1 ? code : 2 * half - 1;
                codes[c] = static_cast<int8_t>(held > 0 ? held : 0);
            }
        }
    }

    /** The entry with the least sum of squared differences; of equals the first. */
    static int8_t nearest(const CodecView& codec, int group, const int8_t* channels) {
        constexpr int ENTRIES = 256;
        const int16_t* entries = codec.entries + static_cast<int64_t>(group) * codec.channels * ENTRIES;
        int32_t distances[ENTRIES] = {};
        for (int c = 0; c < codec.channels; c++, entries += ENTRIES) {
            const int32_t channel = channels[c];
            for (int j = 0; j < ENTRIES; j++) {
                const int32_t difference = channel - entries[j];
                distances[j] += difference * difference;
            }
        }
        // With the entry in the low bits, the least is the first of the least. Sums are below 2^19.
        int32_t least = INT32_MAX;
        for (int j = 0; j < ENTRIES; j++) {
            const int32_t candidate = distances[j] * ENTRIES + j;
            least = candidate < least ? candidate : least;
        }
        return static_cast<int8_t>(least & (ENTRIES - 1));
    }

    static uint8_t* pageOf(const TransformerView& model, uint8_t* state, int slot) {
        return state + model.state.page(slot / SLOTS);
    }

    static void putCoded(
        const CodecView& codec, uint8_t* region, int slot, const int8_t* codes, int channels, bool isKeys) {
        if (codec.isCoupled()) {
            for (int i = 0; i < codec.codesOf(channels); i++) {
                region[i * SLOTS + slot] = static_cast<uint8_t>(codes[i]);
            }
        } else if (isKeys) {
            putKeys(region, codec.bits, slot, codes, channels);
        } else {
            putValues(region, codec.bits, slot, codes, channels);
        }
    }

    /** Codes one head's key and value of a token, given as bytes, for good; returns the digest that takes them in. */
    static uint64_t codeHead(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, int64_t token,
        uint8_t* state, const int8_t* keyRow, const int8_t* valueRow, uint64_t digest) {
        const TransformerShape& shape = model.shape;
        const TransformerLayerView& of = model.layers[layer];
        const int channels = shape.headSize;
        const int slot = static_cast<int>((token - shape.sinks) % shape.codedTokens());
        uint8_t* page = pageOf(model, state, slot);
        code(of.keys, head, channels, keyRow, scratch.codes);
        putCoded(of.keys, page + model.state.pageKeys(layer, head), slot % SLOTS, scratch.codes, channels, true);
        digest = Digest::mix(digest, scratch.codes, of.keys.codesOf(channels));
        code(of.values, head, channels, valueRow, scratch.codes);
        putCoded(of.values, page + model.state.pageValues(layer, head), slot % SLOTS, scratch.codes, channels, false);
        return Digest::mix(digest, scratch.codes, of.values.codesOf(channels));
    }

    static int recentSlot(const TransformerShape& shape, int64_t token) {
        return static_cast<int>(
            token < shape.sinks ? token : shape.sinks + (token - shape.sinks) % shape.window);
    }

    /** Codes a token that leaves the window, of one layer, from its bytes there. */
    static uint64_t codeRecent(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int64_t token, uint8_t* state,
        uint64_t digest) {
        const TransformerShape& shape = model.shape;
        const int slot = recentSlot(shape, token);
        int8_t keyRow[MAX_HEAD_SIZE];
        int8_t valueRow[MAX_HEAD_SIZE];
        for (int head = 0; head < shape.keyValueHeads; head++) {
            getKeys(state + model.state.recentKeys(layer, head, 0), slot, keyRow, shape.headSize);
            getValues(state + model.state.recentValues(layer, head, 0), slot, valueRow, shape.headSize);
            digest = codeHead(model, scratch, layer, head, token, state, keyRow, valueRow, digest);
        }
        return digest;
    }

    static bool hasCodes(const TransformerShape& shape, int64_t token) {
        return token >= shape.sinks && shape.codedTokens() > 0;
    }

    /**
     * Each four bytes, or one, of a layer that remember() writes for an item: visit(where, how many). In the same order
     * each time.
     */
    template <class Visit>
    static TIERCEL_INLINE void eachWritten(
        const TransformerView& model, int layer, const TransformerItem& item, const Visit& visit) {
        const TransformerShape& shape = model.shape;
        const TransformerLayerView& of = model.layers[layer];
        const int channels = shape.headSize;
        const bool isRecent = shape.window > 0 || item.position < shape.sinks;
        const int64_t token = item.position - shape.window;
        const bool isCoded = shape.window > 0 ? token >= item.codedTokens && hasCodes(shape, token) : !isRecent;
        for (int head = 0; head < shape.keyValueHeads; head++) {
            for (int plane = 0; isRecent && plane < shape.recentPlanes; plane++) {
                const int slot = recentSlot(shape, item.position);
                eachOfKeys(item.state + model.state.recentKeys(layer, head, plane), 8, slot, channels, visit);
                eachOfValues(item.state + model.state.recentValues(layer, head, plane), 8, slot, channels, visit);
            }
            if (isCoded) {
                const int slot = static_cast<int>((token - shape.sinks) % shape.codedTokens());
                uint8_t* page = pageOf(model, item.state, slot);
                eachOfCoded(of.keys, page + model.state.pageKeys(layer, head), slot % SLOTS, channels, true, visit);
                eachOfCoded(of.values, page + model.state.pageValues(layer, head), slot % SLOTS, channels, false, visit);
            }
        }
    }

    template <class Visit>
    static TIERCEL_INLINE void eachOfKeys(uint8_t* region, int bits, int slot, int channels, const Visit& visit) {
        const int lanes = TransformerStateView::KEY_LANES;
        uint8_t* block = region + slot / (lanes * (8 / bits)) * (lanes * channels) + slot % lanes * 4;
        for (int c = 0; c < channels; c += 4) {
            visit(block + c / 4 * 64, 4);
        }
    }

    template <class Visit>
    static TIERCEL_INLINE void eachOfValues(uint8_t* region, int bits, int slot, int channels, const Visit& visit) {
        const int lanes = TransformerStateView::VALUE_LANES;
        uint8_t* block = region + slot / (lanes * (8 / bits)) * (lanes * channels) + slot % lanes;
        for (int c = 0; c < channels; c++) {
            visit(block + 4 * c, 1);
        }
    }

    template <class Visit>
    static TIERCEL_INLINE void eachOfCoded(
        const CodecView& codec, uint8_t* region, int slot, int channels, bool isKeys, const Visit& visit) {
        if (codec.isCoupled()) {
            for (int i = 0; i < codec.codesOf(channels); i++) {
                visit(region + i * SLOTS + slot, 1);
            }
        } else if (isKeys) {
            eachOfKeys(region, codec.bits, slot, channels, visit);
        } else {
            eachOfValues(region, codec.bits, slot, channels, visit);
        }
    }

    /** Bytes of an item's undo of one layer. */
    static int undoBytes(const TransformerShape& shape) { return (2 * shape.recentPlanes + 2) * shape.keyCount(); }

    /** Puts the token's keys and values where they belong, after the token that they displace has been coded. */
    static void remember(
        const TransformerView& model, const TransformerScratch& scratch, int layer, TransformerItem& item) {
        const TransformerShape& shape = model.shape;
        const int channels = shape.headSize;
        const int64_t leaving = item.position - shape.window;
        if (item.undo != nullptr) {
            uint8_t* to = item.undo + layer * undoBytes(shape);
            eachWritten(model, layer, item, [&](const uint8_t* from, int count) TIERCEL_LAMBDA {
                std::memcpy(to, from, count);
                to += count;
            });
        }
        for (int plane = 0; plane < shape.recentPlanes; plane++) {
            item.rowDigest = Digest::mix(item.rowDigest, item.rows + 2 * plane * shape.keyCount(), 2 * shape.keyCount());
        }
        if (shape.window > 0 && leaving >= item.codedTokens) {
            item.isCoded = true;
            if (hasCodes(shape, leaving)) {
                item.codedDigest = codeRecent(model, scratch, layer, leaving, item.state, item.codedDigest);
            }
        }
        for (int head = 0; head < shape.keyValueHeads; head++) {
            const int8_t* keyRow = item.rows + head * channels;
            const int8_t* valueRow = keyRow + shape.keyCount();
            if (shape.window > 0 || item.position < shape.sinks) {
                const int slot = recentSlot(shape, item.position);
                for (int plane = 0; plane < shape.recentPlanes; plane++) {
                    const int64_t rows = 2 * plane * shape.keyCount();
                    putKeys(item.state + model.state.recentKeys(layer, head, plane), 8, slot, keyRow + rows, channels);
                    putValues(
                        item.state + model.state.recentValues(layer, head, plane), 8, slot, valueRow + rows, channels);
                }
            } else {
                item.codedDigest = codeHead(
                    model, scratch, layer, head, item.position, item.state, keyRow, valueRow, item.codedDigest);
            }
        }
    }

    // Attention of one head.

    /** The query in units of the keys' integers, in 8 bits; returns what makes an exponent of a product with it. */
    template <class T>
    static float foldQuery(
        const float* __restrict query, const float* __restrict units, int channels, float softmaxScale,
        float* __restrict folded, T* __restrict to) {
        constexpr float MAXIMUM = sizeof(T) == 1 ? 127.0f : 16383.0f;
        for (int c = 0; c < channels; c++) {
            folded[c] = query[c] * units[c];
        }
        const float largest = largestMagnitude(folded, channels);
        const bool isNothing = largest < SMALLEST;
        const float inverse = isNothing ? 0.0f : MAXIMUM / largest;
        int c = 0;
        for (; sizeof(T) == 1 && c <= channels - L::LANES; c += L::LANES) {
            L::store(reinterpret_cast<int8_t*>(to) + c, L::rint(L::load(folded + c) * L::all(inverse)));
        }
        for (; c < channels; c++) {
            to[c] = static_cast<T>(rint(folded[c] * inverse));
        }
        return (isNothing ? 0.0f : largest / MAXIMUM) * softmaxScale;
    }

    /** Scores of a window of 16 bits, which is all there is. In plain loops: what is wanted of it is precision. */
    static float wideScore(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, const float* query,
        const uint8_t* state, int count) {
        const int channels = model.shape.headSize;
        const float scale = foldQuery(query, model.layers[layer].keys.scales + head * channels, channels,
                                      model.numbers.softmaxScale, scratch.folded, scratch.wideQuery);
        int8_t high[MAX_HEAD_SIZE];
        int8_t low[MAX_HEAD_SIZE];
        float largest = 0;
        for (int slot = 0; slot < count; slot++) {
            getKeys(state + model.state.recentKeys(layer, head, 0), slot, high, channels);
            getKeys(state + model.state.recentKeys(layer, head, 1), slot, low, channels);
            int64_t sum = 0;
            for (int c = 0; c < channels; c++) {
                sum += static_cast<int64_t>(scratch.wideQuery[c]) * (256 * high[c] + low[c]);
            }
            scratch.scores[slot] = static_cast<float>(sum) * scale;
            largest = slot == 0 || scratch.scores[slot] > largest ? scratch.scores[slot] : largest;
        }
        for (int slot = count; slot % L::LANES != 0; slot++) {
            scratch.scores[slot] = largest;
        }
        return largest;
    }

    static int32_t sumOf(const int8_t* query, int channels) {
        int32_t sum = 0;
        for (int c = 0; c < channels; c++) {
            sum += query[c];
        }
        return sum;
    }

    /** products of a query with the keys of a region's slots, up to a whole block past count. */
    static void uniformProducts(
        int bits, const uint8_t* region, int count, const int8_t* query, int32_t querySum, int channels,
        int32_t* products) {
        const int blockSlots = TransformerStateView::KEY_LANES * (8 / bits);
        const int blocks = (count + blockSlots - 1) / blockSlots;
        switch (bits) {
            case 8: return A::template keys<8>(region, blocks, channels, query, querySum, products);
            case 4: return A::template keys<4>(region, blocks, channels, query, querySum, products);
            case 2: return A::template keys<2>(region, blocks, channels, query, querySum, products);
            default: return A::template keys<1>(region, blocks, channels, query, querySum, products);
        }
    }

    /** table[group][entry] = the query's channels of the group . the codebook's. */
    static void makeTable(const CodecView& codec, int head, const int8_t* query, int channels, int32_t* table) {
        const int groups = codec.codesOf(channels);
        const int16_t* entries = codec.entries + static_cast<int64_t>(head) * channels * 256;
        for (int group = 0; group < groups; group++, table += 256) {
            for (int j = 0; j < 256; j++) {
                table[j] = 0;
            }
            for (int c = 0; c < codec.channels; c++, entries += 256) {
                const int32_t channel = query[group * codec.channels + c];
                for (int j = 0; j < 256; j++) {
                    table[j] += channel * entries[j];
                }
            }
        }
    }

    /** products of up to a page's slots: of each slot the table's entries that its codes name. */
    static void coupledProducts(const int32_t* table, const uint8_t* page, int groups, int count, int32_t* products) {
        for (int slot = 0; slot < count; slot++) {
            products[slot] = 0;
        }
        for (int group = 0; group < groups; group++, page += SLOTS, table += 256) {
            for (int slot = 0; slot < count; slot++) {
                products[slot] += table[page[slot]];
            }
        }
    }

    /** Scores: exponents of two, of recent slots from 0, of coded ones from codedFirst; returns the largest. */
    static float score(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int keyValueHead,
        const float* query, const uint8_t* state, int recent, int coded, int codedFirst) {
        const CodecView& codec = model.layers[layer].keys;
        const int channels = model.shape.headSize;
        const int first = keyValueHead * channels;
        int32_t* products = scratch.products;
        if (model.shape.recentPlanes > 1) {
            return wideScore(model, scratch, layer, keyValueHead, query, state, recent);
        }
        const float recentScale = foldQuery(
            query, codec.scales + first, channels, model.numbers.softmaxScale, scratch.folded, scratch.recentQuery);
        const int32_t recentSum = sumOf(scratch.recentQuery, channels);
        uniformProducts(8, state + model.state.recentKeys(layer, keyValueHead, 0), recent, scratch.recentQuery,
                        recentSum, channels, products);
        float codedScale = recentScale;
        if (coded > 0 && codec.isCoupled()) {
            makeTable(codec, keyValueHead, scratch.recentQuery, channels, scratch.table);
            for (int slot = 0; slot < coded; slot += SLOTS) {
                const uint8_t* page = state + model.state.page(slot / SLOTS) + model.state.pageKeys(layer, keyValueHead);
                const int count = coded - slot < SLOTS ? coded - slot : SLOTS;
                coupledProducts(scratch.table, page, codec.codesOf(channels), count, products + codedFirst + slot);
            }
        } else if (coded > 0) {
            int8_t* codedQuery = codec.hasSteps() ? scratch.codedQuery : scratch.recentQuery;
            if (codec.hasSteps()) {
                codedScale = foldQuery(query, codec.steps + first, channels, model.numbers.softmaxScale,
                                       scratch.folded, codedQuery);
            }
            const int32_t codedSum = sumOf(codedQuery, channels);
            for (int slot = 0; slot < coded; slot += SLOTS) {
                const uint8_t* page = state + model.state.page(slot / SLOTS) + model.state.pageKeys(layer, keyValueHead);
                const int count = coded - slot < SLOTS ? coded - slot : SLOTS;
                uniformProducts(
                    codec.bits, page, count, codedQuery, codedSum, channels, products + codedFirst + slot);
            }
            if (codec.hasSteps()) {
                const int32_t offset = codec.offset() * codedSum;
                for (int slot = codedFirst; slot < codedFirst + coded; slot++) {
                    products[slot] = 2 * products[slot] - offset;
                }
            }
        }
        const float recentLargest = scale(products, recentScale, recent, scratch.scores);
        if (coded == 0) {
            return recentLargest;
        }
        const float codedLargest =
            scale(products + codedFirst, codedScale, coded, scratch.scores + codedFirst);
        return recent == 0 || codedLargest > recentLargest ? codedLargest : recentLargest;
    }

    /** scores = (float) products * scale; returns the largest. Reads and writes up to a lane-full past count. */
    static float scale(const int32_t* __restrict products, float scale, int count, float* __restrict scores) {
        if (count == 0) {
            return 0;
        }
        for (int i = 0; i < (count + L::LANES - 1) / L::LANES * L::LANES; i++) {
            scores[i] = static_cast<float>(products[i]) * scale;
        }
        for (int i = count; i % L::LANES != 0; i++) {
            scores[i] = scores[0];
        }
        Floats largest = L::load(scores);
        for (int i = L::LANES; i < count; i += L::LANES) {
            largest = L::maximum(largest, L::load(scores + i));
        }
        float lanes[L::LANES];
        L::store(lanes, largest);
        float most = lanes[0];
        for (int i = 1; i < L::LANES; i++) {
            most = lanes[i] > most ? lanes[i] : most;
        }
        return most;
    }

    /** weight = rint(2^15 exp2(score - largest)) of slots from..to, in two bytes; zero up to padded. Their sum. */
    static int64_t weigh(const TransformerScratch& scratch, float largest, int from, int count, int padded) {
        int32_t* weights = scratch.weights + from;
        const float* scores = scratch.scores + from;
        uint8_t* high = scratch.highWeights + from;
        uint8_t* low = scratch.lowWeights + from;
        // At most 2^15 tokens of at most 2^15 each.
        Integers total = L::allIntegers(0);
        for (int i = 0; i < count; i += L::LANES) {
            const Floats exponent = L::maximum(L::all(LOWEST_EXPONENT), L::load(scores + i) - L::all(largest));
            const Integers weight = L::rint(E::exp2(exponent) * WEIGHT_ONE);
            total = L::add(total, weight);
            L::store(weights + i, weight);
            L::storeLowBytes(high + i, L::sixteenth(L::sixteenth(weight)));
            L::storeLowBytes(low + i, weight);
        }
        int64_t sum = L::sumLanes(total);
        for (int i = count; i % L::LANES != 0; i++) {
            sum -= weights[i];
        }
        std::memset(high + count, 0, padded - count);
        std::memset(low + count, 0, padded - count);
        return sum;
    }

    /** sums[c] += weights times codes of a region's slots. */
    static void uniformValues(
        int bits, const uint8_t* region, int count, int channels, const uint8_t* highWeights,
        const uint8_t* lowWeights, int64_t* sums) {
        int32_t high[MAX_HEAD_SIZE];
        int32_t low[MAX_HEAD_SIZE];
        std::memset(high, 0, channels * sizeof(int32_t));
        std::memset(low, 0, channels * sizeof(int32_t));
        const int blockSlots = TransformerStateView::VALUE_LANES * (8 / bits);
        const int blocks = (count + blockSlots - 1) / blockSlots;
        switch (bits) {
            case 8: A::template values<8>(region, blocks, channels, highWeights, lowWeights, high, low); break;
            case 4: A::template values<4>(region, blocks, channels, highWeights, lowWeights, high, low); break;
            case 2: A::template values<2>(region, blocks, channels, highWeights, lowWeights, high, low); break;
            default: A::template values<1>(region, blocks, channels, highWeights, lowWeights, high, low); break;
        }
        for (int c = 0; c < channels; c++) {
            sums[c] += 256 * static_cast<int64_t>(high[c]) + low[c];
        }
    }

    /** The same of a page of coupled codes. A page's sums fit 32 bits: 128 x 2^15 x 128. */
    static void coupledValues(
        const CodecView& codec, int head, const uint8_t* page, int count, int channels, const int32_t* weights,
        int64_t* sums) {
        const int groups = codec.codesOf(channels);
        const int width = codec.channels;
        const int8_t* codebook = codec.codebook + static_cast<int64_t>(head) * groups * 256 * width;
        for (int group = 0; group < groups; group++, page += SLOTS, codebook += 256 * width) {
            int32_t some[8] = {};
            for (int slot = 0; slot < count; slot++) {
                const int8_t* entry = codebook + page[slot] * width;
                for (int c = 0; c < width; c++) {
                    some[c] += weights[slot] * entry[c];
                }
            }
            for (int c = 0; c < width; c++) {
                sums[group * width + c] += some[c];
            }
        }
    }

    static void sumValues(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, const uint8_t* state,
        int recent, int coded, int codedFirst, int64_t codedTotal) {
        const CodecView& codec = model.layers[layer].values;
        const int channels = model.shape.headSize;
        for (int c = 0; c < channels; c++) {
            scratch.recentSums[c] = 0;
            scratch.codedSums[c] = 0;
        }
        for (int plane = 0; plane < model.shape.recentPlanes; plane++) {
            for (int c = 0; plane > 0 && c < channels; c++) {
                scratch.recentSums[c] *= 256;
            }
            uniformValues(8, state + model.state.recentValues(layer, head, plane), recent, channels,
                          scratch.highWeights, scratch.lowWeights, scratch.recentSums);
        }
        for (int slot = 0; slot < coded; slot += SLOTS) {
            const uint8_t* page = state + model.state.page(slot / SLOTS) + model.state.pageValues(layer, head);
            const int count = coded - slot < SLOTS ? coded - slot : SLOTS;
            const int from = codedFirst + slot;
            if (codec.isCoupled()) {
                coupledValues(codec, head, page, count, channels, scratch.weights + from, scratch.codedSums);
            } else {
                uniformValues(codec.bits, page, count, channels, scratch.highWeights + from, scratch.lowWeights + from,
                              scratch.codedSums);
            }
        }
        if (codec.hasSteps() && coded > 0) {
            for (int c = 0; c < channels; c++) {
                scratch.codedSums[c] = 2 * scratch.codedSums[c] - codec.offset() * codedTotal;
            }
        }
    }

    static constexpr int padded(int count, int to) { return (count + to - 1) / to * to; }

    static void attendHead(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, TransformerItem& item) {
        const TransformerShape& shape = model.shape;
        const int channels = shape.headSize;
        const int keyValueHead = head / (shape.heads / shape.keyValueHeads);
        const int64_t reach = item.position + 1;
        const int recentLimit = shape.window == 0 ? shape.sinks : shape.recentTokens();
        const int recent = static_cast<int>(reach < recentLimit ? reach : recentLimit);
        const int64_t past = reach - shape.recentTokens();
        const int coded = static_cast<int>(past < 0 ? 0 : past < shape.codedTokens() ? past : shape.codedTokens());
        const int codedFirst = padded(recent, SLOTS);
        const float largest = score(model, scratch, layer, keyValueHead, item.projected + head * channels, item.state,
                                    recent, coded, codedFirst);
        const int64_t recentTotal = weigh(scratch, largest, 0, recent, codedFirst);
        const int64_t codedTotal = weigh(scratch, largest, codedFirst, coded, padded(coded, SLOTS));
        sumValues(model, scratch, layer, keyValueHead, item.state, recent, coded, codedFirst, codedTotal);
        const float inverse = static_cast<float>(1.0 / static_cast<double>(recentTotal + codedTotal));
        const CodecView& codec = model.layers[layer].values;
        const int first = keyValueHead * channels;
        float* attended = item.attended + head * channels;
        if (codec.hasSteps()) {
            for (int c = 0; c < channels; c++) {
                const float recentPart = static_cast<float>(scratch.recentSums[c]) * (inverse * codec.scales[first + c]);
                const float codedPart = static_cast<float>(scratch.codedSums[c]) * (inverse * codec.steps[first + c]);
                attended[c] = recentPart + codedPart + codec.means[first + c];
            }
        } else {
            for (int c = 0; c < channels; c++) {
                const int64_t sum = scratch.recentSums[c] + scratch.codedSums[c];
                attended[c] = static_cast<float>(sum) * (inverse * codec.scales[first + c]) + codec.means[first + c];
            }
        }
        if (shape.isRotated) {
            hadamard(attended, channels, model.numbers.rotationScale);
        }
    }

    // The layers.

    static TIERCEL_INLINE float nibbleWeight(const TransformerView& model, int64_t row, int column) {
        const int groups = (model.shape.dimension + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
        const uint8_t pair = model.embeddingCodes[row * groups * 16 + column / 2];
        const int code = static_cast<int8_t>(column % 2 == 0 ? pair << 4 : pair) >> 4;
        return static_cast<float>(code * model.embeddingMultipliers[row * groups + column / GROUP_COLUMNS]);
    }

    static void embed(const TransformerView& model, TransformerItem& item) {
        const int dimension = model.shape.dimension;
        int32_t token;
        std::memcpy(&token, item.input, sizeof token);
        const float scale = model.embeddingScales[token];
        const int64_t row = token;
        const int8_t* codes = reinterpret_cast<const int8_t*>(model.embeddingCodes) + row * dimension;
        if (model.shape.headBits == 8) {
            for (int i = 0; i < dimension; i++) {
                item.residual[i] = static_cast<float>(codes[i]) * scale;
            }
        } else if (model.shape.headBits == 16) {
            const int8_t* low = reinterpret_cast<const int8_t*>(model.embeddingLowCodes) + row * dimension;
            for (int i = 0; i < dimension; i++) {
                item.residual[i] = static_cast<float>(256 * codes[i] + low[i]) * scale;
            }
        } else {
            for (int i = 0; i < dimension; i++) {
                item.residual[i] = nibbleWeight(model, row, i) * scale;
            }
        }
    }

    static void embedFeatures(
        const TransformerView& model, const TransformerScratch& scratch, TransformerItem& item) {
        V::quantiseFeatures(model.features, static_cast<const float*>(item.input), scratch.features);
        const Operand operand{scratch.features, model.numbers.featureScale, item.change};
        Fetch nothing;
        multiplySome<1>(model.embedding, &operand, nothing);
        for (int i = 0; i < model.shape.dimension; i++) {
            item.residual[i] = item.change[i] + model.embeddingBiases[i];
        }
    }

    static TIERCEL_INLINE void add(float* sum, const float* addend, int count) {
        for (int i = 0; i < count; i++) {
            sum[i] = sum[i] + addend[i];
        }
    }

    static void attend(
        const TransformerView& model, const TransformerScratch& scratch, int layer, TransformerItem* items, int count,
        Fetch& fetch) {
        const TransformerShape& shape = model.shape;
        const TransformerLayerView& of = model.layers[layer];
        const int channels = shape.headSize;
        for (int i = 0; i < count; i++) {
            norm(items[i].residual, of.attentionNorm, model.numbers.normEpsilon, shape.dimension, scratch.normed);
            items[i].scale = quantise(scratch.normed, shape.dimension, shape.activationMaximum, items[i].narrow);
        }
        multiply(of.attentionInput, items, count, fetch, [](const TransformerItem& item) TIERCEL_LAMBDA {
            return Operand{item.narrow, item.scale, item.projected};
        });
        for (int i = 0; i < count; i++) {
            TransformerItem& item = items[i];
            for (int head = 0; head < shape.heads + shape.keyValueHeads; head++) {
                float* of = item.projected + head * channels;
                rotate(of, of + channels / 2, item.cosines, item.sines, channels / 2);
            }
            for (int head = 0; shape.isRotated && head < shape.heads + 2 * shape.keyValueHeads; head++) {
                hadamard(item.projected + head * channels, channels, model.numbers.rotationScale);
            }
            const float* keys = item.projected + shape.queryCount();
            toRows(model, of, keys, item.rows);
            remember(model, scratch, layer, item);
            for (int head = 0; head < shape.heads; head++) {
                attendHead(model, scratch, layer, head, item);
            }
            item.scale = quantise(item.attended, shape.queryCount(), shape.activationMaximum, item.attendedCodes);
        }
        // From here on it is the next layer's states that will be wanted.
        fetch = layer + 1 < shape.layers ? Fetch(model, layer + 1, items, count) : Fetch();
        multiply(of.attentionOutput, items, count, fetch, [](const TransformerItem& item) TIERCEL_LAMBDA {
            return Operand{item.attendedCodes, item.scale, item.change};
        });
        for (int i = 0; i < count; i++) {
            add(items[i].residual, items[i].change, shape.dimension);
        }
    }

    /** h = (a * sigmoid(a)) * b of the two halves of a product, quantised. */
    static void gate(const TransformerShape& shape, TransformerItem& item) {
        float* gates = item.both;
        const float* gated = item.both + shape.hidden;
        int i = 0;
        for (; i <= shape.hidden - L::LANES; i += L::LANES) {
            const Floats gate = L::load(gates + i);
            L::store(gates + i, gate * E::sigmoidOfTanh(E::tanh(gate * 0.5f)) * L::load(gated + i));
        }
        for (; i < shape.hidden; i++) {
            const float sigmoid = Exact<ScalarLanes>::sigmoidOfTanh(Exact<ScalarLanes>::tanh(0.5f * gates[i]));
            gates[i] = gates[i] * sigmoid * gated[i];
        }
        item.scale = quantise(gates, shape.hidden, shape.activationMaximum, item.hiddenCodes);
    }

    static void feed(
        const TransformerView& model, const TransformerScratch& scratch, int layer, TransformerItem* items, int count,
        Fetch& fetch) {
        const TransformerShape& shape = model.shape;
        const TransformerLayerView& of = model.layers[layer];
        for (int i = 0; i < count; i++) {
            norm(items[i].residual, of.feedNorm, model.numbers.normEpsilon, shape.dimension, scratch.normed);
            items[i].scale = quantise(scratch.normed, shape.dimension, shape.activationMaximum, items[i].narrow);
        }
        if (shape.experts > 0) {
            for (int i = 0; i < count; i++) {
                feedExperts(model, scratch, layer, items[i], fetch);
            }
            return;
        }
        feedForward(of.expertInputs[0], of.expertOutputs[0], shape, items, count, fetch);
        for (int i = 0; i < count; i++) {
            add(items[i].residual, items[i].change, shape.dimension);
        }
    }

    static void feedForward(
        const PackedRows& input, const PackedRows& output, const TransformerShape& shape, TransformerItem* items,
        int count, Fetch& fetch) {
        multiply(input, items, count, fetch, [](const TransformerItem& item) TIERCEL_LAMBDA {
            return Operand{item.narrow, item.scale, item.both};
        });
        for (int i = 0; i < count; i++) {
            gate(shape, items[i]);
        }
        multiply(output, items, count, fetch, [](const TransformerItem& item) TIERCEL_LAMBDA {
            return Operand{item.hiddenCodes, item.scale, item.change};
        });
    }

    /** The likeliest experts of one item, summed in the order of their rank by their shares. */
    static void feedExperts(
        const TransformerView& model, const TransformerScratch& scratch, int layer, TransformerItem& item,
        Fetch& fetch) {
        const TransformerShape& shape = model.shape;
        const TransformerLayerView& of = model.layers[layer];
        const float normedScale = item.scale;
        const Operand operand{item.narrow, normedScale, scratch.routed};
        multiplySome<1>(of.router, &operand, fetch);
        rank(scratch.routed, shape.experts, shape.activeExperts, scratch.ranked);
        for (int i = 0; i < shape.activeExperts; i++) {
            scratch.shares[i] = scratch.routed[scratch.ranked[i]];
        }
        V::softmax(scratch.shares, shape.activeExperts);
        for (int c = 0; c < shape.dimension; c++) {
            scratch.expertSum[c] = 0;
        }
        for (int i = 0; i < shape.activeExperts; i++) {
            const int expert = scratch.ranked[i];
            item.scale = normedScale;
            feedForward(of.expertInputs[expert], of.expertOutputs[expert], shape, &item, 1, fetch);
            for (int c = 0; c < shape.dimension; c++) {
                scratch.expertSum[c] = scratch.expertSum[c] + scratch.shares[i] * item.change[c];
            }
        }
        add(item.residual, scratch.expertSum, shape.dimension);
    }

    // The head.

    /** A loop the compiler makes lanes of. */
    static TIERCEL_INLINE bool isAnyAbove(const float* values, int count, float limit) {
        int32_t any = 0;
        for (int i = 0; i < count; i++) {
            any |= values[i] > limit ? 1 : 0;
        }
        return any != 0;
    }

    /** Indices of the largest values, the largest first; of equals the lower index. */
    static void rank(const float* values, int valueCount, int count, int32_t* ranked) {
        constexpr int STRIDE = 64;
        int found = 0;
        for (int first = 0; first < valueCount; first += STRIDE) {
            const int end = first + STRIDE < valueCount ? first + STRIDE : valueCount;
            // Most of many values are below all that are found: they are passed in a few comparisons.
            if (found == count && !isAnyAbove(values + first, end - first, values[ranked[count - 1]])) {
                continue;
            }
            for (int i = first; i < end; i++) {
                if (found < count || values[i] > values[ranked[count - 1]]) {
                    int place = found < count ? found++ : count - 1;
                    for (; place > 0 && values[i] > values[ranked[place - 1]]; place--) {
                        ranked[place] = ranked[place - 1];
                    }
                    ranked[place] = i;
                }
            }
        }
    }

    static void writeOutputs(
        const TransformerView& model, const TransformerScratch& scratch, const TransformerItem& item) {
        const TransformerShape& shape = model.shape;
        if (model.headBiases != nullptr) {
            add(item.logits, model.headBiases, shape.logits);
        }
        if (shape.outputs == Outputs::LOGITS) {
            std::memcpy(item.outputs, item.logits, shape.logits * sizeof(float));
            return;
        }
        if (shape.outputs == Outputs::PROBABILITIES) {
            std::memcpy(scratch.probabilities, item.logits, shape.logits * sizeof(float));
            V::softmax(scratch.probabilities, shape.logits);
            std::memcpy(item.outputs, scratch.probabilities, shape.logits * sizeof(float));
            return;
        }
        rank(item.logits, shape.logits, shape.top, scratch.ranked);
        const int64_t sum = V::softmaxTerms(
            item.logits, item.logits[scratch.ranked[0]], shape.logits, scratch.probabilities);
        for (int i = 0; i < shape.top; i++) {
            std::memcpy(item.outputs + 2 * i, scratch.ranked + i, sizeof(int32_t));
            item.outputs[2 * i + 1] = V::probability(scratch.probabilities[scratch.ranked[i]], sum);
        }
    }

    static void head(
        const TransformerView& model, const TransformerScratch& scratch, TransformerItem* items, int count) {
        const TransformerShape& shape = model.shape;
        for (int i = 0; i < count; i++) {
            if (items[i].hasOutputs) {
                norm(items[i].residual, model.finalNorm, model.numbers.normEpsilon, shape.dimension, scratch.normed);
                items[i].scale = quantise(scratch.normed, shape.dimension, shape.activationMaximum, items[i].narrow);
            }
        }
        Fetch none;
        for (int i = 0; i < count;) {
            const int some = i + 1 < count && items[i].hasOutputs && items[i + 1].hasOutputs ? 2 : 1;
            if (items[i].hasOutputs) {
                multiply(model.head, items + i, some, none, [](const TransformerItem& item) TIERCEL_LAMBDA {
                    return Operand{item.narrow, item.scale, item.logits};
                });
            }
            i += some;
        }
        for (int i = 0; i < count; i++) {
            if (items[i].hasOutputs) {
                writeOutputs(model, scratch, items[i]);
            }
        }
    }

    // The functions of a kernel set.

    /** Items of one session stand in a row, in order. What their headers become is the caller's to write. */
    static void forward(
        const TransformerView& model, const TransformerScratch& scratch, TransformerItem* items, int count) {
        for (int i = 0; i < count; i++) {
            model.shape.vocabulary > 0 ? embed(model, items[i]) : embedFeatures(model, scratch, items[i]);
            angles(model, items[i].position, items[i].cosines, items[i].sines);
        }
        Fetch fetch(model, 0, items, count);
        fetch.some(FIRST_LINES);
        for (int layer = 0; layer < model.shape.layers; layer++) {
            attend(model, scratch, layer, items, count, fetch);
            feed(model, scratch, layer, items, count, fetch);
        }
        head(model, scratch, items, count);
    }

    static void undo(const TransformerView& model, const TransformerItem& item) {
        for (int layer = 0; layer < model.shape.layers; layer++) {
            const uint8_t* from = item.undo + layer * undoBytes(model.shape);
            eachWritten(model, layer, item, [&](uint8_t* to, int count) TIERCEL_LAMBDA {
                std::memcpy(to, from, count);
                from += count;
            });
        }
    }

    static int32_t likeliest(const float* values, int32_t count) {
        int32_t best = 0;
        rank(values, count, 1, &best);
        return best;
    }

    /** Codes the token that the next one will displace from the window, if there is one. */
    static void ahead(const TransformerView& model, const TransformerScratch& scratch, uint8_t* state) {
        TransformerHeader* header = reinterpret_cast<TransformerHeader*>(state);
        const int64_t leaving = header->position - model.shape.window;
        if (model.shape.window == 0 || leaving < header->codedTokens) {
            return;
        }
        uint64_t digest = 0;
        for (int layer = 0; layer < model.shape.layers && hasCodes(model.shape, leaving); layer++) {
            digest = codeRecent(model, scratch, layer, leaving, state, digest);
        }
        header->digest = Digest::mixWord(header->digest, digest);
        header->codedTokens = leaving + 1;
    }
};

}  // namespace
}  // namespace tiercel

#endif
