/*
 * The transformer kernels against golden files, bit for bit: outputs, logits and canonical state after each act, but for
 * its digest, which the GPU does not keep; and the states and hashes that the host makes of the records that come back.
 * In the middle of it all sessions are put elsewhere from their canonical states. Written over a device, which is a GPU or the emulation of one:
 *
 *   uint8_t* memory(bytes)                     of the device, zeroed
 *   void to(device, host, bytes), from(host, device, bytes)
 *   std::string step(launch, view, positions, records, vectors), ahead(.., positions, records),
 *       steps(.., rows, records, vectors)
 */
#ifndef TIERCEL_TRANSFORMER_CHECK_H
#define TIERCEL_TRANSFORMER_CHECK_H

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "transformer_golden.h"
#include "transformer_mirror.h"

/** How kernels are launched: a block for each of so many positions. */
struct TransformerLaunch {
    int positions;
    int threads;
    int sharedBytes;
};

struct TransformerGeometry {
    int threads;
    bool areVectorsShared;
};

/** A small one, of more than one warp, since a warp's lanes may be in step without a barrier. */
inline TransformerGeometry transformerGeometryOf(std::mt19937_64& random) {
    const int threads = 32 * static_cast<int>(2 + random() % 3);
    return {threads, random() % 2 == 0};
}

inline std::string nameOf(const TransformerGeometry& geometry) {
    return "threads " + std::to_string(geometry.threads) +
           (geometry.areVectorsShared ? ", vectors in shared memory" : ", vectors in global memory");
}

/** A packed model in a device's memory, and what a golden file's acts come to there. */
template <class Device>
class TransformerCheck {
public:
    TransformerCheck(Device& device, const golden::Transformer& golden, const TransformerGeometry& geometry)
        : device(device),
          golden(golden),
          geometry(geometry),
          view(placed(device, golden, geometry.threads)),
          states(device.memory(golden.sessions * view.state.bytes)),
          records(device.memory(recordCount(golden) * view.record.bytes)),
          vectors(geometry.areVectorsShared ? nullptr : device.memory(golden.sessions * view.workspace.vectorBytes)),
          positions(take<tiercel::TransformerPosition>(golden.sessions + 1)),
          row(take<tiercel::TransformerRow>(1)),
          hashes(golden.sessions),
          mirror(golden.shape),
          hostStates(golden.sessions, std::vector<uint8_t>(view.state.bytes)) {}

    /** What went wrong, or nothing. */
    std::string run() {
        std::string wrong;
        for (size_t i = 0; i < golden.acts.size() && wrong.empty(); i++) {
            if (i == golden.acts.size() / 2) {
                restore();
            }
            wrong = golden.acts[i].isRow ? checkRow(golden.acts[i].sessions[0]) : checkBatch(golden.acts[i].sessions);
            wrong = wrong.empty() ? wrong : "act " + std::to_string(i) + ": " + wrong;
        }
        return wrong;
    }

private:
    static tiercel::DeviceTransformer placed(Device& device, const golden::Transformer& golden, int threads) {
        const tiercel::TransformerPacking packing = golden.packing(threads);
        uint8_t* at = device.memory(packing.bytes());
        device.to(at, packing.data(), packing.bytes());
        return packing.viewAt(at);
    }

    /** Of a batch, or of the longest row. */
    static int recordCount(const golden::Transformer& golden) {
        int count = golden.sessions;
        for (const auto& act : golden.acts) {
            count = std::max(count, act.sessions[0].count);
        }
        return count;
    }

    template <class T>
    T* take(size_t count) {
        return reinterpret_cast<T*>(device.memory(count * sizeof(T)));
    }

    template <class T>
    T* placed(const std::vector<T>& values) {
        T* at = take<T>(values.size());
        device.to(at, values.data(), values.size() * sizeof(T));
        return at;
    }

    TransformerLaunch launch(int count) const {
        const int64_t vectorBytes = geometry.areVectorsShared ? view.workspace.vectorBytes : 0;
        return {count, geometry.threads, static_cast<int>(view.workspace.sharedBytes + vectorBytes)};
    }

    uint8_t* stateOf(int session) const { return states + session * view.state.bytes; }
    float* outputsOf(int count) { return take<float>(count * golden.outputCount()); }

    /** As a backend does that is given canonical states: pages in their own places, and the rest zeros. */
    void restore() {
        uint8_t* elsewhere = device.memory(golden.sessions * view.state.bytes);
        for (int i = 0; i < golden.sessions; i++) {
            std::vector<uint8_t> canonical(view.state.tableOffset);
            device.from(canonical.data(), stateOf(i), canonical.size());
            device.to(elsewhere + i * view.state.bytes, canonical.data(), canonical.size());
        }
        states = elsewhere;
    }

