/*
 * A model of the transformer family on one kernel set, and what a thread computes it with. Weights are packed for the
 * instruction set when they are given, and immutable afterwards: any number of executors share a model.
 */
#ifndef TIERCEL_TRANSFORMER_H
#define TIERCEL_TRANSFORMER_H

#include <cstdint>
#include <vector>

#include "memory.h"
#include "transformer_view.h"

namespace tiercel {

class TransformerModel {
public:
    /** Throws std::bad_alloc. Everything is zero until it is set. */
    TransformerModel(const KernelSet& kernels, const TransformerShape& shape, const TransformerNumbers& numbers);

    void setMatrix(int layer, MatrixId id, int expert, const MatrixPlanes& planes);
    void setVector(int layer, VectorId id, const float* values);
    void setRotarySteps(const uint64_t* steps);
    /** steps and reciprocals, and codebook, are null where the codec has none. */
    void setCodec(
        int layer, bool isValues, const float* means, const float* scales, const float* steps,
        const int32_t* reciprocals, const int8_t* codebook);

    const KernelSet& kernels() const { return kernelSet; }
    const TransformerView& view() const { return model; }
    /** Bytes of packed weights that a step of one dense session reads. */
    int64_t stepBytes() const;

private:
    PackedRows takeRows(int rows, int columns, int bits);
    void pack(const PackedRows& rows, const MatrixPlanes& planes);
    /** rowAt(index) is the row that is packed there, or -1 for none. */
    template <class RowAt>
    void pack(const PackedRows& rows, const MatrixPlanes& planes, RowAt rowAt);
    const float* copy(const float* values, int count);
    int vectorCount(VectorId id) const;
    int64_t bytesOf(const PackedRows& rows) const;
    static int64_t arenaBytes(const KernelSet& kernels, const TransformerShape& shape);

    const KernelSet& kernelSet;
    Arena arena;
    std::vector<TransformerLayerView> layers;
    TransformerView model{};
};

class TransformerExecutor {
public:
    /** Throws std::bad_alloc. */
    TransformerExecutor(const TransformerModel& model, int maxBatch);

    /** count in 0..maxBatch; no state stands twice in a batch. */
    void step(const TransformerPosition* positions, int count);
    void ahead(const TransformerPosition* positions, int count);

    /**
     * All steps of one session, several at a time, and what follows each; outputs of each stride bytes apart, or with
     * 0 of the last alone. Returns the session's hash.
     */
    uint64_t steps(
        uint8_t* state, const uint8_t* inputs, int count, uint8_t* outputs, int64_t stride, uint64_t previousHash);

    /** A row of tokens of one session, to be taken back from its end by keep; TokenExecutor.java says it. */
    void stepTentatively(uint8_t* state, const int32_t* tokens, int count, uint8_t* outputs, int64_t stride);
    uint64_t keep(uint8_t* state, int count, uint64_t previousHash);

    const float* logits(int position) const { return items[position].logits; }

private:
    /** Tokens of one session that are computed together. */
    static constexpr int PROMPT_TOKENS = 16;

    void prepare(TransformerItem& item, const void* input, uint8_t* state, float* outputs);
    void ownPageOf(const TransformerItem& item) const;
    /** Codes the token that the next one will displace from the window, if there is one. */
    void codeAhead(uint8_t* state) const;
    void settle(const TransformerItem& item) const;
    static size_t arenaBytes(const TransformerModel& model, int itemCount);
    static size_t queriesBytes(const TransformerShape& shape);
    QueryCodes* takeQueries(const TransformerShape& shape);
    static size_t undoBytes(const TransformerShape& shape);

    const TransformerModel& model;
    const int maxBatch;
    std::vector<TransformerItem> items;
    Arena arena;
    TransformerScratch scratch{};
    /** The state of the last call's last item. */
    const uint8_t* lastState = nullptr;
    /** Of each item of a tentative row, what it overwrites; how many stand, and the header before the first one. */
    uint8_t* undo;
    int tentative = 0;
    TransformerHeader before{};
};

}  // namespace tiercel

#endif
