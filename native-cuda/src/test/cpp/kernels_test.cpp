/*
 * The kernels against plain loops, through the C interface, on random models of odd shapes: every kernel set of this
 * processor, one and several threads, all batch sizes. Transformers have a file of their own, transformer_test.cpp.
 * Meant to run under the address and undefined-behaviour sanitizers and under the thread sanitizer; what the Java
 * reference says is tested from Java.
 *
 *   kernels_test SEED MODELS      exits 0, or 1 with the model that went wrong
 */
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "exact.h"
#include "test_support.h"
#include "tiercel_cpu.h"
#include "transformer_test.h"

namespace {

using tiercel::Exact;
using tiercel::ScalarLanes;
using Scalar = Exact<ScalarLanes>;

constexpr int STEPS = 4;

struct Matrix {
    int rows;
    int columns;
    bool isInt4;
    std::vector<int8_t> codes;
    std::vector<int8_t> multipliers;
    std::vector<float> scales;

    Matrix(Random& random, int rows, int columns, bool isInt4, int vectorMaximum)
        : rows(rows), columns(columns), isInt4(isInt4) {
        const int groups = (columns + 31) / 32;
        scales = floats(random, rows, 0.2f, 1.0f);
        const float weightMaximum = isInt4 ? 8.0f * 60 : 128.0f;
        for (float& scale : scales) {
            scale *= 4.0f / (weightMaximum * static_cast<float>(vectorMaximum));
            scale /= std::sqrt(static_cast<float>(columns));
        }
        codes.assign(static_cast<size_t>(rows) * (isInt4 ? 16 * groups : columns), 0);
        if (!isInt4) {
            for (int8_t& code : codes) {
                code = static_cast<int8_t>(uniform(random, -128, 127));
            }
            return;
        }
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                codes[row * 16 * groups + column / 2] |=
                    static_cast<int8_t>(uniform(random, 0, 15) << (column % 2 == 0 ? 0 : 4));
            }
        }
        for (int i = 0; i < rows * groups; i++) {
            multipliers.push_back(static_cast<int8_t>(uniform(random, 1, vectorMaximum > 127 ? 60 : 255)));
        }
    }

    int weight(int row, int column) const {
        if (!isInt4) {
            return codes[static_cast<size_t>(row) * columns + column];
        }
        const int groups = (columns + 31) / 32;
        const int pair = static_cast<uint8_t>(codes[row * 16 * groups + column / 2]);
        const int nibble = column % 2 == 0 ? pair & 15 : pair >> 4;
        return (nibble < 8 ? nibble : nibble - 16) * static_cast<uint8_t>(multipliers[row * groups + column / 32]);
    }

    int32_t dot(int row, const std::vector<int>& x) const {
        int64_t sum = 0;
        for (int column = 0; column < columns; column++) {
            sum += static_cast<int64_t>(weight(row, column)) * x[column];
        }
        if (sum != static_cast<int32_t>(sum)) {
            std::fprintf(stderr, "the test's own model leaves 32 bits\n");
            std::exit(2);
        }
        return static_cast<int32_t>(sum);
    }

    const int8_t* multipliersOrNull() const { return isInt4 ? multipliers.data() : nullptr; }
};

struct Model {
    int layers;
    int hidden;
    int features;
    int outputs;
    bool isInt4;
    bool isHeadInt4;
    bool isSoftmax;
    int featureMaximum;
    std::vector<float> means;
    std::vector<float> inverseDeviations;
    std::vector<Matrix> input;
    std::vector<Matrix> recurrent;
    std::vector<std::vector<float>> biases;
    std::unique_ptr<Matrix> head;
    std::vector<float> headBiases;

    explicit Model(Random& random) {
        const int sizes[] = {1, 7, 31, 32, 33, 64, 73, 96, 100, 128, 129, 160};
        layers = uniform(random, 1, 3);
        hidden = sizes[uniform(random, 0, 11)];
        features = sizes[uniform(random, 0, 11)];
        outputs = uniform(random, 1, 70);
        isInt4 = random() & 1;
        isHeadInt4 = random() & 1;
        isSoftmax = random() & 1;
        featureMaximum = random() & 1 ? 127 : 32767;
        means = floats(random, features, -1, 1);
        inverseDeviations = floats(random, features, 0.5f, 2);
        for (int layer = 0; layer < layers; layer++) {
            const int columns = layer == 0 ? features : hidden;
            input.emplace_back(random, 4 * hidden, columns, isInt4, layer == 0 ? featureMaximum : 127);
            recurrent.emplace_back(random, 4 * hidden, hidden, isInt4, 127);
            biases.push_back(floats(random, 4 * hidden, -0.5f, 0.5f));
        }
        head = std::make_unique<Matrix>(random, outputs, hidden, isHeadInt4, 127);
        headBiases = floats(random, outputs, -0.5f, 0.5f);
    }

    float inverseScale() const { return static_cast<float>(featureMaximum) / 5; }

