#include "lstm.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "packing.h"

namespace tiercel {
namespace {

/** What a cache of that many bytes keeps of a stream, beside everything else that is in use. */
int64_t cacheShare(int name, int64_t otherwise) {
    const long bytes = sysconf(name);
    return (bytes > 0 ? bytes : otherwise) / 4 * 3;
}

int64_t arenaBytes(const KernelSet& kernels, const LstmShape& shape) {
    const int blocks = divideUp(shape.hidden, BLOCK_UNITS);
    int64_t bytes = 2 * toCacheLines(sizeof(float) * shape.features);
    for (int layer = 0; layer < shape.layers; layer++) {
        const int columns = layer == 0 ? shape.features : shape.hidden;
        bytes += blocks * blockBytes(kernels, columns, GATE_ROWS, shape.isInt4, false);
        bytes += blocks * blockBytes(kernels, shape.hidden, GATE_ROWS, shape.isInt4, true);
    }
    return bytes +
           divideUp(shape.outputs, HEAD_ROWS) * blockBytes(kernels, shape.hidden, HEAD_ROWS, shape.isHeadInt4, true);
}

int planes(const KernelSet& kernels, const LstmShape& shape) {
    return kernels.activationBytes == 1 && shape.featureMaximum > 127 ? 3 : 1;
}

size_t executorBytes(const LstmModel& model, int maxBatch) {
    const LstmShape& shape = model.shape();
    const size_t features = activationsBytes(model.kernels(), shape.features, planes(model.kernels(), shape));
    const size_t hidden = activationsBytes(model.kernels(), shape.hidden, 1);
    return maxBatch * (features + (2 + shape.layers) * hidden) +
           toCacheLines(sizeof(float) * HEAD_ROWS * divideUp(shape.outputs, HEAD_ROWS));
}

}  // namespace

/** What a step reads stands together, in the order in which it is read, and what the work ahead reads after it. */
LstmModel::LstmModel(const KernelSet& kernels, const LstmShape& shape)
    : kernelSet(kernels),
      modelShape(shape),
      modelState(shape),
      blockCount(divideUp(shape.hidden, BLOCK_UNITS)),
      arena(arenaBytes(kernels, shape)),
      layers(shape.layers) {
    float* means = arena.take<float>(shape.features);
    float* inverseDeviations = arena.take<float>(shape.features);
    features = {means, inverseDeviations, shape.features, 0.0f, static_cast<float>(shape.featureMaximum)};
    const int rows = blockCount * GATE_ROWS;
    for (int layer = 0; layer < shape.layers; layer++) {
        layers[layer].input =
            takeMatrix(arena, kernels, layer == 0 ? shape.features : shape.hidden, rows, GATE_ROWS, shape.isInt4, false);
    }
    head = takeMatrix(arena, kernels, shape.hidden, shape.outputs, HEAD_ROWS, shape.isHeadInt4, true);
    for (Layer& layer : layers) {
        layer.recurrent = takeMatrix(arena, kernels, shape.hidden, rows, GATE_ROWS, shape.isInt4, true);
    }
}

void LstmModel::setFeatures(const float* means, const float* inverseDeviations, float inverseScale) {
    std::copy_n(means, modelShape.features, const_cast<float*>(features.means));
    std::copy_n(inverseDeviations, modelShape.features, const_cast<float*>(features.inverseDeviations));
    features.inverseScale = inverseScale;
}

void LstmModel::setLayer(
    int index, const MatrixCodes& input, const MatrixCodes& recurrent, const float* biases,
    float inverseHiddenScale) {
    const int hidden = modelShape.hidden;
    const auto rowOf = [hidden](int block, int row) {
        const int unit = block * BLOCK_UNITS + row % BLOCK_UNITS;
        return unit < hidden ? row / BLOCK_UNITS * hidden + unit : -1;
    };
    // A sigmoid is 0.5 tanh(0.5 x) + 0.5. To halve what x is made of is to halve x: both are exact, but where x is so
    // near to zero that the sigmoid is 0.5 either way.
    const auto factorOf = [](int row) { return row / BLOCK_UNITS == CANDIDATE_GATE ? 1.0f : 0.5f; };
    Layer& layer = layers[index];
    layer.inverseHiddenScale = inverseHiddenScale;
    const int columns = index == 0 ? modelShape.features : hidden;
    packer(kernelSet, layer.input, columns, GATE_ROWS, rowOf, factorOf).pack(input, nullptr);
    packer(kernelSet, layer.recurrent, hidden, GATE_ROWS, rowOf, factorOf).pack(recurrent, biases);
}

void LstmModel::setHead(const MatrixCodes& codes, const float* biases) {
    const int outputs = modelShape.outputs;
    const auto rowOf = [outputs](int block, int row) {
        const int output = block * HEAD_ROWS + row;
        return output < outputs ? output : -1;
    };
    packer(kernelSet, head, modelShape.hidden, HEAD_ROWS, rowOf, [](int) { return 1.0f; }).pack(codes, biases);
}

int64_t LstmModel::stepBytes() const {
    return head.end() - layers.front().input.blocks;
}

int64_t LstmModel::aheadBytes() const {
    return layers.back().recurrent.end() - layers.front().recurrent.blocks;
}

LstmExecutor::LstmExecutor(const LstmModel& model, int maxBatch, int threads, Teamwork teamwork)
    : model(model),
      maxBatch(maxBatch),
      team(std::min(threads, model.blocks())),
      threadLimit(team.threads()),
      arena(executorBytes(model, maxBatch)) {
    const LstmShape& shape = model.shape();
    const KernelSet& kernels = model.kernels();
    for (int i = 0; i < maxBatch; i++) {
        features.push_back(takeActivations(arena, kernels, shape.features, planes(kernels, shape)));
    }
    for (int i = 0; i < 2 * maxBatch; i++) {
        hidden.push_back(takeActivations(arena, kernels, shape.hidden, 1));
    }
    for (int i = 0; i < shape.layers * maxBatch; i++) {
        recurrent.push_back(takeActivations(arena, kernels, shape.hidden, 1));
    }
    outputs = arena.take<float>(HEAD_ROWS * divideUp(shape.outputs, HEAD_ROWS));
    if (teamwork == Teamwork::WHEN_FASTER && threadLimit > 1) {
        chooseThreads();
    }
}

void LstmExecutor::step(const BatchPosition* positions, int count) {
    if (count == 0) {
        return;
    }
    for (int i = 0; i < count; i++) {
        model.kernels().quantiseFeatures(model.features, positions[i].features, features[i]);
    }
    Work work{this, positions, count};
    team.run(stepJob, &work, threadLimit);
    const LstmShape& shape = model.shape();
    for (int i = 0; i < count; i++) {
        model.kernels().head(model.head, input(shape.layers, i), outputs, shape.outputs, shape.isSoftmax);
        std::copy_n(outputs, shape.outputs, positions[i].outputs);
    }
}

void LstmExecutor::ahead(const BatchPosition* positions, int count) {
    if (count > 0) {
        Work work{this, positions, count};
        team.run(aheadJob, &work, threadLimit);
    }
}

void LstmExecutor::stepJob(void* context, Participant& self) {
    const Work& work = *static_cast<const Work*>(context);
    LstmExecutor& executor = *work.executor;
    const int layerCount = executor.model.shape().layers;
    if (self.count == 1 && work.count <= TILE_POSITIONS) {
        executor.gates(work, 0, layerCount, self);
        return;
    }
    for (int layer = 0; layer < layerCount; layer++) {
        executor.gates(work, layer, layer + 1, self);
        // A layer's input is all of the one below.
        self.meet();
    }
}

void LstmExecutor::aheadJob(void* context, Participant& self) {
    const Work& work = *static_cast<const Work*>(context);
    const LstmModel& model = work.executor->model;
    const int layerCount = model.shape().layers;
    const int end = self.end(layerCount * work.count);
    for (int i = self.first(layerCount * work.count); i < end; i++) {
        const int8_t* from = reinterpret_cast<const int8_t*>(
            work.positions[i / layerCount].state + model.state().hidden(i % layerCount));
        model.kernels().loadHidden(from, model.shape().hidden, work.executor->recurrent[i]);
    }
    self.meet();
    for (int layer = 0; layer < layerCount; layer++) {
        work.executor->aheadOf(work, layer, self);
    }
    work.executor->fetchWeights(self);
    self.meet();
}

/** Block by block where the batch takes several passes, so that a block's weights come from memory once. */
void LstmExecutor::gates(const Work& work, int firstLayer, int endLayer, Participant& self) {
    const LstmState& state = model.state();
    const int first = self.first(model.blockCount);
    const int end = self.end(model.blockCount);
    const int stride = work.count <= TILE_POSITIONS ? std::max(end - first, 1) : 1;
    GateLayer layers[MAX_LAYERS];
    for (int block = first; block < end; block += stride) {
        for (int tile = 0; tile < work.count; tile += TILE_POSITIONS) {
            const int tileCount = std::min(TILE_POSITIONS, work.count - tile);
            for (int layer = firstLayer; layer < endLayer; layer++) {
                GateLayer& to = layers[layer - firstLayer];
                to.input = model.layers[layer].input;
                to.hiddenCount = model.shape().hidden;
                to.inverseHiddenScale = model.layers[layer].inverseHiddenScale;
                for (int i = 0; i < tileCount; i++) {
                    uint8_t* of = work.positions[tile + i].state;
                    to.positions[i] = {input(layer, tile + i), reinterpret_cast<const float*>(of + state.ahead(layer)),
                                       reinterpret_cast<float*>(of + state.cell(layer)),
                                       reinterpret_cast<int8_t*>(of + state.hidden(layer)), input(layer + 1, tile + i)};
                }
            }
            model.kernels().gates(layers, endLayer - firstLayer, block, block + stride, tileCount);
        }
    }
}

void LstmExecutor::aheadOf(const Work& work, int layer, Participant& self) {
    const int layerCount = model.shape().layers;
    const int first = self.first(model.blockCount);
    const int end = self.end(model.blockCount);
    const int stride = work.count <= TILE_POSITIONS ? std::max(end - first, 1) : 1;
    for (int block = first; block < end; block += stride) {
        for (int tile = 0; tile < work.count; tile += TILE_POSITIONS) {
            const int tileCount = std::min(TILE_POSITIONS, work.count - tile);
            AheadPosition positions[TILE_POSITIONS];
            for (int i = 0; i < tileCount; i++) {
                positions[i] = {recurrent[(tile + i) * layerCount + layer],
                                reinterpret_cast<float*>(work.positions[tile + i].state + model.state().ahead(layer))};
            }
            model.kernels().ahead(model.layers[layer].recurrent, block, block + stride, positions, tileCount);
        }
    }
}

/** What layer reads: the features, then by turns one of two buffers. The head's is that of one layer more. */
Activations LstmExecutor::input(int layer, int position) const {
    return layer == 0 ? features[position] : hidden[2 * position + (layer & 1)];
}

/**
 * The next step begins with this thread's first weights, and the work ahead has just driven them out of the nearest
 * cache. (To fetch what the next cache holds was tried: 5 % of a step won, half of the work ahead paid for it.)
 */
void LstmExecutor::fetchWeights(const Participant& self) const {
    static const int64_t L1_SHARE = cacheShare(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
    const PackedMatrix& input = model.layers.front().input;
    const uint8_t* from = input.block(self.first(model.blockCount));
    const int64_t bytes = std::min<int64_t>(L1_SHARE, input.block(self.end(model.blockCount)) - from);
    for (int64_t offset = 0; offset < bytes; offset += CACHE_LINE_BYTES) {
        __builtin_prefetch(from + offset, 0, 3);
    }
    // GCC takes a function that only fetches for one that does nothing.
    asm volatile("");
}

void LstmExecutor::chooseThreads() {
    const int most = threadLimit;
    int best = 1;
    double bestUs = measureUs(1);
    for (int threads = 2; threads <= most; threads++) {
        const double us = measureUs(threads);
        // A tie goes to fewer threads: cores that do not spin are cores for somebody else.
        if (us < 0.95 * bestUs) {
            bestUs = us;
            best = threads;
        }
    }
    threadLimit = best;
}

/** The median time of a step on that many threads, on a state of its own. */
double LstmExecutor::measureUs(int threads) {
    constexpr int REPETITIONS = 101;
    const LstmShape& shape = model.shape();
    const size_t stateBytes = toCacheLines(model.state().bytes);
    Arena scratch(stateBytes + toCacheLines(sizeof(float) * shape.features) +
                  toCacheLines(sizeof(float) * shape.outputs));
    BatchPosition position{};
    position.state = scratch.take<uint8_t>(stateBytes);
    position.features = scratch.take<float>(shape.features);
    position.outputs = scratch.take<float>(shape.outputs);
    threadLimit = threads;
    double took[REPETITIONS];
    for (double& us : took) {
        ahead(&position, 1);
        const auto begun = std::chrono::steady_clock::now();
        step(&position, 1);
        us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count();
    }
    std::nth_element(took, took + REPETITIONS / 2, took + REPETITIONS);
    return took[REPETITIONS / 2];
}

}  // namespace tiercel
