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
    using C = CacheKernels<L>;

    static constexpr float WEIGHT_ONE = 0x1p15f;
    static constexpr float LOWEST_EXPONENT = -32.0f;
    static constexpr int SLOTS = TransformerStateView::PAGE_SLOTS;

    /** The query in units of the keys' integers, in 8 bits; returns what makes an exponent of a product with it. */
    template <class Code>
    static float foldQuery(
        const float* __restrict query, const float* __restrict units, int channels, float softmaxScale,
        float* __restrict folded, Code* __restrict to) {
        constexpr float MAXIMUM = sizeof(Code) == 1 ? 127.0f : 16383.0f;
        for (int c = 0; c < channels; c++) {
            folded[c] = query[c] * units[c];
        }
        const float largest = T::largestMagnitude(folded, channels);
        const bool isNothing = largest < T::SMALLEST;
        const float inverse = isNothing ? 0.0f : MAXIMUM / largest;
        int c = 0;
        for (; sizeof(Code) == 1 && c <= channels - L::LANES; c += L::LANES) {
            L::store(reinterpret_cast<int8_t*>(to) + c, L::rint(L::load(folded + c) * L::all(inverse)));
        }
        for (; c < channels; c++) {
            to[c] = static_cast<Code>(T::rint(folded[c] * inverse));
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
            C::getKeys(state + model.state.recentKeys(layer, head, 0), slot, high, channels);
            C::getKeys(state + model.state.recentKeys(layer, head, 1), slot, low, channels);
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
            T::hadamard(attended, channels, model.numbers.rotationScale);
        }
    }
};

}  // namespace
}  // namespace tiercel

#endif
