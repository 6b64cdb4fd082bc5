/* A bundle's matrices and vectors, put by the host into the layout of transformer_device.h. */
#ifndef TIERCEL_TRANSFORMER_PACKING_H
#define TIERCEL_TRANSFORMER_PACKING_H

#include <algorithm>
#include <cstring>
#include <vector>

#include "packed_word.h"
#include "transformer_device.h"

namespace tiercel {

/**
 * Everything of a model that its kernels read, as one piece of memory to be copied to the GPU. Everything is set once;
 * of a model whose head is the embedding the latter alone.
 */
class TransformerPacking {
public:
    /** threads: of all blocks that make a step, multiples of 32 up to TRANSFORMER_THREADS each. */
    TransformerPacking(const TransformerShape& shape, const TransformerNumbers& numbers, int threads)
        : view(shape, numbers), threads(threads), layers(shape.layers) {
        const bool hasTokens = shape.vocabulary > 0;
        view.embedding = hasTokens ? take(shape.vocabulary, shape.dimension, shape.headBits)
                                   : take(shape.dimension, shape.features, shape.headBits);
        view.head = shape.isHeadTied != 0 ? view.embedding : take(shape.logits, shape.dimension, shape.headBits);
        view.headBiases = take(sizeof(float) * shape.logits);
        view.embeddingBiases = take(sizeof(float) * shape.dimension);
        view.featureMeans = take(sizeof(float) * shape.features);
        view.inverseFeatureDeviations = take(sizeof(float) * shape.features);
        view.rotarySteps = take(sizeof(uint64_t) * shape.headSize / 2);
        view.rotaryCircle = take(sizeof(float) * CIRCLE_FLOATS);
        view.finalNorm = take(sizeof(float) * shape.dimension);
        view.layers = take(sizeof(DeviceLayer) * shape.layers);
        experts.resize(shape.layers);
        for (int i = 0; i < shape.layers; i++) {
            takeLayer(i);
        }
        packed.resize(size);
        std::copy(layers.begin(), layers.end(), at<DeviceLayer>(view.layers));
        for (int i = 0; i < shape.layers; i++) {
            std::copy(experts[i].begin(), experts[i].end(), at<DeviceMatrix>(layers[i].experts));
        }
        layOutWorkspace();
    }

    void setMatrix(int layer, MatrixId id, int expert, const MatrixPlanes& planes) {
        switch (id) {
            case MatrixId::EMBEDDING: return pack(view.embedding, planes);
            case MatrixId::HEAD: return view.shape.isHeadTied != 0 ? void() : pack(view.head, planes);
            case MatrixId::ATTENTION_INPUT: return pack(layers[layer].attentionInput, planes);
            case MatrixId::ATTENTION_OUTPUT: return pack(layers[layer].attentionOutput, planes);
            case MatrixId::ROUTER: return pack(layers[layer].router, planes);
            case MatrixId::EXPERT_INPUT: return pack(experts[layer][2 * expert], planes);
            case MatrixId::EXPERT_OUTPUT: return pack(experts[layer][2 * expert + 1], planes);
        }
    }

    void setVector(int layer, VectorId id, const float* values) {
        const TransformerShape& shape = view.shape;
        switch (id) {
            case VectorId::FINAL_NORM: return copy(view.finalNorm, values, shape.dimension);
            case VectorId::HEAD_BIASES: return copy(view.headBiases, values, shape.logits);
            case VectorId::ROTARY_CIRCLE: return copy(view.rotaryCircle, values, CIRCLE_FLOATS);
            case VectorId::FEATURE_MEANS: return copy(view.featureMeans, values, shape.features);
            case VectorId::FEATURE_DEVIATIONS: return copy(view.inverseFeatureDeviations, values, shape.features);
            case VectorId::EMBEDDING_BIASES: return copy(view.embeddingBiases, values, shape.dimension);
            case VectorId::ATTENTION_NORM: return copy(layers[layer].attentionNorm, values, shape.dimension);
            case VectorId::FEED_NORM: return copy(layers[layer].feedNorm, values, shape.dimension);
        }
    }

