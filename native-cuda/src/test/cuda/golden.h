/*
 * A model with what the Java reference makes of it, as CudaGolden.java writes it: little-endian, each array with its
 * count before it.
 */
#ifndef TIERCEL_GOLDEN_H
#define TIERCEL_GOLDEN_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "lstm_packing.h"

namespace golden {

struct Matrix {
    std::vector<uint8_t> codes;
    std::vector<uint8_t> multipliers;
    std::vector<float> scales;

    tiercel::MatrixCodes view() const { return {codes.data(), multipliers.data(), scales.data()}; }
};

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
    uint64_t hash;
    std::vector<uint8_t> canonical;
};

/** Throws nothing: a file that ends too early ends the program. */
class Golden {
public:
    explicit Golden(const std::string& path) : name(path) {
        std::ifstream stream(path, std::ios::binary);
        file.assign(std::istreambuf_iterator<char>(stream), {});
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
                step.hash = scalar<uint64_t>();
                step.canonical = array<uint8_t>();
            }
        }
        for (int i = 0; i < sessions; i++) {
            states.push_back(array<uint8_t>());
        }
        file.clear();
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
    template <class T>
    T scalar() {
        T value;
        read(&value, sizeof value);
        return value;
    }

    int32_t integer() { return scalar<int32_t>(); }

    template <class T>
    std::vector<T> array() {
        std::vector<T> values(integer());
        read(values.data(), values.size() * sizeof(T));
        return values;
    }

    Matrix matrix() {
        Matrix matrix;
        matrix.codes = array<uint8_t>();
        matrix.multipliers = array<uint8_t>();
        matrix.scales = array<float>();
        return matrix;
    }

    void read(void* to, size_t bytes) {
        if (bytes > file.size() - position) {
            std::fprintf(stderr, "%s ends at %zu\n", name.c_str(), file.size());
            std::exit(2);
        }
        if (bytes > 0) {
            std::memcpy(to, file.data() + position, bytes);
        }
        position += bytes;
    }

    std::string file;
    size_t position = 0;
    std::vector<float> means;
    std::vector<float> inverseDeviations;
    float inverseFeatureScale;
    std::vector<Layer> layers;
    Matrix head;
    std::vector<float> headBiases;
};

}  // namespace golden

#endif
