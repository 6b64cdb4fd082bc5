/*
 * Random transformers through the C interface: the portable kernels, one token of one session after the other, against
 * every kernel set of this processor in batches and in rows of tokens, bit for bit, each executor on a thread of its
 * own over the same model. That the portable kernels are right is the Java reference's to say, in
 * CpuTransformerProperties; here it is that nothing reads or writes outside of what it was given, and that nothing is
 * undefined.
 */
#include "transformer_test.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <thread>

#include "digest.h"
#include "test_support.h"
#include "tiercel_cpu.h"

namespace {

constexpr int SESSIONS = 3;
constexpr int MAX_BATCH = 5;
/** The position and the digest of a state: what a session's hash takes in. */
constexpr int HASHED_BYTES = 16;

int divideUp(int value, int by) {
    return (value + by - 1) / by;
}

int oneOf(Random& random, const std::vector<int>& values) {
    return values[random() % values.size()];
}

std::vector<int8_t> bytes(Random& random, size_t count) {
    std::vector<int8_t> values(count);
    for (int8_t& value : values) {
        value = static_cast<int8_t>(random());
    }
    return values;
}

/** As bundles hold it; in 4, 8 or 16 bits. No row's sum leaves 32 bits. */
struct Weights {
    std::vector<int8_t> codes;
    std::vector<int8_t> lowCodes;
    std::vector<int8_t> multipliers;
    std::vector<float> scales;

    Weights(Random& random, int rows, int columns, int bits, int vectorMaximum) {
        const float limit = 2 / std::sqrt(static_cast<float>(columns));
        float unit = limit / 128;
        if (bits == 4) {
            const int groups = divideUp(columns, 32);
            const int most = std::min(255, static_cast<int>(INT32_MAX / (int64_t{8} * vectorMaximum * columns)));
            unit = limit / static_cast<float>(8 * most);
            codes.assign(static_cast<size_t>(rows) * groups * 16, 0);
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    codes[row * groups * 16 + column / 2] |=
                        static_cast<int8_t>(uniform(random, 0, 15) << (column % 2 == 0 ? 0 : 4));
                }
            }
            for (int i = 0; i < rows * groups; i++) {
                multipliers.push_back(static_cast<int8_t>(uniform(random, 1, most)));
            }
        } else {
            codes = bytes(random, static_cast<size_t>(rows) * columns);
            if (bits == 16) {
                lowCodes = bytes(random, codes.size());
                unit = limit / 32768;
                std::replace(codes.begin(), codes.end(), int8_t{-128}, int8_t{127});
            }
        }
        scales = floats(random, rows, 0.5f * unit, 1.5f * unit);
        // Rows that are equal: of the likeliest the first has to win.
        if (rows > 2 && random() % 4 == 0) {
            equalRows(random, rows);
        }
    }

    void equalRows(Random& random, int rows) {
        const auto copyRow = [&](auto& values, int from, int to) {
            const size_t width = values.size() / rows;
            std::copy_n(values.begin() + from * width, width, values.begin() + to * width);
        };
        for (int i = 0; i < rows / 2; i++) {
            const int from = uniform(random, 0, rows - 1);
            const int to = uniform(random, 0, rows - 1);
            copyRow(codes, from, to);
            copyRow(lowCodes, from, to);
            copyRow(multipliers, from, to);
            copyRow(scales, from, to);
        }
    }
};

const int8_t* orNull(const std::vector<int8_t>& values) {
    return values.empty() ? nullptr : values.data();
}

/** Everything of a random model but its weights, which are made while it is loaded: the same for each kernel set. */
struct Setting {
    uint64_t weightSeed;
    int32_t sizes[TIERCEL_TRANSFORMER_SIZES];

