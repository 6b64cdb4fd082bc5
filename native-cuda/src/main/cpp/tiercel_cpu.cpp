#include "tiercel_cpu.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <vector>

#include "lstm.h"
#include "memory.h"
#include "transformer.h"

namespace tiercel {
namespace {

#if defined(__x86_64__)
bool hasAvx2() {
    return __builtin_cpu_supports("avx2");
}

/** What kernels_avx512.cpp is compiled for. GCC's answers take in whether the system saves the registers. */
bool hasAvx512Vnni() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}
#endif

const KernelSet& kernels(int32_t kernelSet) {
#if defined(__x86_64__)
    if (kernelSet == TIERCEL_AVX512_VNNI) {
        return AVX512_KERNELS;
    }
    if (kernelSet == TIERCEL_AVX2) {
        return AVX2_KERNELS;
    }
#endif
    static_cast<void>(kernelSet);
    return PORTABLE_KERNELS;
}

LstmModel* asModel(void* model) {
    return static_cast<LstmModel*>(model);
}

const LstmModel* asModel(const void* model) {
    return static_cast<const LstmModel*>(model);
}

LstmExecutor* asExecutor(void* executor) {
    return static_cast<LstmExecutor*>(executor);
}

/** Nothing may be thrown through C. */
template <class Maker>
void* orNull(Maker make) {
    try {
        return make();
    } catch (const std::exception&) {
        return nullptr;
    }
}

TransformerModel* asTransformer(void* model) {
    return static_cast<TransformerModel*>(model);
}

const TransformerModel* asTransformer(const void* model) {
    return static_cast<const TransformerModel*>(model);
}

TransformerExecutor* asTransformerExecutor(void* executor) {
    return static_cast<TransformerExecutor*>(executor);
}

using PositionPointer = const TransformerPosition*;

static_assert(TRANSFORMER_SHAPE_VALUES == TIERCEL_TRANSFORMER_SIZES, "sizes cross the interface as they are held");
static_assert(sizeof(TransformerNumbers) == TIERCEL_TRANSFORMER_NUMBERS * sizeof(float), "numbers too");

}  // namespace
}  // namespace tiercel

using namespace tiercel;

int32_t tiercel_kernel_sets(void) {
    int32_t sets = TIERCEL_PORTABLE;
#if defined(__x86_64__)
    sets |= hasAvx2() ? TIERCEL_AVX2 : 0;
    sets |= hasAvx512Vnni() ? TIERCEL_AVX512_VNNI : 0;
#endif
    return sets;
}

const char* tiercel_kernel_set_name(int32_t kernel_set) {
    return kernels(kernel_set).name;
}

void* tiercel_memory_new(int64_t bytes) {
    return orNull([&] { return new Arena(static_cast<size_t>(bytes)); });
}

void tiercel_memory_delete(void* memory) {
    delete static_cast<Arena*>(memory);
}

int64_t tiercel_memory_address(const void* memory) {
    return reinterpret_cast<int64_t>(static_cast<const Arena*>(memory)->start());
}

void* tiercel_lstm_new(
    int32_t kernel_set, int32_t layers, int32_t hidden, int32_t features, int32_t outputs, int32_t is_int4,
    int32_t is_head_int4, int32_t is_softmax, int32_t feature_maximum) {
    return orNull([&] {
        const LstmShape shape{layers,           hidden,          features, outputs, is_int4 != 0, is_head_int4 != 0,
                              is_softmax != 0, feature_maximum};
        return new LstmModel(kernels(kernel_set), shape);
    });
}

void tiercel_lstm_delete(void* model) {
    delete asModel(model);
}

void tiercel_lstm_set_features(
    void* model, const float* means, const float* inverse_deviations, float inverse_scale) {
    asModel(model)->setFeatures(means, inverse_deviations, inverse_scale);
}

