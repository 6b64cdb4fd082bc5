/*
 * Heads of queries, keys and values as they come from their matrix: turned by the position's angles (RoPE), through a
 * Walsh-Hadamard butterfly if the bundle wants it, and to integers. A warp takes a head at a time: a channel is its
 * lane's, so nothing has to go through memory in between.
 */
#ifndef TIERCEL_TRANSFORMER_HEADS_H
#define TIERCEL_TRANSFORMER_HEADS_H

#include "transformer_cache.h"
#include "transformer_operand.h"

namespace tiercel {
namespace {

/** Cosines and sines of all pairs of channels at a position, to be read after a barrier. */
TIERCEL_DEVICE void putAngles(const TransformerBlock& block, int64_t position) {
    const DeviceTransformer& model = block.model;
    const uint64_t* const steps = model.at<uint64_t>(model.rotarySteps);
    const float* const circle = model.at<float>(model.rotaryCircle);
    float* const cosines = block.vector<float>(block.of.cosines);
    float* const sines = block.vector<float>(block.of.sines);
    eachOf(block.shape.headSize / 2,
           [&](int pair) { rotaryAngle(steps[pair], circle, position, cosines[pair], sines[pair]); });
}

/** The channels of one head in the lanes of a warp: a lane's ith is lane + 32 i. */
class HeadLanes {
public:
    TIERCEL_DEVICE explicit HeadLanes(int channels) : channels(channels) {}

    /** use(i, channel) for each channel of this lane. */
    template <class Use>
    TIERCEL_DEVICE void each(const Use& use) const {
        TIERCEL_UNROLL(8)
        for (int i = 0; i < MOST; i++) {
            const int channel = laneIndex() + WARP_LANES * i;
            if (channel < channels) {
                use(i, channel);
            }
        }
    }

    TIERCEL_DEVICE void load(const float* head) {
        each([&](int i, int channel) { values[i] = head[channel]; });
    }

    /** Channel i turns with i + d/2. */
    TIERCEL_DEVICE void loadTurned(const float* head, const float* cosines, const float* sines) {
        const int pairs = channels / 2;
        each([&](int i, int channel) {
            const int pair = channel < pairs ? channel : channel - pairs;
            const float first = head[pair];
            const float second = head[pair + pairs];
            values[i] = channel < pairs ? first * cosines[pair] - second * sines[pair]
                                        : first * sines[pair] + second * cosines[pair];
        });
    }

    /** Of a power of two channels: each two that stride apart become their sum and their difference. */
    TIERCEL_DEVICE void transform(float scale) {
        TIERCEL_UNROLL(1)
        for (int stride = 1; stride < WARP_LANES && stride < channels; stride *= 2) {
            TIERCEL_UNROLL(8)
            for (int i = 0; i < MOST; i++) {
                if (WARP_LANES * i < channels) {
                    const float other = shuffle(values[i], laneIndex() ^ stride);
                    values[i] = (laneIndex() & stride) == 0 ? values[i] + other : other - values[i];
                }
            }
        }
        TIERCEL_UNROLL(3)
        for (int apart = 1; apart < MOST; apart *= 2) {
            TIERCEL_UNROLL(8)
            for (int i = 0; i < MOST; i++) {
                if ((i & apart) == 0 && WARP_LANES * (i + apart) < channels) {
                    const float first = values[i];
                    values[i] = first + values[i + apart];
                    values[i + apart] = first - values[i + apart];
                }
            }
        }
        each([&](int i, int) { values[i] = values[i] * scale; });
    }

    /** The largest magnitude of a lane's valueOf(i, channel), in each lane. */
    template <class ValueOf>
    TIERCEL_DEVICE float largestMagnitude(const ValueOf& valueOf) const {
        float largest = 0;
        each([&](int i, int channel) { largest = ScalarLanes::maximum(largest, std::fabs(valueOf(i, channel))); });
        return reduceWarp(largest, [](float a, float b) { return ScalarLanes::maximum(a, b); });
    }