    explicit Setting(Random& random) : weightSeed(random()), sizes{} {
        static const std::vector<std::pair<int, int>> CODECS = {{8, 1}, {4, 1}, {2, 1}, {1, 1}, {4, 2}, {2, 4}, {1, 8}};
        const auto keys = CODECS[random() % CODECS.size()];
        const auto values = CODECS[random() % CODECS.size()];
        const bool isRotated = random() % 3 == 0;
        const int multiple = std::max(keys.second, values.second);
        do {
            sizes[TIERCEL_HEAD_SIZE] = oneOf(random, {4, 8, 12, 16, 20, 32, 40, 48, 64, 100, 128, 256});
        } while (headSize() % multiple != 0 || (isRotated && (headSize() & (headSize() - 1)) != 0));
        const bool isLarge = headSize() > 64;
        sizes[TIERCEL_LAYERS] = uniform(random, 1, isLarge ? 1 : 2);
        sizes[TIERCEL_DIMENSION] = oneOf(random, {1, 4, 24, 31, 32, 33, 60, 70});
        sizes[TIERCEL_KEY_VALUE_HEADS] = uniform(random, 1, isLarge ? 1 : 3);
        sizes[TIERCEL_HEADS] = sizes[TIERCEL_KEY_VALUE_HEADS] * uniform(random, 1, isLarge ? 2 : 3);
        sizes[TIERCEL_HIDDEN] = uniform(random, 1, 80);
        sizes[TIERCEL_VOCABULARY] = random() % 4 == 0 ? 0 : uniform(random, 3, 140);
        sizes[TIERCEL_FEATURES] = hasTokens() ? 1 : uniform(random, 1, 40);
        sizes[TIERCEL_OUTPUTS] = hasTokens() ? uniform(random, 0, 2) : uniform(random, 1, 2);
        sizes[TIERCEL_LOGITS] = isLikeliest() ? sizes[TIERCEL_VOCABULARY] : uniform(random, 1, 40);
        sizes[TIERCEL_TOP] = isLikeliest() ? uniform(random, 1, std::min(64, sizes[TIERCEL_LOGITS])) : 0;
        sizes[TIERCEL_WINDOW] = oneOf(random, {0, 1, 2, 3, 15, 16, 17, 30});
        sizes[TIERCEL_SINKS] = random() % 2 == 0 ? 0 : uniform(random, 1, 20);
        const int coded = sizes[TIERCEL_WINDOW] > 0 && random() % 6 == 0
            ? 0
            : uniform(random, 1, random() % 3 == 0 && !isLarge ? 300 : 40);
        sizes[TIERCEL_RECENT_PLANES] = coded == 0 && random() % 2 == 0 ? 2 : 1;
        sizes[TIERCEL_CONTEXT] = sizes[TIERCEL_WINDOW] + sizes[TIERCEL_SINKS] + coded;
        sizes[TIERCEL_EXPERTS] = random() % 3 == 0 ? uniform(random, 1, 5) : 0;
        sizes[TIERCEL_ACTIVE_EXPERTS] =
            sizes[TIERCEL_EXPERTS] == 0 ? 0 : uniform(random, 1, sizes[TIERCEL_EXPERTS]);
        sizes[TIERCEL_IS_HEAD_TIED] = isLikeliest() && random() % 2 == 0;
        sizes[TIERCEL_WEIGHT_BITS] = oneOf(random, {4, 8, 16});
        sizes[TIERCEL_HEAD_BITS] = oneOf(random, {4, 8, 16});
        const bool isWide = sizes[TIERCEL_HEADS] * headSize() <= 512 && random() % 3 == 0;
        sizes[TIERCEL_ACTIVATION_MAXIMUM] = isWide ? 32767 : 127;
        sizes[TIERCEL_FEATURE_MAXIMUM] = random() % 2 == 0 ? 32767 : 127;
        sizes[TIERCEL_KEY_BITS] = keys.first;
        sizes[TIERCEL_KEY_CHANNELS] = keys.second;
        sizes[TIERCEL_VALUE_BITS] = values.first;
        sizes[TIERCEL_VALUE_CHANNELS] = values.second;
        sizes[TIERCEL_IS_ROTATED] = isRotated;
    }