    std::string checkBatch(const std::vector<golden::Steps>& batch) {
        const int count = static_cast<int>(batch.size());
        std::vector<tiercel::TransformerPosition> host;
        for (const golden::Steps& steps : batch) {
            host.push_back({placed(steps.inputs), stateOf(steps.session), outputsOf(1)});
        }
        // One position more, which has no state.
        host.push_back({});
        device.to(positions, host.data(), (count + 1) * sizeof host[0]);
        std::string wrong = device.step(launch(count + 1), view, positions, records, vectors);
        wrong = !wrong.empty() ? wrong : device.ahead({count + 1, geometry.threads, 0}, view, positions, records);
        for (int i = 0; i < count && wrong.empty(); i++) {
            wrong = checkSteps(batch[i], host[i].outputs, i);
            wrong = !wrong.empty() ? wrong : checkMirror(batch[i], i);
        }
        return wrong;
    }

    std::string checkRow(const golden::Steps& steps) {
        const bool isEachWanted = steps.outputs.size() == static_cast<size_t>(steps.count * golden.outputCount());
        float* outputs = outputsOf(isEachWanted ? steps.count : 1);
        tiercel::TransformerRow host{reinterpret_cast<const uint8_t*>(placed(steps.inputs)),
                                     stateOf(steps.session),
                                     reinterpret_cast<uint8_t*>(outputs),
                                     isEachWanted ? golden.outputCount() * static_cast<int64_t>(sizeof(float)) : 0,
                                     view.record.bytes,
                                     steps.count};
        device.to(row, &host, sizeof host);
        std::string wrong = device.steps(launch(1), view, row, records, vectors);
        wrong = !wrong.empty() ? wrong : checkSteps(steps, outputs, steps.count - 1);
        return !wrong.empty() ? wrong : checkMirror(steps, 0);
    }

    /** The host's state from the records of its steps; before they are kept, all of them are taken back once. */
    std::string checkMirror(const golden::Steps& steps, int firstRecord) {
        std::vector<uint8_t>& state = hostStates[steps.session];
        const std::vector<uint8_t> before = state;
        std::vector<std::vector<uint8_t>> undos(steps.count, std::vector<uint8_t>(view.record.bytes));
        std::vector<uint8_t> record(view.record.bytes);
        const auto put = [&](uint64_t* hash) {
            for (int i = 0; i < steps.count; i++) {
                mirror.begin(state.data(), undos[i].data());
                if (i > 0) {
                    mirror.putAhead(state.data(), record.data(), undos[i].data());
                }
                device.from(record.data(), records + (firstRecord + i) * view.record.bytes, record.size());
                mirror.putStep(state.data(), record.data(), undos[i].data());
                *hash = tiercel::Digest::mix(*hash, state.data(), offsetof(tiercel::TransformerHeader, codedTokens));
            }
        };
        uint64_t unused = 0;
        put(&unused);
        for (int i = steps.count - 1; i >= 0; i--) {
            mirror.takeBack(state.data(), undos[i].data());
        }
        const std::string of = " on the host of session " + std::to_string(steps.session);
        const std::string wrong =
            golden::difference("state taken back" + of, before.data(), state.data(), state.size());
        put(&hashes[steps.session]);
        mirror.putAhead(state.data(), record.data(), nullptr);
        if (hashes[steps.session] != steps.hash) {
            return "hash" + of;
        }
        return !wrong.empty() ? wrong
                              : golden::difference("state" + of, steps.canonical.data(), state.data(),
                                                   steps.canonical.size());
    }

    std::string checkSteps(const golden::Steps& steps, const float* outputs, int position) {
        const std::string of = " of session " + std::to_string(steps.session);
        std::string wrong = differenceOf("outputs" + of, steps.outputs, outputs);
        wrong = !wrong.empty() ? wrong
                               : differenceOf("logits" + of, steps.logits, records + position * view.record.bytes);
        std::vector<uint8_t> expected = steps.canonical;
        device.from(&digestOf(expected), stateOf(steps.session) + offsetof(tiercel::TransformerHeader, digest),
                    sizeof(uint64_t));
        return !wrong.empty() ? wrong : differenceOf("state" + of, expected, stateOf(steps.session));
    }

    static uint64_t& digestOf(std::vector<uint8_t>& state) {
        return reinterpret_cast<tiercel::TransformerHeader*>(state.data())->digest;
    }

    template <class T>
    std::string differenceOf(const std::string& what, const std::vector<T>& expected, const void* at) {
        std::vector<T> actual(expected.size());
        device.from(actual.data(), at, actual.size() * sizeof(T));
        return golden::difference(what, expected.data(), actual.data(), actual.size() * sizeof(T));
    }

    Device& device;
    const golden::Transformer& golden;
    const TransformerGeometry geometry;
    const tiercel::DeviceTransformer view;
    uint8_t* states;
    uint8_t* const records;
    uint8_t* const vectors;
    tiercel::TransformerPosition* const positions;
    tiercel::TransformerRow* const row;
    std::vector<uint64_t> hashes;
    const tiercel::TransformerMirror mirror;
    std::vector<std::vector<uint8_t>> hostStates;
};

#endif
