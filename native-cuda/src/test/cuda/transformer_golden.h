/* A model of the transformer family with what the Java reference makes of it, as TransformerGolden.java writes it. */
#ifndef TIERCEL_TRANSFORMER_GOLDEN_H
#define TIERCEL_TRANSFORMER_GOLDEN_H

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "golden_file.h"
#include "transformer_packing.h"

namespace golden {

struct Codec {
    std::vector<float> means;
    std::vector<float> scales;
    std::vector<float> steps;
    std::vector<int32_t> reciprocals;
    std::vector<int8_t> codebook;
};

struct TransformerLayer {
    std::vector<float> attentionNorm;
    Matrix attentionInput;
    Matrix attentionOutput;
    Codec keys;
    Codec values;
    std::vector<float> feedNorm;
    Matrix router;
    std::vector<Matrix> expertInputs;
    std::vector<Matrix> expertOutputs;
};

/** One or more steps of a session in a row, and what is there after them. */
struct Steps {
    int32_t session;
    int32_t count;
    std::vector<uint32_t> inputs;
    /** Of each step, or of the last one alone. */
    std::vector<float> outputs;
    std::vector<float> logits;
    uint64_t hash;
    std::vector<uint8_t> canonical;
};

/** A batch, of which each session takes one step, or a row of steps of one session. */
struct Act {
    bool isRow;
    std::vector<Steps> sessions;
};

class Transformer : private GoldenFile {
public:
    explicit Transformer(const std::string& path) : GoldenFile(path, Family::TRANSFORMER), name(path) {
        take(shape);
        take(numbers);
        embedding = matrix();
        head = matrix();
        finalNorm = array<float>();
        headBiases = array<float>();
        rotaryCircle = array<float>();
        rotarySteps = array<uint64_t>();
        featureMeans = array<float>();
        inverseFeatureDeviations = array<float>();
        embeddingBiases = array<float>();
        layers.resize(shape.layers);
        for (TransformerLayer& layer : layers) {
            takeLayer(layer);
        }
        sessions = integer();
        acts.resize(integer());
        for (Act& act : acts) {
            act.isRow = integer() != 0;
            act.sessions.resize(act.isRow ? 1 : integer());
            for (Steps& steps : act.sessions) {
                takeSteps(steps);
            }
        }
        close();
    }

    tiercel::TransformerPacking packing(int threads) const {
        using tiercel::MatrixId;
        using tiercel::VectorId;
        tiercel::TransformerPacking packing(shape, numbers, threads);
        packing.setMatrix(0, MatrixId::EMBEDDING, 0, planesOf(embedding));
        packing.setMatrix(0, MatrixId::HEAD, 0, planesOf(head));
        packing.setVector(0, VectorId::FINAL_NORM, finalNorm.data());
        packing.setVector(0, VectorId::ROTARY_CIRCLE, rotaryCircle.data());
        packing.setRotarySteps(rotarySteps.data());
        if (!headBiases.empty()) {
            packing.setVector(0, VectorId::HEAD_BIASES, headBiases.data());
        }
        if (shape.vocabulary == 0) {
            packing.setVector(0, VectorId::FEATURE_MEANS, featureMeans.data());
            packing.setVector(0, VectorId::FEATURE_DEVIATIONS, inverseFeatureDeviations.data());
            packing.setVector(0, VectorId::EMBEDDING_BIASES, embeddingBiases.data());
        }
        for (int i = 0; i < shape.layers; i++) {
            packLayer(packing, i, layers[i]);
        }
        return packing;
    }

    /** Of a step, in units of 4 bytes. */
    int inputCount() const { return shape.vocabulary > 0 ? 1 : shape.features; }
    int outputCount() const {
        return shape.outputs == tiercel::Outputs::LIKELIEST_TOKENS ? 2 * shape.top : shape.logits;
    }

    const std::string name;
    tiercel::TransformerShape shape;
    tiercel::TransformerNumbers numbers;
    int32_t sessions;
    std::vector<Act> acts;

private:
    /** A structure of numbers of 4 bytes. */
    template <class T>
    void take(T& numbers) {
        const std::vector<uint32_t> words = array<uint32_t>();
        if (words.size() * sizeof(uint32_t) != sizeof numbers) {
            std::fprintf(stderr, "%s has %zu numbers, not %zu\n", name.c_str(), words.size(), sizeof numbers / 4);
            std::exit(2);
        }
        std::memcpy(&numbers, words.data(), sizeof numbers);
    }

    void takeLayer(TransformerLayer& layer) {
        layer.attentionNorm = array<float>();
        layer.attentionInput = matrix();
        layer.attentionOutput = matrix();
        layer.keys = codec();
        layer.values = codec();
        layer.feedNorm = array<float>();
        if (shape.experts > 0) {
            layer.router = matrix();
        }
        for (int expert = 0; expert < shape.feedForwards(); expert++) {
            layer.expertInputs.push_back(matrix());
            layer.expertOutputs.push_back(matrix());
        }
    }

    Codec codec() {
        Codec codec;
        codec.means = array<float>();
        codec.scales = array<float>();
        codec.steps = array<float>();
        codec.reciprocals = array<int32_t>();
        codec.codebook = array<int8_t>();
        return codec;
    }

    void takeSteps(Steps& steps) {
        steps.session = integer();
        steps.count = integer();
        steps.inputs = array<uint32_t>();
        steps.outputs = array<float>();
        steps.logits = array<float>();
        steps.hash = scalar<uint64_t>();
        steps.canonical = array<uint8_t>();
    }

    void packLayer(tiercel::TransformerPacking& packing, int index, const TransformerLayer& layer) const {
        using tiercel::MatrixId;
        using tiercel::VectorId;
        packing.setVector(index, VectorId::ATTENTION_NORM, layer.attentionNorm.data());
        packing.setMatrix(index, MatrixId::ATTENTION_INPUT, 0, planesOf(layer.attentionInput));
        packing.setMatrix(index, MatrixId::ATTENTION_OUTPUT, 0, planesOf(layer.attentionOutput));
        setCodec(packing, index, false, layer.keys);
        setCodec(packing, index, true, layer.values);
        packing.setVector(index, VectorId::FEED_NORM, layer.feedNorm.data());
        if (shape.experts > 0) {
            packing.setMatrix(index, MatrixId::ROUTER, 0, planesOf(layer.router));
        }
        for (int expert = 0; expert < shape.feedForwards(); expert++) {
            packing.setMatrix(index, MatrixId::EXPERT_INPUT, expert, planesOf(layer.expertInputs[expert]));
            packing.setMatrix(index, MatrixId::EXPERT_OUTPUT, expert, planesOf(layer.expertOutputs[expert]));
        }
    }

    static void setCodec(tiercel::TransformerPacking& packing, int layer, bool isValues, const Codec& codec) {
        packing.setCodec(layer, isValues, codec.means.data(), codec.scales.data(), codec.steps.data(),
                         codec.reciprocals.data(), codec.codebook.data());
    }

    static tiercel::MatrixPlanes planesOf(const Matrix& matrix) { return {matrix.view(), matrix.lowCodes.data()}; }

    Matrix embedding;
    Matrix head;
    std::vector<float> finalNorm;
    std::vector<float> headBiases;
    std::vector<float> rotaryCircle;
    std::vector<uint64_t> rotarySteps;
    std::vector<float> featureMeans;
    std::vector<float> inverseFeatureDeviations;
    std::vector<float> embeddingBiases;
    std::vector<TransformerLayer> layers;
};

}  // namespace golden

#endif
