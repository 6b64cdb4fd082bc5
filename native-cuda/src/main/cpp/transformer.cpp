#include "transformer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "digest.h"
#include "transformer_fields.h"

namespace tiercel {
namespace {

int planesOf(const KernelSet& kernels, int maximum) {
    return kernels.activationBytes == 1 && maximum > 127 ? 3 : 1;
}

/** Rows in whole blocks: what a product writes. */
int paddedRows(int rows) {
    return divideUp(rows, NARROW_ROWS) * NARROW_ROWS;
}

/** Rows of a feed-forward layer's input as they are packed: in pairs, see PAIRED_ROWS. */
int pairedRows(int hidden) {
    return divideUp(hidden, PAIRED_ROWS) * 2 * PAIRED_ROWS;
}

/** The row, of gates and then units, that is packed at an index; -1 for none. */
int pairedRow(int index, int hidden) {
    const int unit = index / (2 * PAIRED_ROWS) * PAIRED_ROWS + index % PAIRED_ROWS;
    return unit >= hidden ? -1 : index / PAIRED_ROWS % 2 == 0 ? unit : hidden + unit;
}

int wideBlocks(int rows) {
    return rows / WIDE_ROWS;
}

int64_t rowsBytes(const KernelSet& kernels, int rows, int columns, int bits) {
    const bool isInt4 = bits == 4;
    const int64_t plane =
        wideBlocks(rows) * blockBytes(kernels, columns, WIDE_ROWS, isInt4, false) +
        divideUp(rows % WIDE_ROWS, NARROW_ROWS) * blockBytes(kernels, columns, NARROW_ROWS, isInt4, false);
    // Each part begins on a cache line, which blocks end on.
    return bits == 16 ? 2 * plane : plane;
}

int64_t codecBytes(const TransformerShape& shape, int channels) {
    const int64_t count = shape.keyCount();
    const int64_t vectors = 5 * toCacheLines(count * sizeof(float));
    return channels > 1 ? vectors + 2 * toCacheLines(count * 256) : vectors;
}

}  // namespace

int64_t TransformerModel::arenaBytes(const KernelSet& kernels, const TransformerShape& shape) {
    const auto matrix = [&](int rows, int columns, int bits) { return rowsBytes(kernels, rows, columns, bits); };
    const auto vector = [](int64_t count) { return static_cast<int64_t>(toCacheLines(count * sizeof(float))); };
    const int64_t dimension = shape.dimension;
    const int64_t expert = matrix(pairedRows(shape.hidden), shape.dimension, shape.weightBits) +
                           matrix(shape.dimension, shape.hidden, shape.weightBits);
    const int64_t layer = matrix(shape.projectedCount(), shape.dimension, shape.weightBits) +
                          matrix(shape.dimension, shape.queryCount(), shape.weightBits) +
                          matrix(shape.experts, shape.dimension, shape.headBits) + shape.feedForwards() * expert +
                          2 * vector(dimension) + codecBytes(shape, shape.keyChannels) +
                          codecBytes(shape, shape.valueChannels) +
                          2 * toCacheLines(shape.feedForwards() * sizeof(PackedRows));
    const int64_t rows = shape.vocabulary > 0 ? 3 * toCacheLines(shape.vocabulary * (dimension + 32)) +
                                                    vector(shape.vocabulary)
                                              : matrix(shape.dimension, shape.features, shape.headBits);
    return shape.layers * layer + rows + matrix(shape.logits, shape.dimension, shape.headBits) +
           2 * vector(dimension) + vector(shape.logits) + vector(512) + 2 * vector(shape.features) +
           2 * vector(shape.headSize);
}

TransformerModel::TransformerModel(
    const KernelSet& kernels, const TransformerShape& shape, const TransformerNumbers& numbers)
    : kernelSet(kernels), arena(arenaBytes(kernels, shape)), layers(shape.layers) {
    model.shape = shape;
    model.numbers = numbers;
    model.state = TransformerStateView::of(shape);
    if (shape.vocabulary == 0) {
        model.embedding = takeRows(shape.dimension, shape.features, shape.headBits);
        model.features.count = shape.features;
        model.features.inverseScale = numbers.inverseFeatureScale;
        model.features.maximum = static_cast<float>(shape.featureMaximum);
    }
    for (TransformerLayerView& layer : layers) {
        layer.attentionInput = takeRows(shape.projectedCount(), shape.dimension, shape.weightBits);
        layer.attentionOutput = takeRows(shape.dimension, shape.queryCount(), shape.weightBits);
        if (shape.experts > 0) {
            layer.router = takeRows(shape.experts, shape.dimension, shape.headBits);
        }
        PackedRows* inputs = arena.take<PackedRows>(shape.feedForwards());
        PackedRows* outputs = arena.take<PackedRows>(shape.feedForwards());
        for (int i = 0; i < shape.feedForwards(); i++) {
            inputs[i] = takeRows(pairedRows(shape.hidden), shape.dimension, shape.weightBits);
            outputs[i] = takeRows(shape.dimension, shape.hidden, shape.weightBits);
        }
        layer.expertInputs = inputs;
        layer.expertOutputs = outputs;
    }
    model.head = takeRows(shape.logits, shape.dimension, shape.headBits);
    model.layers = layers.data();
}

PackedRows TransformerModel::takeRows(int rows, int columns, int bits) {
    const bool isInt4 = bits == 4;
    PackedRows taken{};
    taken.rows = rows;
    taken.columns = columns;
    taken.hasLow = bits == 16;
    const int wideRows = wideBlocks(rows) * WIDE_ROWS;
    taken.wide = takeMatrix(arena, kernelSet, columns, wideRows, WIDE_ROWS, isInt4, false);
    taken.narrow = takeMatrix(arena, kernelSet, columns, rows - wideRows, NARROW_ROWS, isInt4, false);
    if (taken.hasLow) {
        taken.wideLow = takeMatrix(arena, kernelSet, columns, wideRows, WIDE_ROWS, false, false);
        taken.narrowLow = takeMatrix(arena, kernelSet, columns, rows - wideRows, NARROW_ROWS, false, false);
    }
    return taken;
}

void TransformerModel::pack(const PackedRows& rows, const MatrixPlanes& planes) {
    pack(rows, planes, [&](int index) { return index < rows.rows ? index : -1; });
}

template <class RowAt>
void TransformerModel::pack(const PackedRows& rows, const MatrixPlanes& planes, RowAt rowAt) {
    const auto packBlocks = [&](const PackedMatrix& matrix, int blockRows, int first, const MatrixCodes& codes) {
        const auto rowOf = [&](int block, int row) { return rowAt(first + block * blockRows + row); };
        packer(kernelSet, matrix, rows.columns, blockRows, rowOf, [](int) { return 1.0f; }).pack(codes, nullptr);
    };
    const int wideRows = rows.wide.blockCount * WIDE_ROWS;
    packBlocks(rows.wide, WIDE_ROWS, 0, planes.codes);
    packBlocks(rows.narrow, NARROW_ROWS, wideRows, planes.codes);
    if (rows.hasLow) {
        const MatrixCodes low{planes.lowCodes, nullptr, planes.codes.scales};
        packBlocks(rows.wideLow, WIDE_ROWS, 0, low);
        packBlocks(rows.narrowLow, NARROW_ROWS, wideRows, low);
    }
}

void TransformerModel::setMatrix(int layer, MatrixId id, int expert, const MatrixPlanes& planes) {
    const TransformerShape& shape = model.shape;
    const auto copyBytes = [&](const uint8_t* bytes, size_t count) -> const uint8_t* {
        return bytes == nullptr ? nullptr : static_cast<uint8_t*>(std::memcpy(arena.take(count), bytes, count));
    };
    switch (id) {
        case MatrixId::EMBEDDING:
            if (shape.vocabulary == 0) {
                pack(model.embedding, planes);
            } else {
                const size_t groups = divideUp(shape.dimension, GROUP_COLUMNS);
                const size_t rowBytes = shape.headBits == 4 ? groups * GROUP_COLUMNS / 2 : shape.dimension;
                model.embeddingCodes = copyBytes(planes.codes.codes, shape.vocabulary * rowBytes);
                model.embeddingLowCodes = copyBytes(planes.lowCodes, shape.vocabulary * rowBytes);
                model.embeddingMultipliers = copyBytes(planes.codes.multipliers, shape.vocabulary * groups);
                model.embeddingScales = copy(planes.codes.scales, shape.vocabulary);
            }
            return;
        case MatrixId::HEAD: return pack(model.head, planes);
        case MatrixId::ATTENTION_INPUT: return pack(layers[layer].attentionInput, planes);
        case MatrixId::ATTENTION_OUTPUT: return pack(layers[layer].attentionOutput, planes);
        case MatrixId::ROUTER: return pack(layers[layer].router, planes);
        case MatrixId::EXPERT_INPUT:
            return pack(layers[layer].expertInputs[expert], planes,
                        [&](int index) { return pairedRow(index, shape.hidden); });
        case MatrixId::EXPERT_OUTPUT: return pack(layers[layer].expertOutputs[expert], planes);
    }
}

const float* TransformerModel::copy(const float* values, int count) {
    float* to = arena.take<float>(count);
    std::copy_n(values, count, to);
    return to;
}

int TransformerModel::vectorCount(VectorId id) const {
    switch (id) {
        case VectorId::HEAD_BIASES: return model.shape.logits;
        case VectorId::ROTARY_CIRCLE: return 512;
        case VectorId::FEATURE_MEANS:
        case VectorId::FEATURE_DEVIATIONS: return model.shape.features;
        default: return model.shape.dimension;
    }
}

void TransformerModel::setVector(int layer, VectorId id, const float* values) {
    const float* copied = copy(values, vectorCount(id));
    switch (id) {
        case VectorId::FINAL_NORM: model.finalNorm = copied; return;
        case VectorId::HEAD_BIASES: model.headBiases = copied; return;
        case VectorId::ROTARY_CIRCLE: model.rotaryCircle = copied; return;
        case VectorId::FEATURE_MEANS: model.features.means = copied; return;
        case VectorId::FEATURE_DEVIATIONS: model.features.inverseDeviations = copied; return;
        case VectorId::EMBEDDING_BIASES: model.embeddingBiases = copied; return;
        case VectorId::ATTENTION_NORM: layers[layer].attentionNorm = copied; return;
        case VectorId::FEED_NORM: layers[layer].feedNorm = copied; return;
    }
}

void TransformerModel::setRotarySteps(const uint64_t* steps) {
    uint64_t* to = arena.take<uint64_t>(model.shape.headSize / 2);
    std::copy_n(steps, model.shape.headSize / 2, to);
    model.rotarySteps = to;
}

void TransformerModel::setCodec(
    int layer, bool isValues, const float* means, const float* scales, const float* steps,
    const int32_t* reciprocals, const int8_t* codebook) {
    const TransformerShape& shape = model.shape;
    const int count = shape.keyCount();
    CodecView& codec = isValues ? layers[layer].values : layers[layer].keys;
    codec.bits = isValues ? shape.valueBits : shape.keyBits;
    codec.channels = isValues ? shape.valueChannels : shape.keyChannels;
    codec.means = copy(means, count);
    codec.scales = copy(scales, count);
    float* inverse = arena.take<float>(count);
    std::transform(scales, scales + count, inverse, [](float scale) { return 1.0f / scale; });
    codec.inverseScales = inverse;
    if (steps != nullptr) {
        codec.steps = copy(steps, count);
        int32_t* to = arena.take<int32_t>(count);
        std::copy_n(reciprocals, count, to);
        codec.reciprocals = to;
    }
    if (codebook != nullptr) {
        int8_t* asGiven = arena.take<int8_t>(count * 256);
        std::copy_n(codebook, count * 256, asGiven);
        codec.codebook = asGiven;
        int8_t* apart = arena.take<int8_t>(count * 256);
        for (int group = 0; group < count / codec.channels; group++) {
            for (int entry = 0; entry < 256; entry++) {
                for (int c = 0; c < codec.channels; c++) {
                    apart[(group * codec.channels + c) * 256 + entry] = *codebook++;
                }
            }
        }
        codec.entries = apart;
    }
}

int64_t TransformerModel::bytesOf(const PackedRows& rows) const {
    const int64_t plane = rows.wide.blockCount * rows.wide.blockBytes + rows.narrow.blockCount * rows.narrow.blockBytes;
    return rows.hasLow ? 2 * plane : plane;
}

int64_t TransformerModel::stepBytes() const {
    int64_t bytes = bytesOf(model.head) + (model.shape.vocabulary == 0 ? bytesOf(model.embedding) : 0);
    const int active = std::max(1, model.shape.activeExperts);
    for (const TransformerLayerView& layer : layers) {
        bytes += bytesOf(layer.attentionInput) + bytesOf(layer.attentionOutput) +
                 (model.shape.experts > 0 ? bytesOf(layer.router) : 0) +
                 active * (bytesOf(layer.expertInputs[0]) + bytesOf(layer.expertOutputs[0]));
    }
    return bytes;
}

size_t TransformerExecutor::arenaBytes(const TransformerModel& model, int itemCount) {
    const TransformerShape& shape = model.view().shape;
    const KernelSet& kernels = model.kernels();
    const int planes = planesOf(kernels, shape.activationMaximum);
    const auto vector = [](int64_t count) { return toCacheLines(count * sizeof(float)); };
    const size_t item = 2 * vector(paddedRows(shape.dimension)) + vector(paddedRows(shape.projectedCount())) +
                        vector(shape.queryCount()) + vector(pairedRows(shape.hidden) / 2) +
                        vector(paddedRows(shape.logits)) + 2 * vector(shape.headSize) +
                        toCacheLines(2 * shape.recentPlanes * shape.keyCount()) + activationsBytes(kernels, shape.dimension, planes) +
                        activationsBytes(kernels, shape.queryCount(), planes) +
                        activationsBytes(kernels, shape.hidden, planes);
    const int64_t slots = shape.context + 3 * TransformerStateView::PAGE_SLOTS;
    const size_t of = 2 * vector(shape.dimension) + vector(shape.headSize) + 2 * queriesBytes(shape) + toCacheLines(sizeof(int16_t) * shape.headSize) +
                      2 * vector(slots) + 2 * toCacheLines(slots) + toCacheLines(shape.headSize) + 2 * toCacheLines(8 * shape.headSize) +
                      vector(256 * shape.headSize) + 2 * vector(paddedRows(std::max(1, shape.experts))) +
                      vector(std::max(shape.top, std::max(1, shape.activeExperts))) + vector(paddedRows(shape.logits)) +
                      activationsBytes(kernels, std::max(1, shape.features),
                                       planesOf(kernels, shape.featureMaximum));
    return itemCount * item + of + PROMPT_TOKENS * undoBytes(shape);
}

size_t TransformerExecutor::queriesBytes(const TransformerShape& shape) {
    return toCacheLines(shape.heads * sizeof(QueryCodes)) + shape.heads * toCacheLines(shape.headSize);
}

QueryCodes* TransformerExecutor::takeQueries(const TransformerShape& shape) {
    QueryCodes* queries = arena.take<QueryCodes>(shape.heads);
    for (int head = 0; head < shape.heads; head++) {
        queries[head].codes = arena.take<int8_t>(shape.headSize);
    }
    return queries;
}

TransformerExecutor::TransformerExecutor(const TransformerModel& model, int maxBatch)
    : model(model),
      maxBatch(maxBatch),
      items(std::max(maxBatch, PROMPT_TOKENS)),
      arena(arenaBytes(model, static_cast<int>(items.size()))) {
    const TransformerShape& shape = model.view().shape;
    const KernelSet& kernels = model.kernels();
    const int planes = planesOf(kernels, shape.activationMaximum);
    for (TransformerItem& item : items) {
        item.residual = arena.take<float>(paddedRows(shape.dimension));
        item.change = arena.take<float>(paddedRows(shape.dimension));
        item.projected = arena.take<float>(paddedRows(shape.projectedCount()));
        item.attended = arena.take<float>(shape.queryCount());
        item.hidden = arena.take<float>(pairedRows(shape.hidden) / 2);
        item.logits = arena.take<float>(paddedRows(shape.logits));
        item.cosines = arena.take<float>(shape.headSize);
        item.sines = arena.take<float>(shape.headSize);
        item.rows = arena.take<int8_t>(2 * shape.recentPlanes * shape.keyCount());
        item.narrow = takeActivations(arena, kernels, shape.dimension, planes);
        item.attendedCodes = takeActivations(arena, kernels, shape.queryCount(), planes);
        item.hiddenCodes = takeActivations(arena, kernels, shape.hidden, planes);
    }
    undo = arena.take<uint8_t>(PROMPT_TOKENS * undoBytes(shape));
    const int slots = shape.context + 3 * TransformerStateView::PAGE_SLOTS;
    scratch.normed = arena.take<float>(shape.dimension);
    scratch.expertSum = arena.take<float>(shape.dimension);
    scratch.folded = arena.take<float>(shape.headSize);
    scratch.recentQueries = takeQueries(shape);
    scratch.codedQueries = takeQueries(shape);
    scratch.wideQuery = arena.take<int16_t>(shape.headSize);
    scratch.codes = arena.take<int8_t>(shape.headSize);
    scratch.products = arena.take<int32_t>(slots);
    scratch.scores = arena.take<float>(slots);
    scratch.highWeights = arena.take<uint8_t>(slots);
    scratch.lowWeights = arena.take<uint8_t>(slots);
    scratch.recentSums = arena.take<int64_t>(shape.headSize);
    scratch.codedSums = arena.take<int64_t>(shape.headSize);
    scratch.table = arena.take<int32_t>(256 * shape.headSize);
    scratch.routed = arena.take<float>(paddedRows(std::max(1, shape.experts)));
    scratch.shares = arena.take<float>(paddedRows(std::max(1, shape.experts)));
    scratch.ranked = arena.take<int32_t>(std::max(shape.top, std::max(1, shape.activeExperts)));
    scratch.probabilities = arena.take<float>(paddedRows(shape.logits));
    scratch.features =
        takeActivations(arena, kernels, std::max(1, shape.features), planesOf(kernels, shape.featureMaximum));
}

void TransformerExecutor::prepare(TransformerItem& item, const void* input, uint8_t* state, float* outputs) {
    __builtin_prefetch(state + model.view().state.tableOffset);
    const TransformerHeader* header = reinterpret_cast<const TransformerHeader*>(state);
    item.input = input;
    item.state = state;
    item.outputs = outputs;
    item.hasOutputs = outputs != nullptr;
    item.position = header->position;
    item.codedTokens = header->codedTokens;
    item.rowDigest = 0;
    item.codedDigest = 0;
    item.isCoded = false;
    item.undo = nullptr;
    item.isNear = state == lastState;
    lastState = state;
    const TransformerShape& shape = model.view().shape;
    const int64_t coded = std::min<int64_t>(item.position + 1 - shape.recentTokens(), shape.codedTokens());
    item.pageCount = static_cast<int32_t>(
        (std::max<int64_t>(coded, 0) + TransformerStateView::PAGE_SLOTS - 1) / TransformerStateView::PAGE_SLOTS);
}

void TransformerExecutor::ownPageOf(const TransformerItem& item) const {
    const int64_t coded = item.position - model.view().shape.window;
    if (coded >= item.codedTokens) {
        ownPage(model.view().shape, model.view().state, item.state, coded);
    }
}

void TransformerExecutor::codeAhead(uint8_t* state) const {
    const TransformerHeader* header = reinterpret_cast<const TransformerHeader*>(state);
    const int window = model.view().shape.window;
    const int64_t leaving = header->position - window;
    if (window > 0 && leaving >= header->codedTokens) {
        ownPage(model.view().shape, model.view().state, state, leaving);
        model.kernels().codeToken(model.view(), scratch, state, leaving);
    }
}

/** What an item's step leaves in its session's header, in the order of one token after the other. */
void TransformerExecutor::settle(const TransformerItem& item) const {
    TransformerHeader* header = reinterpret_cast<TransformerHeader*>(item.state);
    const int window = model.view().shape.window;
    if (item.isCoded) {
        header->digest = Digest::mixWord(header->digest, item.codedDigest);
        header->codedTokens = item.position - window + 1;
    }
    header->digest = Digest::mixWord(header->digest, item.rowDigest);
    header->position = item.position + 1;
    if (window == 0) {
        header->digest = Digest::mixWord(header->digest, item.codedDigest);
        header->codedTokens = header->position;
    }
}

void TransformerExecutor::step(const TransformerPosition* positions, int count) {
    for (int i = 0; i < count; i++) {
        prepare(items[i], positions[i].input, positions[i].state, positions[i].outputs);
        ownPageOf(items[i]);
    }
    model.kernels().forward(model.view(), scratch, items.data(), count);
    for (int i = 0; i < count; i++) {
        settle(items[i]);
    }
}

void TransformerExecutor::ahead(const TransformerPosition* positions, int count) {
    for (int i = 0; i < count; i++) {
        codeAhead(positions[i].state);
    }
}

uint64_t TransformerExecutor::steps(
    uint8_t* state, const uint8_t* inputs, int count, uint8_t* outputs, int64_t stride, uint64_t previousHash) {
    const TransformerShape& shape = model.view().shape;
    const int64_t inputBytes = static_cast<int64_t>(sizeof(float)) * (shape.vocabulary > 0 ? 1 : shape.features);
    uint64_t hash = previousHash;
    int last = 0;
    for (int first = 0; first < count; first += PROMPT_TOKENS) {
        const int some = std::min(PROMPT_TOKENS, count - first);
        for (int i = 0; i < some; i++) {
            const int step = first + i;
            const bool isWanted = stride > 0 || step == count - 1;
            prepare(items[i], inputs + step * inputBytes, state,
                    isWanted ? reinterpret_cast<float*>(outputs + step * stride) : nullptr);
            items[i].position += i;
            ownPageOf(items[i]);
        }
        model.kernels().forward(model.view(), scratch, items.data(), some);
        for (int i = 0; i < some; i++) {
            settle(items[i]);
            hash = Digest::mix(hash, state, offsetof(TransformerHeader, codedTokens));
        }
        last = some - 1;
    }
    codeAhead(state);
    std::swap(items[0].logits, items[last].logits);
    return hash;
}

void TransformerExecutor::stepTentatively(
    uint8_t* state, const int32_t* tokens, int count, uint8_t* outputs, int64_t stride) {
    tentative = std::min(count, PROMPT_TOKENS);
    before = *reinterpret_cast<const TransformerHeader*>(state);
    for (int i = 0; i < tentative; i++) {
        prepare(items[i], tokens + i, state, reinterpret_cast<float*>(outputs + i * stride));
        items[i].position += i;
        ownPageOf(items[i]);
        items[i].undo = undo + i * undoBytes(model.view().shape);
    }
    model.kernels().forward(model.view(), scratch, items.data(), tentative);
}

uint64_t TransformerExecutor::keep(uint8_t* state, int count, uint64_t previousHash) {
    for (; tentative > count; tentative--) {
        model.kernels().undoToken(model.view(), items[tentative - 1]);
    }
    *reinterpret_cast<TransformerHeader*>(state) = before;
    uint64_t hash = previousHash;
    for (int i = 0; i < tentative; i++) {
        settle(items[i]);
        hash = Digest::mix(hash, state, offsetof(TransformerHeader, codedTokens));
    }
    return hash;
}

size_t TransformerExecutor::undoBytes(const TransformerShape& shape) {
    return toCacheLines(static_cast<size_t>(shape.layers) * (2 * shape.recentPlanes + 2) * shape.keyCount());
}

}  // namespace tiercel
