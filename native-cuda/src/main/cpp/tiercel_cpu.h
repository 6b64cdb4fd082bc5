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

/** Zeroed memory, 64-byte aligned, in huge pages where the system gives them; NULL when there is none. */
TIERCEL_EXPORT void* tiercel_memory_new(int64_t bytes);
TIERCEL_EXPORT void tiercel_memory_delete(void* memory);
TIERCEL_EXPORT int64_t tiercel_memory_address(const void* memory);

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

/** Sizes of a transformer, in the order in which tiercel_transformer_new takes them; ENGINE.md says what each is. */
enum tiercel_transformer_size {
    TIERCEL_LAYERS, TIERCEL_DIMENSION, TIERCEL_HEADS, TIERCEL_KEY_VALUE_HEADS, TIERCEL_HEAD_SIZE, TIERCEL_HIDDEN,
    /** 0 if a step's input is a feature vector. */
    TIERCEL_VOCABULARY,
    TIERCEL_FEATURES,
    /** Rows of the head. */
    TIERCEL_LOGITS,
    /** Likeliest tokens of an answer. */
    TIERCEL_TOP,
    TIERCEL_CONTEXT, TIERCEL_WINDOW, TIERCEL_SINKS, TIERCEL_EXPERTS, TIERCEL_ACTIVE_EXPERTS, TIERCEL_IS_HEAD_TIED,
    /** 4, 8 or 16. */
    TIERCEL_WEIGHT_BITS, TIERCEL_HEAD_BITS,
    /** 127 or 32767. */
    TIERCEL_ACTIVATION_MAXIMUM, TIERCEL_FEATURE_MAXIMUM,
    /** Bits a channel, and channels that share a code. */
    TIERCEL_KEY_BITS, TIERCEL_KEY_CHANNELS, TIERCEL_VALUE_BITS, TIERCEL_VALUE_CHANNELS,
    TIERCEL_IS_ROTATED,
    /** 0 likeliest tokens, 1 probabilities, 2 logits. */
    TIERCEL_OUTPUTS,
    /** Planes of bytes that the window's integers are in: 1, or 2 for 16 bits. */
    TIERCEL_RECENT_PLANES,
    TIERCEL_TRANSFORMER_SIZES
};

/** Numbers of a transformer: norm epsilon, softmax scale, rotation scale, feature scale and its inverse. */
#define TIERCEL_TRANSFORMER_NUMBERS 5

/** Matrices and vectors of a transformer, of a layer or of none (layer 0, expert 0). */
enum tiercel_transformer_matrix {
    TIERCEL_EMBEDDING, TIERCEL_HEAD, TIERCEL_ATTENTION_INPUT, TIERCEL_ATTENTION_OUTPUT, TIERCEL_ROUTER,
    TIERCEL_EXPERT_INPUT, TIERCEL_EXPERT_OUTPUT
};
enum tiercel_transformer_vector {
    TIERCEL_FINAL_NORM, TIERCEL_HEAD_BIASES, TIERCEL_ROTARY_CIRCLE, TIERCEL_FEATURE_MEANS,
    TIERCEL_FEATURE_DEVIATIONS, TIERCEL_EMBEDDING_BIASES, TIERCEL_ATTENTION_NORM, TIERCEL_FEED_NORM
};

/** A model of the transformer family, without weights yet; NULL when there is no memory. Everything is set once. */
TIERCEL_EXPORT void* tiercel_transformer_new(int32_t kernel_set, const int32_t* sizes, const float* numbers);
TIERCEL_EXPORT void tiercel_transformer_delete(void* model);

/** As tiercel_lstm_set_layer's; low_codes[rows][columns] of int16 weights, whose high plane codes are; row scales. */
TIERCEL_EXPORT void tiercel_transformer_set_matrix(
    void* model, int32_t layer, int32_t matrix, int32_t expert, const int8_t* codes, const int8_t* low_codes,
    const int8_t* multipliers, const float* scales);
TIERCEL_EXPORT void tiercel_transformer_set_vector(void* model, int32_t layer, int32_t vector, const float* values);
TIERCEL_EXPORT void tiercel_transformer_set_rotary_steps(void* model, const int64_t* steps);
TIERCEL_EXPORT void tiercel_transformer_set_codec(
    void* model, int32_t layer, int32_t is_values, const float* means, const float* scales, const float* steps,
    const int32_t* reciprocals, const int8_t* codebook);

/** Bytes of weights that a step reads; bytes of a session's state. */
TIERCEL_EXPORT int64_t tiercel_transformer_step_bytes(const void* model);
TIERCEL_EXPORT int64_t tiercel_transformer_state_bytes(const void* model);

/** An executor for batches of up to max_batch, on its caller's thread; NULL when there is no memory. */
TIERCEL_EXPORT void* tiercel_transformer_executor_new(const void* model, int32_t max_batch);
TIERCEL_EXPORT void tiercel_transformer_executor_delete(void* executor);

/** As tiercel_lstm_step and tiercel_lstm_ahead. */
TIERCEL_EXPORT void tiercel_transformer_step(void* executor, int64_t positions, int32_t count);
TIERCEL_EXPORT void tiercel_transformer_ahead(void* executor, int64_t positions, int32_t count);

/** All steps of one session, settled; the hash after them. outputs_stride is in bytes, 0 for the last step's alone. */
TIERCEL_EXPORT int64_t tiercel_transformer_steps(
    void* executor, int64_t state, int64_t inputs, int32_t count, int64_t outputs, int32_t outputs_stride,
    int64_t previous_hash);

/**
 * Steps of one session by a row of int32 tokens (1..16), of which tiercel_transformer_keep, before anything else of the
 * executor, takes back all but the first count: the state is then as after the last one's step, the work ahead of the
 * next still to come. It may be called again with fewer. Returns the session's hash, which was previous_hash.
 */
TIERCEL_EXPORT void tiercel_transformer_step_tentatively(
    void* executor, int64_t state, int64_t tokens, int32_t count, int64_t outputs, int32_t outputs_stride);
TIERCEL_EXPORT int64_t tiercel_transformer_keep(
    void* executor, int64_t state, int32_t count, int64_t previous_hash);

/** Where the logits of a position of the last step, or of a tentative row, are; of the last one of steps at 0. */
TIERCEL_EXPORT int64_t tiercel_transformer_logits(const void* executor, int32_t position);

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