    int headSize() const { return sizes[TIERCEL_HEAD_SIZE]; }
    int keyCount() const { return sizes[TIERCEL_KEY_VALUE_HEADS] * headSize(); }
    bool hasTokens() const { return sizes[TIERCEL_VOCABULARY] > 0; }
    bool isLikeliest() const { return hasTokens() && sizes[TIERCEL_OUTPUTS] == 0; }
    int outputBytes() const { return 4 * (isLikeliest() ? 2 * sizes[TIERCEL_TOP] : sizes[TIERCEL_LOGITS]); }
    int inputBytes() const { return 4 * sizes[TIERCEL_FEATURES]; }

    /** Past the end of the context, so that slots are used again, where that is not too long. */
    int steps() const { return std::min(sizes[TIERCEL_CONTEXT] + 20, headSize() > 64 ? 60 : 360); }

    void print(uint64_t seed, int index) const {
        std::fprintf(stderr, "seed=%llu transformer=%d sizes", static_cast<unsigned long long>(seed), index);
        for (const int32_t size : sizes) {
            std::fprintf(stderr, " %d", size);
        }
        std::fprintf(stderr, "\n");
    }
};

class Transformer {
public:
    Transformer(const Setting& setting, int kernelSet) : sizes(setting.sizes) {
        Random random(setting.weightSeed);
        const float headSize = static_cast<float>(setting.headSize());
        const float featureScale = 5.0f / static_cast<float>(sizes[TIERCEL_FEATURE_MAXIMUM]);
        const float numbers[TIERCEL_TRANSFORMER_NUMBERS] = {
            1e-5f, 1.442695f / std::sqrt(headSize), 1 / std::sqrt(headSize), featureScale, 1 / featureScale};
        handle = tiercel_transformer_new(kernelSet, sizes, numbers);
        if (handle == nullptr) {
            std::fprintf(stderr, "no model\n");
            std::abort();
        }
        setEnds(random);
        for (int layer = 0; layer < sizes[TIERCEL_LAYERS]; layer++) {
            setLayer(random, layer);
        }
    }
    ~Transformer() { tiercel_transformer_delete(handle); }
    Transformer(const Transformer&) = delete;
    Transformer& operator=(const Transformer&) = delete;

    size_t stateBytes() const { return static_cast<size_t>(tiercel_transformer_state_bytes(handle)); }
    void* newExecutor(int maxBatch) const { return tiercel_transformer_executor_new(handle, maxBatch); }

private:
    void setEnds(Random& random) {
        const int dimension = sizes[TIERCEL_DIMENSION];
        const int headBits = sizes[TIERCEL_HEAD_BITS];
        const int maximum = sizes[TIERCEL_ACTIVATION_MAXIMUM];
        const int logits = sizes[TIERCEL_LOGITS];
        if (sizes[TIERCEL_VOCABULARY] > 0) {
            const Weights embedding(random, sizes[TIERCEL_VOCABULARY], dimension, headBits, maximum);
            set(0, TIERCEL_EMBEDDING, 0, embedding);
            if (sizes[TIERCEL_IS_HEAD_TIED] != 0) {
                set(0, TIERCEL_HEAD, 0, embedding);
            } else {
                set(0, TIERCEL_HEAD, 0, Weights(random, logits, dimension, headBits, maximum));
            }
        } else {
            const int features = sizes[TIERCEL_FEATURES];
            set(0, TIERCEL_EMBEDDING, 0,
                Weights(random, dimension, features, headBits, sizes[TIERCEL_FEATURE_MAXIMUM]));
            set(0, TIERCEL_HEAD, 0, Weights(random, logits, dimension, headBits, maximum));
            set(0, TIERCEL_FEATURE_MEANS, floats(random, features, -1, 1));
            set(0, TIERCEL_FEATURE_DEVIATIONS, floats(random, features, 0.5f, 2));
            set(0, TIERCEL_EMBEDDING_BIASES, floats(random, dimension, -0.5f, 0.5f));
        }
        set(0, TIERCEL_FINAL_NORM, floats(random, dimension, 0.5f, 1.5f));
        if (sizes[TIERCEL_OUTPUTS] != 0) {
            set(0, TIERCEL_HEAD_BIASES, floats(random, logits, -0.5f, 0.5f));
        }
        std::vector<float> circle;
        for (int i = 0; i < 256; i++) {
            circle.push_back(static_cast<float>(std::cos(2 * M_PI * i / 256)));
            circle.push_back(static_cast<float>(std::sin(2 * M_PI * i / 256)));
        }
        set(0, TIERCEL_ROTARY_CIRCLE, circle);
        std::vector<int64_t> steps(sizes[TIERCEL_HEAD_SIZE] / 2);
        for (int64_t& step : steps) {
            step = static_cast<int64_t>(random());
        }
        tiercel_transformer_set_rotary_steps(handle, steps.data());
    }