    void setRotarySteps(const uint64_t* steps) { copy(view.rotarySteps, steps, view.shape.headSize / 2); }

    /** steps and reciprocals, and codebook, are null where the codec has none. */
    void setCodec(
        int layer, bool isValues, const float* means, const float* scales, const float* steps,
        const int32_t* reciprocals, const int8_t* codebook) {
        const int count = view.shape.keyCount();
        const DeviceCodec& codec = isValues ? layers[layer].values : layers[layer].keys;
        copy(codec.means, means, count);
        copy(codec.scales, scales, count);
        std::transform(
            scales, scales + count, at<float>(codec.inverseScales), [](float scale) { return 1.0f / scale; });
        if (codec.hasSteps()) {
            copy(codec.steps, steps, count);
            copy(codec.reciprocals, reciprocals, count);
        }
        if (codec.isCoupled()) {
            copy(codec.codebook, codebook, count * CodecFormat::ENTRIES);
        }
    }

    const void* data() const { return packed.data(); }
    size_t bytes() const { return packed.size(); }

    /** The model once data() stands at an address, aligned to 64 bytes. */
    DeviceTransformer viewAt(const uint8_t* address) const {
        DeviceTransformer there = view;
        there.packed = address;
        return there;
    }

private:
    static constexpr int CIRCLE_FLOATS = 512;

    int64_t take(size_t bytes) {
        const size_t offset = size;
        size += toCacheLines(bytes);
        return static_cast<int64_t>(offset);
    }

    DeviceMatrix take(int rows, int columns, int bits) {
        DeviceMatrix matrix = DeviceMatrix::of(rows, columns, bits, threads);
        matrix.codes = take(matrix.codesBytes());
        matrix.multipliers = take(matrix.multipliersBytes());
        matrix.scales = take(sizeof(float) * rows);
        return matrix;
    }

    DeviceCodec take(const CodecFormat& format) {
        const int count = view.shape.keyCount();
        DeviceCodec codec{};
        codec.bits = format.bits;
        codec.channels = format.channels;
        for (int64_t* array : {&codec.means, &codec.scales, &codec.inverseScales}) {
            *array = take(sizeof(float) * count);
        }
        codec.steps = take(codec.hasSteps() ? sizeof(float) * count : 0);
        codec.reciprocals = take(codec.hasSteps() ? sizeof(int32_t) * count : 0);
        codec.codebook = take(codec.isCoupled() ? count * CodecFormat::ENTRIES : 0);
        return codec;
    }

    void takeLayer(int index) {
        const TransformerShape& shape = view.shape;
        DeviceLayer& layer = layers[index];
        layer.attentionNorm = take(sizeof(float) * shape.dimension);
        layer.feedNorm = take(sizeof(float) * shape.dimension);
        layer.attentionInput = take(shape.projectedCount(), shape.dimension, shape.weightBits);
        layer.attentionOutput = take(shape.dimension, shape.queryCount(), shape.weightBits);
        layer.keys = take(shape.keyFormat());
        layer.values = take(shape.valueFormat());
        layer.router = shape.experts > 0 ? take(shape.experts, shape.dimension, shape.headBits) : DeviceMatrix{};
        layer.experts = take(sizeof(DeviceMatrix) * 2 * shape.feedForwards());
        for (int expert = 0; expert < shape.feedForwards(); expert++) {
            experts[index].push_back(take(2 * shape.hidden, shape.dimension, shape.weightBits));
            experts[index].push_back(take(shape.dimension, shape.hidden, shape.weightBits));
        }
    }

    template <class T>
    T* at(int64_t offset) {
        return reinterpret_cast<T*>(packed.data() + offset);
    }

    template <class T>
    void copy(int64_t offset, const T* values, int count) {
        std::copy_n(values, count, at<T>(offset));
    }

