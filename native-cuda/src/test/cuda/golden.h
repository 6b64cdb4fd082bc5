/* A model of the lstm family with what the Java reference makes of it, as LstmGolden.java writes it. */
#ifndef TIERCEL_GOLDEN_H
#define TIERCEL_GOLDEN_H

#include <cstdint>
#include <string>
#include <vector>

#include "golden_file.h"
#include "lstm_packing.h"

namespace golden {

struct Layer {
    Matrix input;
    Matrix recurrent;
    std::vector<float> biases;
    float inverseHiddenScale;
};

/** A step of one session, and what is there after it. */
struct Step {
    int32_t session;
    std::vector<float> features;
    std::vector<float> outputs;
    std::vector<uint8_t> canonical;
};

class Golden : private GoldenFile {
public:
    explicit Golden(const std::string& path) : GoldenFile(path, Family::LSTM), name(path) {
        shape.layers = integer();
        shape.hidden = integer();
        shape.features = integer();
        shape.outputs = integer();
        shape.isInt4 = integer() != 0;
        shape.isHeadInt4 = integer() != 0;
        shape.isSoftmax = integer() != 0;
        shape.featureMaximum = integer();
        means = array<float>();
        inverseDeviations = array<float>();
        inverseFeatureScale = scalar<float>();
        for (int i = 0; i < shape.layers; i++) {
            Layer layer;
            layer.input = matrix();
            layer.recurrent = matrix();
            layer.biases = array<float>();
            layer.inverseHiddenScale = scalar<float>();
            layers.push_back(layer);
        }
        head = matrix();
        headBiases = array<float>();
        sessions = integer();
        batches.resize(integer());
        for (std::vector<Step>& batch : batches) {
            batch.resize(integer());
            for (Step& step : batch) {
                step.session = integer();
                step.features = array<float>();
                step.outputs = array<float>();
                step.canonical = array<uint8_t>();
            }
        }
        for (int i = 0; i < sessions; i++) {
            states.push_back(array<uint8_t>());
        }
        close();
    }

    tiercel::LstmPacking packing(const tiercel::LstmGeometry& geometry) const {
        tiercel::LstmPacking packing(shape, geometry);
        packing.setFeatures(means.data(), inverseDeviations.data(), inverseFeatureScale);
        for (int i = 0; i < shape.layers; i++) {
            packing.setLayer(
                i, layers[i].input.view(), layers[i].recurrent.view(), layers[i].biases.data(),
                layers[i].inverseHiddenScale);
        }
        packing.setHead(head.view(), headBiases.data());
        return packing;
    }

    const std::string name;
    tiercel::LstmShape shape{};
    int32_t sessions;
    std::vector<std::vector<Step>> batches;
    /** Whole states of the sessions after the last batch, as the cpu backend has them. */
    std::vector<std::vector<uint8_t>> states;

private:
    std::vector<float> means;
    std::vector<float> inverseDeviations;
    float inverseFeatureScale;
    std::vector<Layer> layers;
    Matrix head;
    std::vector<float> headBiases;
};

}  // namespace golden

#endif