    static constexpr int MOST = MAX_HEAD_SIZE / WARP_LANES;
    const int channels;
    float values[MOST] = {};
};

/** A query in units of the integers of keys: put(channel, integer) of this lane's; returns the integers' scale. */
template <class Put>
TIERCEL_DEVICE float quantiseQuery(const HeadLanes& query, const float* units, int maximum, const Put& put) {
    const float largest = query.largestMagnitude([&](int i, int channel) { return query.values[i] * units[channel]; });
    const bool isNothing = largest < SMALLEST_MAGNITUDE;
    const float inverse = isNothing ? 0.0f : static_cast<float>(maximum) / largest;
    query.each([&](int i, int channel) {
        put(channel, ScalarLanes::rint(query.values[i] * units[channel] * inverse));
    });
    return isNothing ? 0.0f : largest / static_cast<float>(maximum);
}

/** A query of 8 bits, to one of the two sets: for keys of the window, or for coded ones, which take its sum too. */
TIERCEL_DEVICE void putQuery(
    const TransformerBlock& block, const HeadLanes& query, int head, const float* units, int set) {
    int8_t* const codes =
        block.shared<int8_t>(block.of.queries) + set * block.shape.queryCount() + head * query.channels;
    int32_t sum = 0;
    const float scale = quantiseQuery(query, units, QUERY_MAXIMUM, [&](int channel, int32_t integer) {
        codes[channel] = static_cast<int8_t>(integer);
        sum += integer;
    });
    sum = reduceWarp(sum, [](int32_t a, int32_t b) { return a + b; });
    if (laneIndex() == 0) {
        block.shared<float>(block.of.queryScales)[set * block.shape.heads + head] =
            scale * block.model.numbers.softmaxScale;
        if (set == 1) {
            block.shared<int32_t>(block.of.querySums)[head] = sum;
        }
    }
}

/** A query of 15 bits, for a window of 16, as two digits: d0 + 2^7 d1, a set each. */
TIERCEL_DEVICE void putWideQuery(const TransformerBlock& block, const HeadLanes& query, int head, const float* units) {
    int8_t* const codes = block.shared<int8_t>(block.of.queries) + head * query.channels;
    const float scale = quantiseQuery(query, units, WIDE_QUERY_MAXIMUM, [&](int channel, int32_t integer) {
        codes[channel] = static_cast<int8_t>(integer & 127);
        codes[block.shape.queryCount() + channel] = static_cast<int8_t>(integer >> DIGIT_BITS);
    });
    if (laneIndex() == 0) {
        block.shared<float>(block.of.queryScales)[head] = scale * block.model.numbers.softmaxScale;
    }
}

/** A head of queries, in units of the keys of all slots that it will meet. */
TIERCEL_DEVICE void putQueries(const TransformerBlock& block, const HeadLanes& query, int layer, int head) {
    const TransformerShape& shape = block.shape;
    const DeviceCodec& keys = block.model.layer(layer).keys;
    const int first = head / (shape.heads / shape.keyValueHeads) * shape.headSize;
    const float* const scales = block.model.at<float>(keys.scales) + first;
    if (shape.recentPlanes > 1) {
        putWideQuery(block, query, head, scales);
        return;
    }
    putQuery(block, query, head, scales, 0);
    if (keys.hasSteps()) {
        putQuery(block, query, head, block.model.at<float>(keys.steps) + first, 1);
    }
}

/** A key or value as integers, to the record, and where the token has a recent slot, which is not -1, to that. */
TIERCEL_DEVICE void putRow(
    const TransformerBlock& block, const HeadLanes& of, int layer, int head, bool isValues, int recentSlot) {
    const DeviceTransformer& model = block.model;
    const DeviceCodec& codec = isValues ? model.layer(layer).values : model.layer(layer).keys;
    const int first = head * of.channels;
    const float* const means = model.at<float>(codec.means) + first;
    const float* const inverseScales = model.at<float>(codec.inverseScales) + first;
    const int planes = block.shape.recentPlanes;
    const float maximum = planes == 1 ? ROW_MAXIMUM : WIDE_ROW_MAXIMUM;
    of.each([&](int i, int channel) {
        const int32_t integer = rowInteger(of.values[i], means[channel], inverseScales[channel], maximum);
        const int32_t low = static_cast<int8_t>(integer);
        TIERCEL_UNROLL(1)
        for (int plane = 0; plane < planes; plane++) {
            const uint8_t byte = static_cast<uint8_t>(plane == planes - 1 ? low : (integer - low) >> 8);
            block.record[model.record.row(layer, plane) + (isValues ? block.shape.keyCount() : 0) + first + channel] =
                byte;
            if (recentSlot >= 0) {
                recentRegion(block, layer, head, isValues, plane)
                    [fieldByte(isValues, 8, recentSlot, of.channels, channel)] = byte;
            }
        }
    });
}

/** This block's heads of a token at a position, from the layer's projections; ends with a barrier. */
TIERCEL_DEVICE void putHeads(const TransformerBlock& block, int layer, int64_t position) {
    const TransformerShape& shape = block.shape;
    const HeadRange heads = block.heads();
    const float* const projected = block.common<float>(block.of.projected);
    const float* const cosines = block.vector<float>(block.of.cosines);
    const float* const sines = block.vector<float>(block.of.sines);
    const int recentSlot = shape.window > 0 || position < shape.sinks ? shape.recentSlot(position) : -1;
    TIERCEL_UNROLL(1)
    for (int task = warpIndex(); task < heads.count + 2 * heads.keys; task += warpCount()) {
        // Of keys, then of values.
        const int index = task - heads.count;
        const bool isValues = index >= heads.keys;
        const int queryHead = heads.first + task;
        const int keyHead = heads.firstKey + (isValues ? index - heads.keys : index);
        HeadLanes head(shape.headSize);
        const int column = index < 0 ? queryHead : shape.heads + (isValues ? shape.keyValueHeads : 0) + keyHead;
        const float* const from = projected + column * shape.headSize;
        if (isValues) {
            head.load(from);
        } else {
            head.loadTurned(from, cosines, sines);
        }
        if (shape.isRotated != 0) {
            head.transform(block.model.numbers.rotationScale);
        }
        if (index < 0) {
            putQueries(block, head, layer, queryHead);
        } else {
            putRow(block, head, layer, keyHead, isValues, recentSlot);
        }
    }
    syncThreads();
    if (recentSlot < 0) {
        codeRow(block, layer, position);
        syncThreads();
    }
}

}  // namespace
}  // namespace tiercel

#endif