void tiercel_lstm_set_layer(
    void* model, int32_t layer, const int8_t* input_codes, const int8_t* input_multipliers, const float* input_scales,
    const int8_t* recurrent_codes, const int8_t* recurrent_multipliers, const float* recurrent_scales,
    const float* biases, float inverse_hidden_scale) {
    asModel(model)->setLayer(
        layer, codesOf(input_codes, input_multipliers, input_scales),
        codesOf(recurrent_codes, recurrent_multipliers, recurrent_scales), biases, inverse_hidden_scale);
}

void tiercel_lstm_set_head(
    void* model, const int8_t* codes, const int8_t* multipliers, const float* scales, const float* biases) {
    asModel(model)->setHead(codesOf(codes, multipliers, scales), biases);
}

int32_t tiercel_lstm_ahead_floats(const void* model) {
    return static_cast<int32_t>(asModel(model)->state().aheadBytes / static_cast<int64_t>(sizeof(float)));
}

int64_t tiercel_lstm_step_bytes(const void* model) {
    return asModel(model)->stepBytes();
}

int64_t tiercel_lstm_ahead_bytes(const void* model) {
    return asModel(model)->aheadBytes();
}

void* tiercel_lstm_executor_new(const void* model, int32_t max_batch, int32_t threads, int32_t is_forced) {
    return orNull([&] {
        const auto teamwork = is_forced != 0 ? LstmExecutor::Teamwork::ALWAYS : LstmExecutor::Teamwork::WHEN_FASTER;
        return new LstmExecutor(*asModel(model), max_batch, threads, teamwork);
    });
}

void tiercel_lstm_executor_delete(void* executor) {
    delete asExecutor(executor);
}

int32_t tiercel_lstm_executor_threads(const void* executor) {
    return static_cast<const LstmExecutor*>(executor)->threads();
}

void tiercel_lstm_step(void* executor, int64_t positions, int32_t count) {
    asExecutor(executor)->step(reinterpret_cast<const BatchPosition*>(positions), count);
}

void tiercel_lstm_ahead(void* executor, int64_t positions, int32_t count) {
    asExecutor(executor)->ahead(reinterpret_cast<const BatchPosition*>(positions), count);
}

void* tiercel_transformer_new(int32_t kernel_set, const int32_t* sizes, const float* numbers) {
    return orNull([&] {
        TransformerShape shape;
        std::memcpy(&shape, sizes, sizeof shape);
        TransformerNumbers values;
        std::memcpy(&values, numbers, sizeof values);
        return new TransformerModel(kernels(kernel_set), shape, values);
    });
}

void tiercel_transformer_delete(void* model) {
    delete asTransformer(model);
}

void tiercel_transformer_set_matrix(
    void* model, int32_t layer, int32_t matrix, int32_t expert, const int8_t* codes, const int8_t* low_codes,
    const int8_t* multipliers, const float* scales) {
    const MatrixPlanes planes{codesOf(codes, multipliers, scales), reinterpret_cast<const uint8_t*>(low_codes)};
    asTransformer(model)->setMatrix(layer, static_cast<MatrixId>(matrix), expert, planes);
}

void tiercel_transformer_set_vector(void* model, int32_t layer, int32_t vector, const float* values) {
    asTransformer(model)->setVector(layer, static_cast<VectorId>(vector), values);
}

void tiercel_transformer_set_rotary_steps(void* model, const int64_t* steps) {
    asTransformer(model)->setRotarySteps(reinterpret_cast<const uint64_t*>(steps));
}

void tiercel_transformer_set_codec(
    void* model, int32_t layer, int32_t is_values, const float* means, const float* scales, const float* steps,
    const int32_t* reciprocals, const int8_t* codebook) {
    asTransformer(model)->setCodec(layer, is_values != 0, means, scales, steps, reciprocals, codebook);
}

int64_t tiercel_transformer_step_bytes(const void* model) {
    return asTransformer(model)->stepBytes();
}

int64_t tiercel_transformer_state_bytes(const void* model) {
    return asTransformer(model)->view().state.bytes;
}

