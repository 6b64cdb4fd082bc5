/*
 * Attention of a token to what its session's cache holds: queries to integers, scores, softmax's weights, sums of values.
 */
#ifndef TIERCEL_ATTENTION_KERNELS_H
#define TIERCEL_ATTENTION_KERNELS_H

#include "attention_lanes.h"
#include "cache_kernels.h"
#include "transformer_vectors.h"

namespace tiercel {
namespace {

template <class L, class A>
struct AttentionKernels {
    using Floats = typename L::Floats;
    using Integers = typename L::Integers;
    using E = Exact<L>;
    using T = TransformerVectors<L>;

    /** Lane-fulls of weights that are made at once. */
    static constexpr int WEIGHED = 4;
    static constexpr int SLOTS = TransformerStateView::PAGE_SLOTS;

    /** Slots that a token attends to. */
    struct Reach : SlotsInReach {
        /** Where coded slots begin in scratch: behind the recent ones, on a page. */
        int codedFirst;

        Reach(const TransformerShape& shape, int64_t position)
            : SlotsInReach(shape, position), codedFirst(padded(recent, SLOTS)) {}
    };

    /** folded = query * units; returns the largest magnitude of them, or 0 if that is next to nothing. */
    static TIERCEL_INLINE float foldQuery(
        const float* __restrict query, const float* __restrict units, int channels, float* __restrict folded) {
        for (int c = 0; c < channels; c++) {
            folded[c] = query[c] * units[c];
        }
        const float largest = T::largestMagnitude(folded, channels);
        return largest < SMALLEST_MAGNITUDE ? 0.0f : largest;
    }

    /** The query in units of the keys' integers, in 8 bits, with what makes an exponent of a product with it. */
    static void quantiseQuery(
        const float* query, const float* units, int channels, float softmaxScale, float* folded, QueryCodes& to) {
        const float largest = foldQuery(query, units, channels, folded);
        const float inverse = largest == 0 ? 0.0f : static_cast<float>(QUERY_MAXIMUM) / largest;
        Integers sums = L::allIntegers(0);
        int c = 0;
        for (; c <= channels - L::LANES; c += L::LANES) {
            const Integers some = L::rint(L::load(folded + c) * L::all(inverse));
            sums = L::add(sums, some);
            L::store(to.codes + c, some);
        }
        to.sum = L::sumLanes(sums);
        for (; c < channels; c++) {
            to.codes[c] = static_cast<int8_t>(T::rint(folded[c] * inverse));
            to.sum += to.codes[c];
        }
        to.scale = largest / static_cast<float>(QUERY_MAXIMUM) * softmaxScale;
    }

    /** All heads' at once: each is a chain of operations that wait for each other, but not for another head's. */
    static void quantiseQueries(
        const TransformerView& model, const TransformerScratch& scratch, const TransformerLayerView& layer,
        const float* queries) {
        const TransformerShape& shape = model.shape;
        const int channels = shape.headSize;
        for (int head = 0; head < shape.heads; head++) {
            const int first = head / (shape.heads / shape.keyValueHeads) * channels;
            quantiseQuery(queries + head * channels, layer.keys.scales + first, channels, model.numbers.softmaxScale,
                          scratch.folded, scratch.recentQueries[head]);
            if (layer.keys.hasSteps()) {
                quantiseQuery(queries + head * channels, layer.keys.steps + first, channels,
                              model.numbers.softmaxScale, scratch.folded, scratch.codedQueries[head]);
            }
        }
    }