    void pack(const DeviceMatrix& matrix, const MatrixPlanes& planes) {
        const bool isInt4 = matrix.bits == 4;
        const int chunks = matrix.steps << matrix.laneBits;
        const int groups = divideUp(matrix.columns, GROUP_COLUMNS);
        for (int row = 0; row < matrix.rows; row++) {
            for (int chunk = 0; chunk < chunks; chunk++) {
                const int64_t lane = matrix.laneOf(row, chunk);
                for (int plane = 0; plane < matrix.planes(); plane++) {
                    uint8_t* to = at<uint8_t>(matrix.codes + matrix.chunkOffset(lane, plane));
                    const uint8_t* from = plane == 0 ? planes.codes.codes : planes.lowCodes;
                    for (int word = 0; word < 4; word++) {
                        const int column = (4 * chunk + word) * matrix.chunkColumns() / 4;
                        putWord(to + 4 * word, from, isInt4, row, column, matrix.columns);
                    }
                }
                if (isInt4 && chunk < groups) {
                    *at<uint8_t>(matrix.multipliers + lane) =
                        planes.codes.multipliers[static_cast<int64_t>(row) * groups + chunk];
                }
            }
        }
        copy(matrix.scales, planes.codes.scales, matrix.rows);
    }

    void layOutWorkspace() {
        const TransformerShape& shape = view.shape;
        TransformerWorkspace& of = view.workspace;
        const auto most = [](std::initializer_list<int> some) { return std::max(some); };
        of.narrowWords = most({layers[0].attentionInput.operandWords(), experts[0][0].operandWords(),
                               view.head.operandWords(), shape.experts > 0 ? layers[0].router.operandWords() : 0});
        of.wideWords = most({layers[0].attentionOutput.operandWords(), experts[0][1].operandWords(),
                             shape.vocabulary > 0 ? 0 : view.embedding.operandWords()});
        const int widePlanes = std::max(view.activationPlanes(), shape.vocabulary > 0 ? 1 : view.featurePlanes());
        const int queryBytes = shape.queryCount();
        int64_t end = TransformerWorkspace::REDUCTION_BYTES;
        const auto place = [&](int64_t bytes) {
            const int64_t offset = end;
            end += (bytes + 15) / 16 * 16;
            return offset;
        };
        const auto floats = [&](int64_t count) { return static_cast<int32_t>(place(count * 4)); };
        of.factor = floats(1);
        of.narrowOperand = floats(of.narrowWords * view.activationPlanes());
        of.wideOperand = floats(of.wideWords * widePlanes);
        of.queries = static_cast<int32_t>(place(2 * queryBytes));
        of.queryScales = floats(2 * shape.heads);
        of.querySums = floats(shape.heads);
        of.inverseTotals = floats(shape.heads);
        of.codedTotals = floats(shape.heads);
        of.sharedBytes = static_cast<int32_t>(end);
        end = 0;
        of.request = floats(TRANSFORMER_REQUEST_HEADER_WORDS + shape.inputWords());
        of.cosines = floats(shape.headSize / 2);
        of.sines = floats(shape.headSize / 2);
        of.residual = floats(shape.dimension);
        of.change = floats(shape.dimension);
        of.expertSum = floats(shape.dimension);
        of.projected = floats(shape.projectedCount());
        of.attended = floats(shape.queryCount());
        of.hidden = floats(2 * shape.hidden);
        of.routed = floats(shape.experts);
        of.ranked = floats(std::max(shape.activeExperts, shape.top));
        of.shares = floats(shape.activeExperts);
        of.terms = floats(shape.activeExperts);
        of.codedFirst = divideUp(shape.recentTokens(), TILE_LANES) * TILE_LANES;
        of.slots = of.codedFirst + static_cast<int32_t>(view.state.pages) * TransformerStateView::PAGE_SLOTS;
        of.scores = place(static_cast<int64_t>(shape.heads) * of.slots * 4);
        of.highWeights = place(static_cast<int64_t>(shape.heads) * of.slots);
        of.lowWeights = place(static_cast<int64_t>(shape.heads) * of.slots);
        of.vectorBytes = toCacheLines(end);
    }

    DeviceTransformer view;
    const int threads;
    size_t size = 0;
    std::vector<DeviceLayer> layers;
    /** Of each layer, by expert its input and its output. */
    std::vector<std::vector<DeviceMatrix>> experts;
    std::vector<uint8_t> packed;
};

}  // namespace tiercel

#endif
