/*
 * The C interface of the CUDA host side: the driver's functions under names of ours, and a model of either family as
 * its kernels want it. The caller has checked everything about a model; results of the driver's functions are its
 * codes, for the caller to check. CudaDriver.java is the same in Java, by JavaCPP.
 */
#ifndef TIERCEL_CUDA_H
#define TIERCEL_CUDA_H

#include "driver.h"

#if defined(__GNUC__)
#define TIERCEL_EXPORT __attribute__((visibility("default")))
#else
#define TIERCEL_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Loads libcuda.so.1, once for the process, and looks all functions up. NULL if all is there, else one line that says
 * what is not; nothing else may be called then. The text lives until the next call. One thread at a time.
 */
TIERCEL_EXPORT const char* tiercel_cuda_open(void);

/** tiercel_cuInit and so on. */
#define TIERCEL_DECLARE(name, symbol, parameters, arguments) TIERCEL_EXPORT int32_t tiercel_##name parameters;
TIERCEL_DRIVER_CALLS(TIERCEL_DECLARE)
#undef TIERCEL_DECLARE

/** An error's name, and the driver's words for it; NULL where it has none. */
TIERCEL_EXPORT const char* tiercel_cuda_error_name(int32_t code);
TIERCEL_EXPORT const char* tiercel_cuda_error_text(int32_t code);

/** Sizes of a model on a GPU, as tiercel_cuda_lstm_sizes gives them. */
enum tiercel_cuda_lstm_size {
    /** Whether a kernel stays, or kernels are launched for each batch; slices, of which a block each; 0 for neither. */
    TIERCEL_IS_PERSISTENT, TIERCEL_BLOCKS, TIERCEL_THREADS, TIERCEL_SHARED_BYTES,
    /** Ways by a cluster that there are on this GPU, were this model made again. */
    TIERCEL_CLUSTER_WAYS,
    /** Of a session's state on the GPU. */
    TIERCEL_CUDA_STATE_BYTES,
    /** Words of a request and of a response, and of them before a state; of a layer of a state; lstm_link.h. */
    TIERCEL_REQUEST_WORDS, TIERCEL_REQUEST_STATE, TIERCEL_RESPONSE_WORDS, TIERCEL_RESPONSE_STATE,
    TIERCEL_LAYER_WORDS,
    /** What blocks leave for each other. */
    TIERCEL_EXCHANGE_WORDS,
    TIERCEL_CUDA_LSTM_SIZES
};

/** Ways of a model: kernels are launched; one stays if it fits; from then on one stays whose blocks are a cluster. */
enum tiercel_cuda_lstm_way { TIERCEL_WAY_LAUNCHED, TIERCEL_WAY_PERSISTENT, TIERCEL_FIRST_CLUSTER_WAY };

/**
 * A model of the lstm family, without weights yet, shared out for a GPU whose blocks can have so much shared memory and
 * which has so many multiprocessors; NULL when there is no memory. Where no kernel can stay, kernels are launched. Flags are 0 or 1; feature_maximum is 127 or 32767.
 */
TIERCEL_EXPORT void* tiercel_cuda_lstm_new(
    int32_t layers, int32_t hidden, int32_t features, int32_t outputs, int32_t is_int4, int32_t is_head_int4,
    int32_t is_softmax, int32_t feature_maximum, int32_t shared_bytes, int32_t multiprocessors, int32_t way);
TIERCEL_EXPORT void tiercel_cuda_lstm_delete(void* model);
TIERCEL_EXPORT void tiercel_cuda_lstm_sizes(const void* model, int32_t* sizes);

/** As tiercel_lstm_set_features, tiercel_lstm_set_layer and tiercel_lstm_set_head of tiercel_cpu.h. */
TIERCEL_EXPORT void tiercel_cuda_lstm_set_features(
    void* model, const float* means, const float* inverse_deviations, float inverse_scale);
TIERCEL_EXPORT void tiercel_cuda_lstm_set_layer(
    void* model, int32_t layer, const int8_t* input_codes, const int8_t* input_multipliers, const float* input_scales,
    const int8_t* recurrent_codes, const int8_t* recurrent_multipliers, const float* recurrent_scales,
    const float* biases, float inverse_hidden_scale);
TIERCEL_EXPORT void tiercel_cuda_lstm_set_head(
    void* model, const int8_t* codes, const int8_t* multipliers, const float* scales, const float* biases);

/** What is to be copied to the GPU: where it is, and its length. */
TIERCEL_EXPORT int64_t tiercel_cuda_lstm_data(const void* model);
TIERCEL_EXPORT int64_t tiercel_cuda_lstm_bytes(const void* model);

/**
 * Begins the persistent kernel on a stream. weights is where the data has been copied to; the others are device
 * addresses of what LstmLink has. Returns the code of cuLaunchCooperativeKernel, or of a cluster's cuLaunchKernelEx.
 */
TIERCEL_EXPORT int32_t tiercel_cuda_lstm_launch(
    const void* model, int64_t function, int64_t stream, int64_t weights, int64_t requests, int64_t responses,
    int32_t places, int32_t first_sequence, int64_t exchange, int64_t sessions);

/** How many clusters of that kernel an empty GPU has room for; the code of cuOccupancyMaxActiveClusters. */
TIERCEL_EXPORT int32_t tiercel_cuda_lstm_active_clusters(const void* model, int64_t function, int32_t* count);

