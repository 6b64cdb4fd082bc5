/*
 * A model of the lstm family on one kernel set, and what a thread computes it with. Weights are packed for the
 * instruction set when they are given, and immutable afterwards: any number of executors share a model.
 */
#ifndef TIERCEL_LSTM_H
#define TIERCEL_LSTM_H

#include <cstdint>
#include <vector>

#include "kernel_set.h"
#include "lstm_shape.h"
#include "memory.h"
#include "packing.h"
#include "team.h"

namespace tiercel {

class LstmModel {
public:
    /** Throws std::bad_alloc. The matrices are zero until they are set. */
    LstmModel(const KernelSet& kernels, const LstmShape& shape);

    void setFeatures(const float* means, const float* inverseDeviations, float inverseScale);
    void setLayer(
        int layer, const MatrixCodes& input, const MatrixCodes& recurrent, const float* biases,
        float inverseHiddenScale);
    void setHead(const MatrixCodes& head, const float* biases);

    const KernelSet& kernels() const { return kernelSet; }
    const LstmShape& shape() const { return modelShape; }
    const LstmState& state() const { return modelState; }
    int32_t blocks() const { return blockCount; }
    /** Bytes of weights that a step reads, and that the work ahead of it reads. */
    int64_t stepBytes() const;
    int64_t aheadBytes() const;

private:
    friend class LstmExecutor;

    struct Layer {
        PackedMatrix input;
        PackedMatrix recurrent;
        float inverseHiddenScale;
    };

    const KernelSet& kernelSet;
    const LstmShape modelShape;
    const LstmState modelState;
    const int32_t blockCount;
    Arena arena;
    FeatureNormalisation features{};
    std::vector<Layer> layers;
    PackedMatrix head{};
};

class LstmExecutor {
public:
    /** When a team of threads is used. */
    enum class Teamwork { ALWAYS, WHEN_FASTER };

    /** Throws std::bad_alloc, std::system_error. */
    LstmExecutor(const LstmModel& model, int maxBatch, int threads, Teamwork teamwork);

    /** count in 0..maxBatch. */
    void step(const BatchPosition* positions, int count);
    void ahead(const BatchPosition* positions, int count);

    /** Threads that steps run on: fewer than asked for where more are not faster. */
    int threads() const { return threadLimit; }

private:
    struct Work {
        LstmExecutor* executor;
        const BatchPosition* positions;
        int count;
    };

    static void stepJob(void* work, Participant& self);
    static void aheadJob(void* work, Participant& self);
    void gates(const Work& work, int firstLayer, int endLayer, Participant& self);
    void aheadOf(const Work& work, int layer, Participant& self);
    void fetchWeights(const Participant& self) const;
    Activations input(int layer, int position) const;
    void chooseThreads();
    double measureUs(int threads);

    const LstmModel& model;
    const int maxBatch;
    Team team;
    int threadLimit;
    Arena arena;
    std::vector<Activations> features;
    /** Two of each position, which layers read and write by turns. */
    std::vector<Activations> hidden;
    /** For the work ahead: one of each layer and position. */
    std::vector<Activations> recurrent;
    float* outputs;
};

}  // namespace tiercel

#endif
