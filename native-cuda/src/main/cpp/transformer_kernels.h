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

#include "attention_kernels.h"
#include "products.h"
#include "transformer_vectors.h"

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
                const uint8_t* from = index == 0 ? item->state : state.page(item->state, index - 1);
                next = from + (index == 0 ? state.recentKeys(layer, 0, 0) : state.pageKeys(layer, 0));
                end = from + (index == 0 ? state.recentKeys(layer + 1, 0, 0) : state.pageKeys(layer + 1, 0));
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
    using T = TransformerVectors<L>;
    using C = CacheKernels<L>;
    using Attention = AttentionKernels<L, A>;
    template <int B>
    using Plane = typename P::template Plane<B>;

    /** Of the first layer's states, fetched before anything else; a processor has some ten on their way at once. */
    static constexpr int FIRST_LINES = 64;

    // Matrices.

    /** One of the vectors of a product: its codes, their scale, and where the rows go. */
    struct Operand {
        Activations codes;
        float scale;
        float* results;
    };

    // What becomes of a block's rows, lane-full by lane-full, while the next block's sums are in the making.

    /** They are the results. */
    struct Store {
        template <int N>
        static TIERCEL_INLINE void take(const Floats (&rows)[N], float* results, int first) {
            for (int v = 0; v < N; v++) {
                L::store(results + first + v * L::LANES, rows[v]);
            }
        }
    };

    /** They are added to the results. */
    struct Add {
        template <int N>
        static TIERCEL_INLINE void take(const Floats (&rows)[N], float* results, int first) {
            for (int v = 0; v < N; v++) {
                float* to = results + first + v * L::LANES;
                L::store(to, L::load(to) + rows[v]);
            }
        }
    };

    /** Of 16 gates a and 16 units b by turns the results are (a * sigmoid(a)) * b. */
    struct Gate {
        template <int N>
        static TIERCEL_INLINE void take(const Floats (&rows)[N], float* results, int first) {
            constexpr int PART = PAIRED_ROWS / L::LANES;
            for (int v = 0; v < N / 2; v++) {
                const int row = v / PART * 2 * PART + v % PART;
                const Floats gate = rows[row];
                const Floats unit = gate * E::sigmoidOfTanh(E::tanh(gate * 0.5f)) * rows[row + PART];
                L::store(results + first / 2 + v * L::LANES, unit);
            }
        }
    };

    template <int ROWS, int B, bool INT4>
    static TIERCEL_INLINE const uint8_t* blockSums(
        const PackedMatrix& matrix, int block, const Plane<B>& plane, const Operand* operands,
        Integers (&sums)[B][ROWS / L::LANES]) {
        const uint8_t* after = P::template planeSums<ROWS, B, INT4>(matrix.block(block), plane, sums);
        if (operands->codes.planes > 1) {
            P::template addPlanes<ROWS, B, INT4>(matrix.block(block), &operands->codes, sizeof *operands, sums);
        }
        return after;
    }

    /** (float) sum * (rowScale * scale) of the rows from first on. */
    template <class Finish, int ROWS, int B, bool INT4>
    static void blocks(const PackedMatrix& matrix, int first, const Operand* operands, Fetch& fetch) {
        const Plane<B> plane(&operands->codes, sizeof *operands, 0);
        for (int block = 0; block < matrix.blockCount; block++) {
            Integers sums[B][ROWS / L::LANES];
            const float* scales = reinterpret_cast<const float*>(
                blockSums<ROWS, B, INT4>(matrix, block, plane, operands, sums));
            for (int b = 0; b < B; b++) {
                Floats rows[ROWS / L::LANES];
                for (int v = 0; v < ROWS / L::LANES; v++) {
                    rows[v] = L::toFloats(sums[b][v]) * (L::load(scales + v * L::LANES) * L::all(operands[b].scale));
                }
                Finish::take(rows, operands[b].results, first + block * ROWS);
            }
            fetch.some(ROWS);
        }
    }

    /** The same of a matrix in two planes: (float) (256 high + low) * (rowScale * scale). */
    template <class Finish, int ROWS, int B>
    static void planedBlocks(
        const PackedMatrix& high, const PackedMatrix& low, int first, const Operand* operands) {
        const Plane<B> plane(&operands->codes, sizeof *operands, 0);
        for (int block = 0; block < high.blockCount; block++) {
            Integers highSums[B][ROWS / L::LANES];
            Integers lowSums[B][ROWS / L::LANES];
            const float* scales = reinterpret_cast<const float*>(
                blockSums<ROWS, B, false>(high, block, plane, operands, highSums));
            blockSums<ROWS, B, false>(low, block, plane, operands, lowSums);
            for (int b = 0; b < B; b++) {
                Floats rows[ROWS / L::LANES];
                for (int v = 0; v < ROWS / L::LANES; v++) {
                    rows[v] = planedRows(highSums[b][v], lowSums[b][v], scales + v * L::LANES, operands[b].scale);
                }
                Finish::take(rows, operands[b].results, first + block * ROWS);
            }
        }
    }

    static TIERCEL_INLINE Floats planedRows(Integers high, Integers low, const float* scales, float scale) {
        int32_t highs[L::LANES];
        int32_t lows[L::LANES];
        float rows[L::LANES];
        L::store(highs, high);
        L::store(lows, low);
        for (int i = 0; i < L::LANES; i++) {
            // Exact as doubles; rounded once.
            const float sum = static_cast<float>(256.0 * highs[i] + lows[i]);
            rows[i] = sum * (scales[i] * scale);
        }
        return L::load(rows);
    }

    template <class Finish, int B>
    static void multiplySome(const PackedRows& matrix, const Operand* operands, Fetch& fetch) {
        const int narrowFirst = matrix.wide.blockCount * WIDE_ROWS;
        if (matrix.hasLow) {
            planedBlocks<Finish, WIDE_ROWS, B>(matrix.wide, matrix.wideLow, 0, operands);
            planedBlocks<Finish, NARROW_ROWS, B>(matrix.narrow, matrix.narrowLow, narrowFirst, operands);
        } else if (matrix.wide.isInt4) {
            blocks<Finish, WIDE_ROWS, B, true>(matrix.wide, 0, operands, fetch);
            blocks<Finish, NARROW_ROWS, B, true>(matrix.narrow, narrowFirst, operands, fetch);
        } else {
            blocks<Finish, WIDE_ROWS, B, false>(matrix.wide, 0, operands, fetch);
            blocks<Finish, NARROW_ROWS, B, false>(matrix.narrow, narrowFirst, operands, fetch);
        }
    }

    /** One matrix times one vector of each item: operandOf(item) says which and where to. */
    template <class Finish, class OperandOf>
    static TIERCEL_INLINE void multiply(
        const PackedRows& matrix, TransformerItem* items, int count, Fetch& fetch, const OperandOf& operandOf) {
        int i = 0;
        for (; i <= count - TILE_POSITIONS; i += TILE_POSITIONS) {
            const Operand operands[TILE_POSITIONS] = {operandOf(items[i]), operandOf(items[i + 1])};
            multiplySome<Finish, TILE_POSITIONS>(matrix, operands, fetch);
        }
        if (i < count) {
            const Operand operand = operandOf(items[i]);
            multiplySome<Finish, 1>(matrix, &operand, fetch);
        }
    }

    // The layers.

    /** A row of nibbles, of which even columns are the low ones. */
    static void embedNibbles(const TransformerView& model, int64_t row, float scale, float* __restrict residual) {
        const int dimension = model.shape.dimension;
        const int64_t groups = (dimension + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
        for (int group = 0; group < groups; group++) {
            const uint8_t* pairs = model.embeddingCodes + (row * groups + group) * (GROUP_COLUMNS / 2);
            const int multiplier = model.embeddingMultipliers[row * groups + group];
            float some[GROUP_COLUMNS];
            for (int i = 0; i < GROUP_COLUMNS / 2; i++) {
                const int low = ((pairs[i] & 0x0F) ^ 0x08) - 0x08;
                const int high = ((pairs[i] >> 4) ^ 0x08) - 0x08;
                some[2 * i] = static_cast<float>(low * multiplier) * scale;
                some[2 * i + 1] = static_cast<float>(high * multiplier) * scale;
            }
            const int first = group * GROUP_COLUMNS;
            const int count = dimension - first < GROUP_COLUMNS ? dimension - first : GROUP_COLUMNS;
            std::memcpy(residual + first, some, count * sizeof(float));
        }
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
            embedNibbles(model, row, scale, item.residual);
        }
    }

    static void embedFeatures(
        const TransformerView& model, const TransformerScratch& scratch, TransformerItem& item) {
        V::quantiseFeatures(model.features, static_cast<const float*>(item.input), scratch.features);
        const Operand operand{scratch.features, model.numbers.featureScale, item.change};
        Fetch nothing;
        multiplySome<Store, 1>(model.embedding, &operand, nothing);
        for (int i = 0; i < model.shape.dimension; i++) {
            item.residual[i] = item.change[i] + model.embeddingBiases[i];
        }
    }

    static void attend(
        const TransformerView& model, const TransformerScratch& scratch, int layer, TransformerItem* items, int count,
        Fetch& fetch) {
        const TransformerShape& shape = model.shape;
        const TransformerLayerView& of = model.layers[layer];
        const int channels = shape.headSize;
        for (int i = 0; i < count; i++) {
            T::norm(items[i].residual, of.attentionNorm, model.numbers.normEpsilon, shape.dimension, scratch.normed);
            items[i].scale = T::quantise(scratch.normed, shape.dimension, shape.activationMaximum, items[i].narrow);
        }
        multiply<Store>(of.attentionInput, items, count, fetch, [](const TransformerItem& item) TIERCEL_LAMBDA {
            return Operand{item.narrow, item.scale, item.projected};
        });
        for (int i = 0; i < count; i++) {
            TransformerItem& item = items[i];
            for (int head = 0; head < shape.heads + shape.keyValueHeads; head++) {
                float* of = item.projected + head * channels;
                T::rotate(of, of + channels / 2, item.cosines, item.sines, channels / 2);
            }
            for (int head = 0; shape.isRotated && head < shape.heads + 2 * shape.keyValueHeads; head++) {
                T::hadamard(item.projected + head * channels, channels, model.numbers.rotationScale);
            }
            const float* keys = item.projected + shape.queryCount();
            C::toRows(model, of, keys, item.rows);
            C::remember(model, scratch, layer, item);
            Attention::attend(model, scratch, layer, item);
            item.scale = T::quantise(item.attended, shape.queryCount(), shape.activationMaximum, item.attendedCodes);
        }
        // From here on it is the next layer's states that will be wanted.
        fetch = layer + 1 < shape.layers ? Fetch(model, layer + 1, items, count) : Fetch();
        multiply<Add>(of.attentionOutput, items, count, fetch, [](const TransformerItem& item) TIERCEL_LAMBDA {
            return Operand{item.attendedCodes, item.scale, item.residual};
        });
    }

    static void feed(
        const TransformerView& model, const TransformerScratch& scratch, int layer, TransformerItem* items, int count,
        Fetch& fetch) {
        const TransformerShape& shape = model.shape;
        const TransformerLayerView& of = model.layers[layer];
        for (int i = 0; i < count; i++) {
            T::norm(items[i].residual, of.feedNorm, model.numbers.normEpsilon, shape.dimension, scratch.normed);
            items[i].scale = T::quantise(scratch.normed, shape.dimension, shape.activationMaximum, items[i].narrow);
        }
        if (shape.experts > 0) {
            for (int i = 0; i < count; i++) {
                feedExperts(model, scratch, layer, items[i], fetch);
            }
            return;
        }
        feedForward<Add>(of.expertInputs[0], of.expertOutputs[0], shape, items, count, fetch,
                         [](const TransformerItem& item) TIERCEL_LAMBDA { return item.residual; });
    }

    template <class Finish, class ResultsOf>
    static TIERCEL_INLINE void feedForward(
        const PackedRows& input, const PackedRows& output, const TransformerShape& shape, TransformerItem* items,
        int count, Fetch& fetch, const ResultsOf& resultsOf) {
        multiply<Gate>(input, items, count, fetch, [](const TransformerItem& item) TIERCEL_LAMBDA {
            return Operand{item.narrow, item.scale, item.hidden};
        });
        for (int i = 0; i < count; i++) {
            items[i].scale = T::quantise(items[i].hidden, shape.hidden, shape.activationMaximum, items[i].hiddenCodes);
        }
        multiply<Finish>(output, items, count, fetch, [&](const TransformerItem& item) TIERCEL_LAMBDA {
            return Operand{item.hiddenCodes, item.scale, resultsOf(item)};
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
        multiplySome<Store, 1>(of.router, &operand, fetch);
        T::rank(scratch.routed, shape.experts, shape.activeExperts, scratch.ranked);
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
            feedForward<Store>(of.expertInputs[expert], of.expertOutputs[expert], shape, &item, 1, fetch,
                               [](const TransformerItem& item) TIERCEL_LAMBDA { return item.change; });
            for (int c = 0; c < shape.dimension; c++) {
                scratch.expertSum[c] = scratch.expertSum[c] + scratch.shares[i] * item.change[c];
            }
        }
        T::add(item.residual, scratch.expertSum, shape.dimension);
    }

    // The head.
    static void writeOutputs(
        const TransformerView& model, const TransformerScratch& scratch, const TransformerItem& item) {
        const TransformerShape& shape = model.shape;
        if (model.headBiases != nullptr) {
            T::add(item.logits, model.headBiases, shape.logits);
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
        T::rank(item.logits, shape.logits, shape.top, scratch.ranked);
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
                T::norm(items[i].residual, model.finalNorm, model.numbers.normEpsilon, shape.dimension, scratch.normed);
                items[i].scale = T::quantise(scratch.normed, shape.dimension, shape.activationMaximum, items[i].narrow);
            }
        }
        Fetch none;
        for (int i = 0; i < count;) {
            const int some = i + 1 < count && items[i].hasOutputs && items[i + 1].hasOutputs ? 2 : 1;
            if (items[i].hasOutputs) {
                multiply<Store>(model.head, items + i, some, none, [](const TransformerItem& item) TIERCEL_LAMBDA {
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
        // Before all else: nothing of a state that is in memory is known yet, not even its position.
        Fetch fetch(model, 0, items, count);
        fetch.some(FIRST_LINES);
        for (int i = 0; i < count; i++) {
            model.shape.vocabulary > 0 ? embed(model, items[i]) : embedFeatures(model, scratch, items[i]);
            T::angles(model, items[i].position, items[i].cosines, items[i].sines);
        }
        for (int layer = 0; layer < model.shape.layers; layer++) {
            attend(model, scratch, layer, items, count, fetch);
            feed(model, scratch, layer, items, count, fetch);
        }
        head(model, scratch, items, count);
    }

    static void undo(const TransformerView& model, const TransformerItem& item) {
        for (int layer = 0; layer < model.shape.layers; layer++) {
            const uint8_t* from = item.undo + layer * C::undoBytes(model.shape);
            C::eachWritten(model, layer, item, [&](uint8_t* to, int count) TIERCEL_LAMBDA {
                std::memcpy(to, from, count);
                from += count;
            });
        }
    }

    /** Codes the token that the next one will displace from the window. */
    static void codeToken(
        const TransformerView& model, const TransformerScratch& scratch, uint8_t* state, int64_t leaving) {
        TransformerHeader* header = reinterpret_cast<TransformerHeader*>(state);
        uint64_t digest = 0;
        for (int layer = 0; layer < model.shape.layers && model.shape.hasCodes(leaving); layer++) {
            digest = C::codeRecent(model, scratch, layer, leaving, state, digest);
        }
        header->digest = Digest::mixWord(header->digest, digest);
        header->codedTokens = leaving + 1;
    }
};

}  // namespace
}  // namespace tiercel

#endif