void* tiercel_transformer_executor_new(const void* model, int32_t max_batch) {
    return orNull([&] { return new TransformerExecutor(*asTransformer(model), max_batch); });
}

void tiercel_transformer_executor_delete(void* executor) {
    delete asTransformerExecutor(executor);
}

void tiercel_transformer_step(void* executor, int64_t positions, int32_t count) {
    asTransformerExecutor(executor)->step(reinterpret_cast<PositionPointer>(positions), count);
}

void tiercel_transformer_ahead(void* executor, int64_t positions, int32_t count) {
    asTransformerExecutor(executor)->ahead(reinterpret_cast<PositionPointer>(positions), count);
}

int64_t tiercel_transformer_steps(
    void* executor, int64_t state, int64_t inputs, int32_t count, int64_t outputs, int32_t outputs_stride,
    int64_t previous_hash) {
    return static_cast<int64_t>(asTransformerExecutor(executor)->steps(
        reinterpret_cast<uint8_t*>(state), reinterpret_cast<const uint8_t*>(inputs), count,
        reinterpret_cast<uint8_t*>(outputs), outputs_stride, static_cast<uint64_t>(previous_hash)));
}

void tiercel_transformer_step_tentatively(
    void* executor, int64_t state, int64_t tokens, int32_t count, int64_t outputs, int32_t outputs_stride) {
    asTransformerExecutor(executor)->stepTentatively(
        reinterpret_cast<uint8_t*>(state), reinterpret_cast<const int32_t*>(tokens), count,
        reinterpret_cast<uint8_t*>(outputs), outputs_stride);
}

int64_t tiercel_transformer_keep(void* executor, int64_t state, int32_t count, int64_t previous_hash) {
    return static_cast<int64_t>(asTransformerExecutor(executor)->keep(
        reinterpret_cast<uint8_t*>(state), count, static_cast<uint64_t>(previous_hash)));
}

int64_t tiercel_transformer_logits(const void* executor, int32_t position) {
    return reinterpret_cast<int64_t>(static_cast<const TransformerExecutor*>(executor)->logits(position));
}

double tiercel_cycles_per_ns(void) {
    double most = 0;
#if defined(__x86_64__)
    constexpr int64_t ADDITIONS = 2'000'000;
    for (int attempt = 0; attempt < 5; attempt++) {
        int64_t sum = 0;
        const auto begun = std::chrono::steady_clock::now();
        for (int64_t i = 0; i < ADDITIONS; i++) {
            // One after the other, a cycle each, which no compiler may make shorter.
            asm volatile("add $1, %0" : "+r"(sum));
        }
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
        most = std::max(most, static_cast<double>(ADDITIONS) / took.count());
    }
#endif
    return most;
}

double tiercel_stream_ns(int32_t kernel_set, int64_t timed_bytes, int64_t between_bytes, int32_t repetitions) {
    double median = -1;
    orNull([&]() -> void* {
        const KernelSet& set = kernels(kernel_set);
        const size_t timed = toCacheLines(timed_bytes);
        const size_t between = toCacheLines(between_bytes);
        Arena arena(timed + between);
        uint8_t* bytes = arena.take<uint8_t>(timed + between);
        // Pages that nobody has written are all the same page.
        std::fill_n(bytes, timed + between, uint8_t{1});
        std::vector<double> tookNs;
        int32_t sum = 0;
        for (int32_t i = 0; i < repetitions; i++) {
            sum += set.stream(bytes + timed, between);
            const auto begun = std::chrono::steady_clock::now();
            sum += set.stream(bytes, timed);
            const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
            tookNs.push_back(took.count());
        }
        // So that no compiler finds that nobody wants it.
        asm volatile("" : : "r"(sum));
        std::nth_element(tookNs.begin(), tookNs.begin() + repetitions / 2, tookNs.end());
        median = tookNs[repetitions / 2];
        return nullptr;
    });
    return median;
}