    void print(uint64_t seed, int index) const {
        std::fprintf(stderr,
                     "seed=%llu model=%d layers=%d hidden=%d features=%d outputs=%d int4=%d headInt4=%d softmax=%d "
                     "featureMaximum=%d\n",
                     static_cast<unsigned long long>(seed), index, layers, hidden, features, outputs, isInt4,
                     isHeadInt4, isSoftmax, featureMaximum);
    }
};

constexpr float INVERSE_HIDDEN_SCALE = 127.0f;

/** The specification, one number after the other. */
struct PlainSession {
    const Model& model;
    std::vector<std::vector<float>> cell;
    std::vector<std::vector<int>> hidden;

    explicit PlainSession(const Model& model)
        : model(model),
          cell(model.layers, std::vector<float>(model.hidden)),
          hidden(model.layers, std::vector<int>(model.hidden)) {}

    std::vector<float> step(const std::vector<float>& features) {
        std::vector<int> x(model.features);
        for (int i = 0; i < model.features; i++) {
            const float normal = (features[i] - model.means[i]) * model.inverseDeviations[i];
            x[i] = Scalar::quantise(normal, model.inverseScale(), static_cast<float>(model.featureMaximum));
        }
        for (int layer = 0; layer < model.layers; layer++) {
            x = stepLayer(layer, x);
        }
        std::vector<float> y(model.outputs);
        for (int row = 0; row < model.outputs; row++) {
            y[row] = Scalar::scaled(model.head->dot(row, x), model.head->scales[row], model.headBiases[row]);
        }
        return model.isSoftmax ? softmax(y) : y;
    }

    std::vector<int> stepLayer(int layer, const std::vector<int>& x) {
        const Matrix& input = model.input[layer];
        const Matrix& recurrent = model.recurrent[layer];
        const int width = model.hidden;
        std::vector<float> pre(4 * width);
        for (int row = 0; row < 4 * width; row++) {
            const float ahead =
                Scalar::scaled(recurrent.dot(row, hidden[layer]), recurrent.scales[row], model.biases[layer][row]);
            pre[row] = Scalar::scaled(input.dot(row, x), input.scales[row], ahead);
        }
        std::vector<int> after(width);
        for (int unit = 0; unit < width; unit++) {
            const float i = sigmoid(pre[unit]);
            const float f = sigmoid(pre[width + unit]);
            const float g = Scalar::tanh(pre[2 * width + unit]);
            const float o = sigmoid(pre[3 * width + unit]);
            float& c = cell[layer][unit];
            c = f * c + i * g;
            after[unit] = Scalar::quantise(o * Scalar::tanh(c), INVERSE_HIDDEN_SCALE, 127.0f);
        }
        hidden[layer] = after;
        return after;
    }

    static float sigmoid(float x) { return Scalar::sigmoidOfTanh(Scalar::tanh(x * 0.5f)); }

    static std::vector<float> softmax(const std::vector<float>& y) {
        float largest = y[0];
        for (const float value : y) {
            largest = value > largest ? value : largest;
        }
        int64_t sum = 0;
        for (const float value : y) {
            sum += Scalar::softmaxTerm(value, largest);
        }
        std::vector<float> probabilities;
        for (const float value : y) {
            const double term = Scalar::softmaxTerm(value, largest);
            probabilities.push_back(static_cast<float>(term / static_cast<double>(sum)));
        }
        return probabilities;
    }
};

class Kernels {
public:
    Kernels(const Model& model, int kernelSet, int maxBatch, int threads) : model(model) {
        handle = tiercel_lstm_new(kernelSet, model.layers, model.hidden, model.features, model.outputs, model.isInt4,
                                  model.isHeadInt4, model.isSoftmax, model.featureMaximum);
        tiercel_lstm_set_features(handle, model.means.data(), model.inverseDeviations.data(), model.inverseScale());
        for (int layer = 0; layer < model.layers; layer++) {
            const Matrix& input = model.input[layer];
            const Matrix& recurrent = model.recurrent[layer];
            tiercel_lstm_set_layer(handle, layer, input.codes.data(), input.multipliersOrNull(), input.scales.data(),
                                   recurrent.codes.data(), recurrent.multipliersOrNull(), recurrent.scales.data(),
                                   model.biases[layer].data(), INVERSE_HIDDEN_SCALE);
        }
        tiercel_lstm_set_head(handle, model.head->codes.data(), model.head->multipliersOrNull(),
                              model.head->scales.data(), model.headBiases.data());
        executor = tiercel_lstm_executor_new(handle, maxBatch, threads, 1);
    }
    ~Kernels() {
        tiercel_lstm_executor_delete(executor);
        tiercel_lstm_delete(handle);
    }
    Kernels(const Kernels&) = delete;
    Kernels& operator=(const Kernels&) = delete;

    size_t cellBytes() const { return (4 * model.hidden + 63) / 64 * 64; }
    size_t hiddenBytes() const { return (model.hidden + 63) / 64 * 64; }
    size_t stateBytes() const {
        const size_t aheadBytes = sizeof(float) * tiercel_lstm_ahead_floats(handle);
        return model.layers * (cellBytes() + hiddenBytes() + aheadBytes);
    }