    void setLayer(Random& random, int layer) {
        const int dimension = sizes[TIERCEL_DIMENSION];
        const int bits = sizes[TIERCEL_WEIGHT_BITS];
        const int maximum = sizes[TIERCEL_ACTIVATION_MAXIMUM];
        const int queries = sizes[TIERCEL_HEADS] * sizes[TIERCEL_HEAD_SIZE];
        const int keys = sizes[TIERCEL_KEY_VALUE_HEADS] * sizes[TIERCEL_HEAD_SIZE];
        const int hidden = sizes[TIERCEL_HIDDEN];
        set(layer, TIERCEL_ATTENTION_NORM, floats(random, dimension, 0.5f, 1.5f));
        set(layer, TIERCEL_ATTENTION_INPUT, 0, Weights(random, queries + 2 * keys, dimension, bits, maximum));
        set(layer, TIERCEL_ATTENTION_OUTPUT, 0, Weights(random, dimension, queries, bits, maximum));
        setCodec(random, layer, false, sizes[TIERCEL_KEY_BITS], sizes[TIERCEL_KEY_CHANNELS]);
        setCodec(random, layer, true, sizes[TIERCEL_VALUE_BITS], sizes[TIERCEL_VALUE_CHANNELS]);
        set(layer, TIERCEL_FEED_NORM, floats(random, dimension, 0.5f, 1.5f));
        if (sizes[TIERCEL_EXPERTS] > 0) {
            set(layer, TIERCEL_ROUTER, 0,
                Weights(random, sizes[TIERCEL_EXPERTS], dimension, sizes[TIERCEL_HEAD_BITS], maximum));
        }
        for (int expert = 0; expert < std::max(1, sizes[TIERCEL_EXPERTS]); expert++) {
            set(layer, TIERCEL_EXPERT_INPUT, expert, Weights(random, 2 * hidden, dimension, bits, maximum));
            set(layer, TIERCEL_EXPERT_OUTPUT, expert, Weights(random, dimension, hidden, bits, maximum));
        }
    }

    void setCodec(Random& random, int layer, bool isValues, int bits, int channels) {
        const int count = sizes[TIERCEL_KEY_VALUE_HEADS] * sizes[TIERCEL_HEAD_SIZE];
        const std::vector<float> means = floats(random, count, -0.5f, 0.5f);
        const std::vector<float> scales = floats(random, count, 0.01f, 0.025f);
        const std::vector<float> steps = floats(random, count, 0.2f, 0.8f);
        std::vector<int32_t> reciprocals;
        for (int i = 0; i < count; i++) {
            reciprocals.push_back(uniform(random, 1, random() % 8 == 0 ? 1 << 23 : 1 << (9 + bits)));
        }
        // Few different entries: of equals the first has to be taken.
        std::vector<int8_t> codebook = bytes(random, static_cast<size_t>(count) * 256);
        if (random() % 2 == 0) {
            for (int8_t& entry : codebook) {
                entry = static_cast<int8_t>(entry & -64);
            }
        }
        const bool hasSteps = channels == 1 && bits < 8;
        tiercel_transformer_set_codec(
            handle, layer, isValues, means.data(), scales.data(), hasSteps ? steps.data() : nullptr,
            hasSteps ? reciprocals.data() : nullptr, channels > 1 ? codebook.data() : nullptr);
    }