/**
 * Launches a kernel for a batch of so many positions, or sessions, of which each has so many blocks; positions is the
 * device address of the kernel's table.
 * Returns the code of cuLaunchKernel.
 */
TIERCEL_EXPORT int32_t tiercel_cuda_lstm_launch_batch(
    const void* model, int64_t function, int64_t stream, int64_t weights, int64_t positions, int32_t blocks,
    int32_t count);

/** Sizes of a transformer on a GPU, as tiercel_cuda_transformer_sizes gives them; bytes but for the first. */
enum tiercel_cuda_transformer_size {
    /** Of a block. */
    TIERCEL_TRANSFORMER_THREADS,
    /** Of a block's shared memory, for a step; 0 where the GPU has too little for any, then what it would take. */
    TIERCEL_TRANSFORMER_SHARED_BYTES, TIERCEL_TRANSFORMER_LEAST_SHARED_BYTES,
    /** Of a position: vectors in global memory, 0 where they are in shared memory; what outlives a step. */
    TIERCEL_TRANSFORMER_VECTOR_BYTES, TIERCEL_TRANSFORMER_RECORD_BYTES,
    /** From a record's start: where the codes begin. */
    TIERCEL_TRANSFORMER_RECORD_CODES,
    /** Of a session's canonical state, with its table of pages. */
    TIERCEL_CUDA_TRANSFORMER_STATE_BYTES,
    /** Words of a request's place, and of what the blocks of a team say to each other; transformer_link.h. */
    TIERCEL_TRANSFORMER_REQUEST_WORDS, TIERCEL_TRANSFORMER_EXCHANGE_WORDS,
    /** Of a team of more than one block: vectors in global memory. */
    TIERCEL_TRANSFORMER_COMMON_BYTES,
    TIERCEL_CUDA_TRANSFORMER_SIZES
};

/**
 * A model of the transformer family, without weights yet, for steps by so many blocks each, which can have so much
 * shared memory; NULL when there is no memory. Launched kernels are of one block. sizes and numbers are those of tiercel_transformer_new of tiercel_cpu.h.
 */
TIERCEL_EXPORT void* tiercel_cuda_transformer_new(
    const int32_t* sizes, const float* numbers, int32_t shared_bytes, int32_t blocks);
TIERCEL_EXPORT void tiercel_cuda_transformer_delete(void* model);
TIERCEL_EXPORT void tiercel_cuda_transformer_sizes(const void* model, int64_t* sizes);

/** As tiercel_transformer_set_matrix and so on of tiercel_cpu.h. */
TIERCEL_EXPORT void tiercel_cuda_transformer_set_matrix(
    void* model, int32_t layer, int32_t matrix, int32_t expert, const int8_t* codes, const int8_t* low_codes,
    const int8_t* multipliers, const float* scales);
TIERCEL_EXPORT void tiercel_cuda_transformer_set_vector(
    void* model, int32_t layer, int32_t vector, const float* values);
TIERCEL_EXPORT void tiercel_cuda_transformer_set_rotary_steps(void* model, const int64_t* steps);
TIERCEL_EXPORT void tiercel_cuda_transformer_set_codec(
    void* model, int32_t layer, int32_t is_values, const float* means, const float* scales, const float* steps,
    const int32_t* reciprocals, const int8_t* codebook);

/** What is to be copied to the GPU: where it is, and its length. */
TIERCEL_EXPORT int64_t tiercel_cuda_transformer_data(const void* model);
TIERCEL_EXPORT int64_t tiercel_cuda_transformer_bytes(const void* model);

/**
 * Launches one of the kernels for so many positions, or rows, a block each. items are positions, or rows; last is the
 * kernel's last parameter, vectors, if it has one. All are device addresses. Returns cuLaunchKernel's code.
 */
TIERCEL_EXPORT int32_t tiercel_cuda_transformer_launch(
    const void* model, int64_t function, int64_t stream, int64_t weights, int64_t items, int64_t records, int64_t last,
    int32_t count, int32_t threads, int32_t shared_bytes);

/**
 * Begins the kernel that stays on a stream, of so many teams. weights is where the data has been copied to; link has the
 * values of a TransformerLink. Returns the code of cuLaunchCooperativeKernel, or of clusters' cuLaunchKernelEx.
 */
TIERCEL_EXPORT int32_t tiercel_cuda_transformer_stay(
    const void* model, int64_t function, int64_t stream, int64_t weights, const int64_t* link, int32_t teams);

/** How many teams that are clusters an empty GPU has room for; the code of cuOccupancyMaxActiveClusters. */
TIERCEL_EXPORT int32_t tiercel_cuda_transformer_active_clusters(const void* model, int64_t function, int32_t* count);

/**
 * The host's state of a session from a step's record, as transformer_mirror.h says: the step; the work ahead of the
 * next; and the step taken back. undo, where it is not 0, is of a record's length.
 */
TIERCEL_EXPORT void tiercel_cuda_transformer_begin_step(const void* model, int64_t state, int64_t undo);
TIERCEL_EXPORT void tiercel_cuda_transformer_put_step(const void* model, int64_t state, int64_t record, int64_t undo);
TIERCEL_EXPORT void tiercel_cuda_transformer_put_ahead(const void* model, int64_t state, int64_t record, int64_t undo);
TIERCEL_EXPORT void tiercel_cuda_transformer_take_back(const void* model, int64_t state, int64_t undo);

#ifdef __cplusplus
}
#endif

#endif