    const Model& model;
    void* handle;
    void* executor;
};

bool sameState(const Kernels& kernels, const uint8_t* state, const PlainSession& plain) {
    const Model& model = kernels.model;
    for (int layer = 0; layer < model.layers; layer++) {
        const uint8_t* cell = state + layer * (kernels.cellBytes() + kernels.hiddenBytes());
        const uint8_t* hidden = cell + kernels.cellBytes();
        if (std::memcmp(cell, plain.cell[layer].data(), sizeof(float) * model.hidden) != 0) {
            return false;
        }
        for (size_t i = sizeof(float) * model.hidden; i < kernels.cellBytes(); i++) {
            if (cell[i] != 0) {
                return false;
            }
        }
        for (size_t unit = 0; unit < kernels.hiddenBytes(); unit++) {
            const int expected = unit < plain.hidden[layer].size() ? plain.hidden[layer][unit] : 0;
            if (static_cast<int8_t>(hidden[unit]) != expected) {
                return false;
            }
        }
    }
    return true;
}

bool agrees(const Model& model, int kernelSet, int batch, int threads, Random random) {
    Kernels kernels(model, kernelSet, batch, threads);
    std::vector<PlainSession> plain(batch, PlainSession(model));
    std::vector<std::unique_ptr<Bytes>> states;
    std::vector<std::unique_ptr<Bytes>> inputs;
    std::vector<std::unique_ptr<Bytes>> outputs;
    std::vector<int64_t> positions;
    for (int b = 0; b < batch; b++) {
        states.push_back(std::make_unique<Bytes>(kernels.stateBytes()));
        inputs.push_back(std::make_unique<Bytes>(sizeof(float) * model.features));
        outputs.push_back(std::make_unique<Bytes>(sizeof(float) * model.outputs));
        positions.push_back(reinterpret_cast<int64_t>(inputs[b]->at));
        positions.push_back(reinterpret_cast<int64_t>(states[b]->at));
        positions.push_back(reinterpret_cast<int64_t>(outputs[b]->at));
    }
    const int64_t address = reinterpret_cast<int64_t>(positions.data());
    for (int step = 0; step < STEPS; step++) {
        std::vector<std::vector<float>> features;
        for (int b = 0; b < batch; b++) {
            features.push_back(floats(random, model.features, -4, 4));
            std::memcpy(inputs[b]->at, features[b].data(), sizeof(float) * model.features);
        }
        if (threads > 1 && step == STEPS - 1) {
            // Long enough for the workers to fall asleep: the step is done without them, and wakes them.
            std::this_thread::sleep_for(std::chrono::milliseconds(15));
        }
        tiercel_lstm_ahead(kernels.executor, address, batch);
        tiercel_lstm_step(kernels.executor, address, batch);
        for (int b = 0; b < batch; b++) {
            const std::vector<float> expected = plain[b].step(features[b]);
            if (std::memcmp(outputs[b]->at, expected.data(), sizeof(float) * model.outputs) != 0 ||
                !sameState(kernels, static_cast<const uint8_t*>(states[b]->at), plain[b])) {
                std::fprintf(stderr, "step %d, position %d of %d: not the specification's bits\n", step, b, batch);
                return false;
            }
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: kernels_test SEED MODELS\n");
        return 2;
    }
    const uint64_t seed = std::strtoull(argv[1], nullptr, 10);
    const int models = std::atoi(argv[2]);
    int checks = 0;
    for (int index = 0; index < models; index++) {
        Random random(seed + index);
        const Model model(random);
        for (int kernelSet = TIERCEL_PORTABLE; kernelSet <= TIERCEL_AVX512_VNNI; kernelSet *= 2) {
            if ((tiercel_kernel_sets() & kernelSet) == 0) {
                continue;
            }
            const int batch = uniform(random, 1, 5);
            const int threads = uniform(random, 1, 3);
            if (!agrees(model, kernelSet, batch, threads, random)) {
                std::fprintf(stderr, "kernels=%s batch=%d threads=%d ", tiercel_kernel_set_name(kernelSet), batch,
                             threads);
                model.print(seed, index);
                return 1;
            }
            checks++;
        }
    }
    // Each is many steps long, computed twice.
    const int transformers = (models + 1) / 2;
    for (int index = 0; index < transformers; index++) {
        if (!transformerAgrees(seed, index)) {
            return 1;
        }
    }
    for (int kernelSet = TIERCEL_PORTABLE; kernelSet <= TIERCEL_AVX512_VNNI; kernelSet *= 2) {
        if ((tiercel_kernel_sets() & kernelSet) != 0 && tiercel_stream_ns(kernelSet, 4096, 100, 3) < 0) {
            return 1;
        }
    }
    std::printf("%d checks of %d models, and %d transformers, seed %llu, agree\n", checks, models, transformers,
                static_cast<unsigned long long>(seed));
    return 0;
}
