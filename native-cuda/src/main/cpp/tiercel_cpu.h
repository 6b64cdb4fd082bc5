/*
 * The C interface of the CPU kernels: handles, pointers, sizes. The caller has checked everything: shapes, ranges, that
 * no row's sum leaves 32 bits. Addresses are of memory that the caller owns; nothing is kept but what a handle holds.
 *
 * A model is immutable once its features, layers and head are set, and may be shared by threads. An executor is for one
 * thread at a time. A handle is deleted once, executors before their model.
 */
#ifndef TIERCEL_CPU_H
#define TIERCEL_CPU_H

#include <stdint.h>

#if defined(__GNUC__)
#define TIERCEL_EXPORT __attribute__((visibility("default")))
#else
#define TIERCEL_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Kernel sets, as bits. The best one that a machine can run is its highest. */
enum tiercel_kernel_set {
    TIERCEL_PORTABLE = 1,
    TIERCEL_AVX2 = 2,
    TIERCEL_AVX512_VNNI = 4
};

/** The kernel sets that this processor and its system can run, by CPUID. */
TIERCEL_EXPORT int32_t tiercel_kernel_sets(void);

/** Name of one kernel set, for people. */
TIERCEL_EXPORT const char* tiercel_kernel_set_name(int32_t kernel_set);

/**
 * A model of the lstm family, without weights yet; NULL when there is no memory.
 * Flags are 0 or 1; feature_maximum is 127 or 32767.
 */
TIERCEL_EXPORT void* tiercel_lstm_new(
    int32_t kernel_set, int32_t layers, int32_t hidden, int32_t features, int32_t outputs, int32_t is_int4,
    int32_t is_head_int4, int32_t is_softmax, int32_t feature_maximum);
TIERCEL_EXPORT void tiercel_lstm_delete(void* model);

/** means[features], inverse_deviations[features]. */
TIERCEL_EXPORT void tiercel_lstm_set_features(
    void* model, const float* means, const float* inverse_deviations, float inverse_scale);

/**
 * Matrices as bundles hold them (appliance/ENGINE.md): int8 codes[rows][columns] and multipliers NULL, or nibbles
 * codes[rows][16 groups] and multipliers[rows][groups]. Rows are 4 x hidden, gates i f g o. scales[rows] are row scale
 * times vector scale; biases[rows].
 */
TIERCEL_EXPORT void tiercel_lstm_set_layer(
    void* model, int32_t layer, const int8_t* input_codes, const int8_t* input_multipliers, const float* input_scales,
    const int8_t* recurrent_codes, const int8_t* recurrent_multipliers, const float* recurrent_scales,
    const float* biases, float inverse_hidden_scale);

/** Rows are outputs. */
TIERCEL_EXPORT void tiercel_lstm_set_head(
    void* model, const int8_t* codes, const int8_t* multipliers, const float* scales, const float* biases);

/** Floats of one layer's derived state: the recurrent partial sums ahead of a step. */
TIERCEL_EXPORT int32_t tiercel_lstm_ahead_floats(const void* model);

/** Bytes of weights that a step reads; that the work ahead of it reads. */
TIERCEL_EXPORT int64_t tiercel_lstm_step_bytes(const void* model);
TIERCEL_EXPORT int64_t tiercel_lstm_ahead_bytes(const void* model);

/**
 * An executor for batches of up to max_batch, on up to threads threads, its caller's included; NULL when there is no
 * memory or no thread. With is_forced 0 it tries out how many threads are fastest, and uses those.
 */
TIERCEL_EXPORT void* tiercel_lstm_executor_new(
    const void* model, int32_t max_batch, int32_t threads, int32_t is_forced);
TIERCEL_EXPORT void tiercel_lstm_executor_delete(void* executor);

/** The threads that a step runs on. */
TIERCEL_EXPORT int32_t tiercel_lstm_executor_threads(const void* executor);

/**
 * One step, or the work ahead of the next one, of each position: three addresses a position, of its features, its state
 * (64-byte aligned) and its outputs. No state stands twice in a batch.
 */
TIERCEL_EXPORT void tiercel_lstm_step(void* executor, int64_t positions, int32_t count);
TIERCEL_EXPORT void tiercel_lstm_ahead(void* executor, int64_t positions, int32_t count);

/**
 * The median time in ns to read timed_bytes, between_bytes being read between two times, as a step and the work ahead
 * of it are; nothing is computed but one product for each load. Below 0 when there is no memory.
 */
TIERCEL_EXPORT double tiercel_stream_ns(
    int32_t kernel_set, int64_t timed_bytes, int64_t between_bytes, int32_t repetitions);

/** Cycles of the core a ns, as a chain of additions takes them; the most of a few tries. 0 where it cannot be told. */
TIERCEL_EXPORT double tiercel_cycles_per_ns(void);

#ifdef __cplusplus
}
#endif

#endif