    void set(int layer, tiercel_transformer_matrix matrix, int expert, const Weights& weights) {
        tiercel_transformer_set_matrix(handle, layer, matrix, expert, weights.codes.data(), orNull(weights.lowCodes),
                                       orNull(weights.multipliers), weights.scales.data());
    }

    void set(int layer, tiercel_transformer_vector vector, const std::vector<float>& values) {
        tiercel_transformer_set_vector(handle, layer, vector, values.data());
    }

    const int32_t* sizes;
    void* handle;
};

/** A session's inputs one after the other, and what has to come of them. */
struct Expected {
    std::vector<uint8_t> inputs;
    std::vector<uint8_t> outputs;
    std::vector<uint8_t> logits;
    std::vector<uint64_t> hashes;
    std::vector<uint8_t> state;
};

std::vector<uint8_t> randomInputs(Random& random, const Setting& setting) {
    std::vector<uint8_t> inputs(static_cast<size_t>(setting.steps()) * setting.inputBytes());
    for (size_t i = 0; i < inputs.size(); i += 4) {
        const int32_t token = setting.hasTokens() ? uniform(random, 0, setting.sizes[TIERCEL_VOCABULARY] - 1) : 0;
        const float feature = uniform(random, 0, 50) == 0 ? 3e38f : uniform(random, -4.0f, 4.0f);
        setting.hasTokens() ? std::memcpy(&inputs[i], &token, 4) : std::memcpy(&inputs[i], &feature, 4);
    }
    return inputs;
}

/** Sessions in memory that is watched, and one executor. */
class Sessions {
public:
    Sessions(const Setting& setting, const Transformer& model, int count, int maxBatch)
        : setting(setting), executor(model.newExecutor(maxBatch)), stateBytes(model.stateBytes()) {
        for (int i = 0; i < count; i++) {
            states.push_back(std::make_unique<Bytes>(stateBytes));
        }
    }
    ~Sessions() { tiercel_transformer_executor_delete(executor); }
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;

    /** Where a session's input goes in: memory of its own for each step, exactly as long as it is. */
    std::unique_ptr<Bytes> input(const Expected& expected, int step, int count) const {
        auto bytes = std::make_unique<Bytes>(static_cast<size_t>(count) * setting.inputBytes());
        std::memcpy(bytes->at, expected.inputs.data() + static_cast<size_t>(step) * setting.inputBytes(),
                    static_cast<size_t>(count) * setting.inputBytes());
        return bytes;
    }

    uint64_t hash(int session, uint64_t previous) const {
        return tiercel::Digest::mix(previous, states[session]->at, HASHED_BYTES);
    }

    bool hasLogits(int position, const Expected& expected, int step) const {
        const size_t bytes = sizeof(float) * setting.sizes[TIERCEL_LOGITS];
        return std::memcmp(reinterpret_cast<const void*>(tiercel_transformer_logits(executor, position)),
                           expected.logits.data() + step * bytes, bytes) == 0;
    }

    bool hasOutputs(const void* outputs, const Expected& expected, int step) const {
        const size_t bytes = setting.outputBytes();
        return std::memcmp(outputs, expected.outputs.data() + step * bytes, bytes) == 0;
    }

    bool hasState(int session, const Expected& expected) const {
        return std::memcmp(states[session]->at, expected.state.data(), stateBytes) == 0;
    }

    const Setting& setting;
    void* const executor;
    const size_t stateBytes;
    std::vector<std::unique_ptr<Bytes>> states;
};