    /** Scores of a window of 16 bits, which is all there is. In plain loops: what is wanted of it is precision. */
    static float wideScore(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, const float* query,
        const uint8_t* state, int count) {
        const int channels = model.shape.headSize;
        const float most = foldQuery(query, model.layers[layer].keys.scales + head * channels, channels, scratch.folded);
        const float inverse = most == 0 ? 0.0f : static_cast<float>(WIDE_QUERY_MAXIMUM) / most;
        for (int c = 0; c < channels; c++) {
            scratch.wideQuery[c] = static_cast<int16_t>(T::rint(scratch.folded[c] * inverse));
        }
        const float scale = most / static_cast<float>(WIDE_QUERY_MAXIMUM) * model.numbers.softmaxScale;
        int8_t high[MAX_HEAD_SIZE];
        int8_t low[MAX_HEAD_SIZE];
        float largest = 0;
        for (int slot = 0; slot < count; slot++) {
            getKeys(state + model.state.recentKeys(layer, head, 0), 8, slot, high, channels);
            getKeys(state + model.state.recentKeys(layer, head, 1), 8, slot, low, channels);
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

    /** products of a query with the keys of a region's slots, up to a whole block past count. */
    static void uniformProducts(
        int bits, const uint8_t* region, int count, const QueryCodes& query, int channels, int32_t* products) {
        const int blockSlots = TransformerStateView::KEY_LANES * (8 / bits);
        const int blocks = (count + blockSlots - 1) / blockSlots;
        switch (bits) {
            case 8: return A::template keys<8>(region, blocks, channels, query.codes, query.sum, products);
            case 4: return A::template keys<4>(region, blocks, channels, query.codes, query.sum, products);
            case 2: return A::template keys<2>(region, blocks, channels, query.codes, query.sum, products);
            default: return A::template keys<1>(region, blocks, channels, query.codes, query.sum, products);
        }
    }

    static CoupledCodes coupledCodes(
        const TransformerView& model, const CodecView& codec, int head, const uint8_t* state, int64_t inPage,
        int count) {
        const int channels = model.shape.headSize;
        const int64_t first = static_cast<int64_t>(head) * channels * CoupledCodes::ENTRIES;
        return {codec.entries + first, codec.codebook + first, channels, codec.channels, &model.state, state, inPage,
                count};
    }

    /** Products of coded slots' keys; a page's slots are a region of their own. */
    static void codedProducts(
        const TransformerView& model, const TransformerScratch& scratch, const CodecView& codec, int layer,
        int keyValueHead, const uint8_t* state, const QueryCodes& query, int coded, int32_t* products) {
        const int channels = model.shape.headSize;
        if (codec.isCoupled()) {
            const CoupledCodes codes = coupledCodes(
                model, codec, keyValueHead, state, model.state.pageKeys(layer, keyValueHead), coded);
            A::coupledKeys(codes, query.codes, query.sum, scratch.table, products);
            return;
        }
        for (int slot = 0; slot < coded; slot += SLOTS) {
            const uint8_t* page =
                model.state.page(state, slot / SLOTS) + model.state.pageKeys(layer, keyValueHead);
            const int count = coded - slot < SLOTS ? coded - slot : SLOTS;
            uniformProducts(codec.bits, page, count, query, channels, products + slot);
        }
    }

    /** The largest of some products; as many as fill up the last lane-full are overwritten with one of them. */
    static int32_t largestProduct(int32_t* products, int count) {
        for (int i = count; i % L::LANES != 0; i++) {
            products[i] = products[0];
        }
        Integers largest = L::loadIntegers(products);
        for (int i = L::LANES; i < count; i += L::LANES) {
            largest = L::maximum(largest, L::loadIntegers(products + i));
        }
        return L::largest(largest);
    }

    /**
     * weight = rint(2^15 exp2(score - largest)) of slots from..from + count, in two bytes, and zeros up to a multiple
     * of what lanes take at once. scoresOf(slot) is a lane-full of scores. Returns the sum of the weights.
     */
    template <class ScoresOf>
    static TIERCEL_INLINE int64_t weigh(
        const TransformerScratch& scratch, float largest, int from, int count, const ScoresOf& scoresOf) {
        // At most 2^15 tokens of at most 2^15 each.
        Integers total = L::allIntegers(0);
        for (int first = 0; first < count; first += WEIGHED * L::LANES) {
            Integers weights[WEIGHED];
            for (int i = 0; i < WEIGHED; i++) {
                const int rest = count - first - i * L::LANES;
                if (rest > 0) {
                    const Floats apart = scoresOf(from + first + i * L::LANES) - L::all(largest);
                    const Floats exponent = L::maximum(L::all(LOWEST_EXPONENT), apart);
                    const Integers weight = L::rint(E::exp2(exponent) * WEIGHT_ONE);
                    weights[i] = rest < L::LANES ? L::firstLanes(weight, rest) : weight;
                } else {
                    weights[i] = L::allIntegers(0);
                }
                total = L::add(total, weights[i]);
            }
            L::storeTwoBytes(scratch.highWeights + from + first, scratch.lowWeights + from + first, weights);
        }
        return L::sumLanes(total);
    }

    struct Totals {
        int64_t recent;
        int64_t coded;
    };

    /** What a product's integer becomes: of codes with steps, which stand for 2 code - offset, twice it less an offset. */
    template <bool HAS_STEPS>
    static TIERCEL_INLINE int64_t weighProducts(
        const TransformerScratch& scratch, float largest, int from, int count, float scale, int32_t offset) {
        return weigh(scratch, largest, from, count, [=](int slot) TIERCEL_LAMBDA {
            const Integers products = L::loadIntegers(scratch.products + slot);
            const Integers of = HAS_STEPS ? L::subtract(L::add(products, products), L::allIntegers(offset)) : products;
            return L::toFloats(of) * L::all(scale);
        });
    }

    /** Softmax's weights of what one head of queries attends to, to scratch. */
    static Totals weights(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, const float* query,
        const uint8_t* state, const Reach& reach) {
        const TransformerShape& shape = model.shape;
        const CodecView& codec = model.layers[layer].keys;
        const int keyValueHead = head / (shape.heads / shape.keyValueHeads);
        if (shape.recentPlanes > 1) {
            const float largest = wideScore(model, scratch, layer, keyValueHead, query, state, reach.recent);
            return {weigh(scratch, largest, 0, reach.recent,
                          [&](int slot) TIERCEL_LAMBDA { return L::load(scratch.scores + slot); }), 0};
        }
        const QueryCodes& recent = scratch.recentQueries[head];
        const QueryCodes& coded = codec.hasSteps() ? scratch.codedQueries[head] : recent;
        const int32_t offset = codec.hasSteps() ? codec.offset() * coded.sum : 0;
        int32_t* products = scratch.products;
        float largest = 0;
        if (reach.recent > 0) {
            uniformProducts(8, state + model.state.recentKeys(layer, keyValueHead, 0), reach.recent, recent,
                            shape.headSize, products);
            // Scores grow with products, since no scale is negative: the largest score is the largest product's.
            largest = static_cast<float>(largestProduct(products, reach.recent)) * recent.scale;
        }
        if (reach.coded > 0) {
            codedProducts(model, scratch, codec, layer, keyValueHead, state, coded, reach.coded,
                          products + reach.codedFirst);
            const int32_t most = largestProduct(products + reach.codedFirst, reach.coded);
            const float codedLargest = static_cast<float>(codec.hasSteps() ? 2 * most - offset : most) * coded.scale;
            largest = reach.recent == 0 || codedLargest > largest ? codedLargest : largest;
        }
        Totals totals{};
        totals.recent = weighProducts<false>(scratch, largest, 0, reach.recent, recent.scale, 0);
        totals.coded = codec.hasSteps()
            ? weighProducts<true>(scratch, largest, reach.codedFirst, reach.coded, coded.scale, offset)
            : weighProducts<false>(scratch, largest, reach.codedFirst, reach.coded, coded.scale, 0);
        return totals;
    }

    /** high[c] and low[c] += bytes of weights times codes of a region's slots. */
    static void uniformValues(
        int bits, const uint8_t* region, int count, int channels, const uint8_t* highWeights,
        const uint8_t* lowWeights, int32_t* high, int32_t* low) {
        const int blockSlots = TransformerStateView::VALUE_LANES * (8 / bits);
        const int blocks = (count + blockSlots - 1) / blockSlots;
        switch (bits) {
            case 8: return A::template values<8>(region, blocks, channels, highWeights, lowWeights, high, low);
            case 4: return A::template values<4>(region, blocks, channels, highWeights, lowWeights, high, low);
            case 2: return A::template values<2>(region, blocks, channels, highWeights, lowWeights, high, low);
            default: return A::template values<1>(region, blocks, channels, highWeights, lowWeights, high, low);
        }
    }

    /** Sums of two bytes' products: at most 2^15 tokens, weights' bytes and codes make 2^30. */
    struct ByteSums {
        int32_t high[MAX_HEAD_SIZE];
        int32_t low[MAX_HEAD_SIZE];

        explicit ByteSums(int channels) {
            std::memset(high, 0, channels * sizeof(int32_t));
            std::memset(low, 0, channels * sizeof(int32_t));
        }
        int64_t sum(int c) const { return 256 * static_cast<int64_t>(high[c]) + low[c]; }
    };

    static void sumRecent(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, const uint8_t* state,
        int recent) {
        const int channels = model.shape.headSize;
        for (int plane = 0; plane < model.shape.recentPlanes; plane++) {
            ByteSums sums(channels);
            uniformValues(8, state + model.state.recentValues(layer, head, plane), recent, channels,
                          scratch.highWeights, scratch.lowWeights, sums.high, sums.low);
            for (int c = 0; c < channels; c++) {
                scratch.recentSums[c] = plane == 0 ? sums.sum(c) : 256 * scratch.recentSums[c] + sums.sum(c);
            }
        }
    }

    static void sumCoded(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, const uint8_t* state,
        const Reach& reach, int64_t total) {
        const CodecView& codec = model.layers[layer].values;
        const int channels = model.shape.headSize;
        const int64_t inPage = model.state.pageValues(layer, head);
        const uint8_t* highWeights = scratch.highWeights + reach.codedFirst;
        const uint8_t* lowWeights = scratch.lowWeights + reach.codedFirst;
        if (codec.isCoupled()) {
            std::memset(scratch.codedSums, 0, channels * sizeof(int64_t));
            A::coupledValues(coupledCodes(model, codec, head, state, inPage, reach.coded), highWeights, lowWeights,
                             scratch.codedSums);
            return;
        }
        ByteSums sums(channels);
        for (int slot = 0; slot < reach.coded; slot += SLOTS) {
            const int count = reach.coded - slot < SLOTS ? reach.coded - slot : SLOTS;
            uniformValues(codec.bits, model.state.page(state, slot / SLOTS) + inPage, count, channels,
                          highWeights + slot, lowWeights + slot, sums.high, sums.low);
        }
        const int64_t factor = codec.hasSteps() ? 2 : 1;
        const int64_t offset = codec.hasSteps() ? codec.offset() * total : 0;
        for (int c = 0; c < channels; c++) {
            scratch.codedSums[c] = factor * sums.sum(c) - offset;
        }
    }

    static constexpr int padded(int count, int to) { return (count + to - 1) / to * to; }

    static void attendHead(
        const TransformerView& model, const TransformerScratch& scratch, int layer, int head, const Reach& reach,
        TransformerItem& item) {
        const TransformerShape& shape = model.shape;
        const int channels = shape.headSize;
        const int keyValueHead = head / (shape.heads / shape.keyValueHeads);
        const Totals totals =
            weights(model, scratch, layer, head, item.projected + head * channels, item.state, reach);
        sumRecent(model, scratch, layer, keyValueHead, item.state, reach.recent);
        sumCoded(model, scratch, layer, keyValueHead, item.state, reach, totals.coded);
        const float inverse = static_cast<float>(1.0 / static_cast<double>(totals.recent + totals.coded));
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
            T::hadamard(attended, channels, model.numbers.rotationScale);
        }
    }

    static void attend(
        const TransformerView& model, const TransformerScratch& scratch, int layer, TransformerItem& item) {
        const Reach reach(model.shape, item.position);
        if (model.shape.recentPlanes == 1) {
            quantiseQueries(model, scratch, model.layers[layer], item.projected);
        }
        for (int head = 0; head < model.shape.heads; head++) {
            attendHead(model, scratch, layer, head, reach, item);
        }
    }
};

}  // namespace
}  // namespace tiercel

#endif
