/*
 * A file of a model with what the Java reference makes of it, as GoldenFile.java writes it: little-endian, each array
 * with its count before it. A file that ends too early, or is of another family, ends the program.
 */
#ifndef TIERCEL_GOLDEN_FILE_H
#define TIERCEL_GOLDEN_FILE_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "packing.h"

namespace golden {

/** As GoldenFile.java has them. */
enum class Family : int32_t { LSTM, TRANSFORMER };

/** Of a file; one that cannot be read is of none. */
inline int32_t familyOf(const std::string& path) {
    int32_t family = -1;
    std::ifstream stream(path, std::ios::binary);
    stream.read(reinterpret_cast<char*>(&family), sizeof family);
    return family;
}

struct Matrix {
    std::vector<uint8_t> codes;
    /** Of int16. */
    std::vector<uint8_t> lowCodes;
    /** Of int4. */
    std::vector<uint8_t> multipliers;
    std::vector<float> scales;

    tiercel::MatrixCodes view() const { return {codes.data(), multipliers.data(), scales.data()}; }
};

class GoldenFile {
protected:
    GoldenFile(const std::string& path, Family family) : path(path) {
        std::ifstream stream(path, std::ios::binary);
        file.assign(std::istreambuf_iterator<char>(stream), {});
        if (integer() != static_cast<int32_t>(family)) {
            std::fprintf(stderr, "%s is of another family\n", path.c_str());
            std::exit(2);
        }
    }

    void close() { file.clear(); }

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
        matrix.lowCodes = array<uint8_t>();
        matrix.multipliers = array<uint8_t>();
        matrix.scales = array<float>();
        return matrix;
    }

    void read(void* to, size_t bytes) {
        if (bytes > file.size() - position) {
            std::fprintf(stderr, "%s ends at %zu\n", path.c_str(), file.size());
            std::exit(2);
        }
        if (bytes > 0) {
            std::memcpy(to, file.data() + position, bytes);
        }
        position += bytes;
    }

private:
    std::string path;
    std::string file;
    size_t position = 0;
};

/** Says where two pieces of memory differ, or nothing. */
inline std::string difference(const std::string& what, const void* expected, const void* actual, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        const int wanted = static_cast<const uint8_t*>(expected)[i];
        const int got = static_cast<const uint8_t*>(actual)[i];
        if (wanted != got) {
            return what + ": byte " + std::to_string(i) + " of " + std::to_string(bytes) + " is " +
                   std::to_string(got) + ", not " + std::to_string(wanted);
        }
    }
    return "";
}

}  // namespace golden

#endif