/** One token of one session after the other. */
void stepAlone(const Setting& setting, const Transformer& model, Expected& expected) {
    Sessions sessions(setting, model, 1, 1);
    uint64_t hash = 1;
    for (int step = 0; step < setting.steps(); step++) {
        const auto input = sessions.input(expected, step, 1);
        const Bytes output(setting.outputBytes());
        const int64_t position[] = {input->address(), sessions.states[0]->address(), output.address()};
        tiercel_transformer_step(sessions.executor, reinterpret_cast<int64_t>(position), 1);
        hash = sessions.hash(0, hash);
        tiercel_transformer_ahead(sessions.executor, reinterpret_cast<int64_t>(position), 1);
        const uint8_t* outputs = static_cast<const uint8_t*>(output.at);
        const uint8_t* logits =
            reinterpret_cast<const uint8_t*>(tiercel_transformer_logits(sessions.executor, 0));
        expected.outputs.insert(expected.outputs.end(), outputs, outputs + setting.outputBytes());
        expected.logits.insert(expected.logits.end(), logits, logits + 4 * setting.sizes[TIERCEL_LOGITS]);
        expected.hashes.push_back(hash);
    }
    const uint8_t* state = static_cast<const uint8_t*>(sessions.states[0]->at);
    expected.state.assign(state, state + sessions.stateBytes);
}

/** Each round a batch of some of the sessions, in any order; the work ahead of a step at once or just before it. */
const char* stepTogether(
    const Setting& setting, const Transformer& model, const std::vector<Expected>& expected, Random random) {
    Sessions sessions(setting, model, SESSIONS, MAX_BATCH);
    std::vector<int> done(SESSIONS);
    std::vector<int> order = {0, 1, 2};
    while (*std::min_element(done.begin(), done.end()) < setting.steps()) {
        std::shuffle(order.begin(), order.end(), random);
        std::vector<int> batch;
        for (int i = uniform(random, 0, SESSIONS - 1); i < SESSIONS; i++) {
            if (done[order[i]] < setting.steps()) {
                batch.push_back(order[i]);
            }
        }
        std::vector<std::unique_ptr<Bytes>> memory;
        std::vector<int64_t> positions;
        for (const int session : batch) {
            memory.push_back(sessions.input(expected[session], done[session], 1));
            positions.push_back(memory.back()->address());
            positions.push_back(sessions.states[session]->address());
            memory.push_back(std::make_unique<Bytes>(setting.outputBytes()));
            positions.push_back(memory.back()->address());
        }
        const int64_t address = reinterpret_cast<int64_t>(positions.data());
        const int count = static_cast<int>(batch.size());
        tiercel_transformer_step(sessions.executor, address, count);
        for (int i = 0; i < count; i++) {
            if (!sessions.hasOutputs(memory[2 * i + 1]->at, expected[batch[i]], done[batch[i]])) {
                return "outputs of a batch";
            }
            if (!sessions.hasLogits(i, expected[batch[i]], done[batch[i]])) {
                return "logits of a batch";
            }
            done[batch[i]]++;
        }
        for (int again = uniform(random, 1, 2); again > 0; again--) {
            tiercel_transformer_ahead(sessions.executor, address, count);
        }
    }
    for (int session = 0; session < SESSIONS; session++) {
        if (!sessions.hasState(session, expected[session])) {
            return "state after batches";
        }
    }
    return nullptr;
}

/** One session in rows of tokens of any length, with the outputs of each or of the last. */
const char* stepInRows(
    const Setting& setting, const Transformer& model, const Expected& expected, Random random) {
    Sessions sessions(setting, model, 1, 1);
    uint64_t hash = 1;
    for (int step = 0; step < setting.steps();) {
        const int count = std::min(setting.steps() - step, uniform(random, 1, random() % 2 == 0 ? 8 : 70));
        const auto inputs = sessions.input(expected, step, count);
        const bool isStream = random() % 2 == 0;
        // Room between two steps' outputs, which nobody may write into.
        const int stride = isStream ? setting.outputBytes() + 4 * uniform(random, 0, 2) : 0;
        const Bytes outputs(static_cast<size_t>(count - 1) * stride + setting.outputBytes());
        hash = static_cast<uint64_t>(tiercel_transformer_steps(
            sessions.executor, sessions.states[0]->address(), inputs->address(), count, outputs.address(), stride,
            static_cast<int64_t>(hash)));
        for (int i = isStream ? 0 : count - 1; i < count; i++) {
            const uint8_t* output = static_cast<const uint8_t*>(outputs.at) + i * stride;
            if (!sessions.hasOutputs(output, expected, step + i)) {
                return "outputs of a row";
            }
            for (int gap = setting.outputBytes(); i < count - 1 && gap < stride; gap++) {
                if (output[gap] != 0) {
                    return "bytes between the outputs of a row";
                }
            }
        }
        step += count;
        if (hash != expected.hashes[step - 1]) {
            return "hash of a row";
        }
        if (!sessions.hasLogits(0, expected, step - 1)) {
            return "logits of a row";
        }
    }
    return sessions.hasState(0, expected) ? nullptr : "state after rows";
}

/**
 * One session in tentative rows, of which the first tokens are those that did come; what is behind them is taken back, in
 * one go or in two.
 */
const char* stepTentatively(
    const Setting& setting, const Transformer& model, const Expected& expected, Random random) {
    Sessions sessions(setting, model, 1, 1);
    uint64_t hash = 1;
    for (int step = 0; step < setting.steps();) {
        const int count = std::min(setting.steps() - step, uniform(random, 1, 16));
        const auto inputs = sessions.input(expected, step, count);
        const int kept = uniform(random, 0, count);
        for (int i = kept; i < count; i++) {
            static_cast<int32_t*>(inputs->at)[i] = uniform(random, 0, setting.sizes[TIERCEL_VOCABULARY] - 1);
        }
        const int stride = random() % 2 == 0 ? setting.outputBytes() : 0;
        const Bytes outputs(static_cast<size_t>(count - 1) * stride + setting.outputBytes());
        const int64_t state = sessions.states[0]->address();
        tiercel_transformer_step_tentatively(
            sessions.executor, state, inputs->address(), count, outputs.address(), stride);
        for (int i = 0; i < kept; i++) {
            if (!sessions.hasLogits(i, expected, step + i)) {
                return "logits of a tentative row";
            }
            if (stride > 0 && !sessions.hasOutputs(static_cast<uint8_t*>(outputs.at) + i * stride, expected, step + i)) {
                return "outputs of a tentative row";
            }
        }
        const int64_t previous = static_cast<int64_t>(hash);
        tiercel_transformer_keep(sessions.executor, state, uniform(random, kept, count), previous);
        hash = static_cast<uint64_t>(tiercel_transformer_keep(sessions.executor, state, kept, previous));
        const int64_t position[] = {inputs->address(), state, outputs.address()};
        tiercel_transformer_ahead(sessions.executor, reinterpret_cast<int64_t>(position), 1);
        step += kept;
        if (hash != (step == 0 ? 1 : expected.hashes[step - 1])) {
            return "hash of a tentative row";
        }
    }
    return sessions.hasState(0, expected) ? nullptr : "state after tentative rows";
}

}  // namespace

bool transformerAgrees(uint64_t seed, int index) {
    Random random(seed * 1000 + index);
    const Setting setting(random);
    std::vector<Expected> expected(SESSIONS);
    {
        const Transformer model(setting, TIERCEL_PORTABLE);
        for (Expected& session : expected) {
            session.inputs = randomInputs(random, setting);
            stepAlone(setting, model, session);
        }
    }
    for (int kernelSet = TIERCEL_PORTABLE; kernelSet <= TIERCEL_AVX512_VNNI; kernelSet *= 2) {
        if ((tiercel_kernel_sets() & kernelSet) == 0) {
            continue;
        }
        const Transformer model(setting, kernelSet);
        const Random ofThread(random());
        std::atomic<const char*> inThread{nullptr};
        std::thread thread([&] { inThread = stepInRows(setting, model, expected[0], ofThread); });
        const char* here = stepTogether(setting, model, expected, Random(random()));
        if (here == nullptr && setting.hasTokens()) {
            here = stepTentatively(setting, model, expected[1], Random(random()));
        }
        thread.join();
        const char* wrong = here != nullptr ? here : inThread.load();
        if (wrong != nullptr) {
            std::fprintf(stderr, "kernels=%s: %s: not the bits of one token after the other\n",
                         tiercel_kernel_set_name(kernelSet), wrong);
            setting.print(seed, index);
            return false;
        }
    }
    return true;
}
