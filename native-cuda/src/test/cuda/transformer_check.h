/*
 * The transformer kernels against golden files, bit for bit: outputs, logits and canonical state after each act, but
 * for its digest, which the GPU does not keep; and the states and hashes that the host makes of the records that come back.
 * In the middle of it all sessions are put elsewhere from their canonical states. Written over a device, which is a GPU
 * or the emulation of one:
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

/** Of a kernel that stays: teams of blocks. */
struct TransformerKernelLaunch {
    int blocks;
    int teams;
    int threads;
    int sharedBytes;
};

inline int sharedBytesOf(const tiercel::DeviceTransformer& view, const TransformerGeometry& geometry) {
    return static_cast<int>(
        view.workspace.sharedBytes + (geometry.areVectorsShared ? view.workspace.vectorBytes : 0));
}

/** The model in a device's memory, for a step by so many threads. */
template <class Device>
tiercel::DeviceTransformer placedTransformer(Device& device, const golden::Transformer& golden, int threads) {
    const tiercel::TransformerPacking packing = golden.packing(threads);
    uint8_t* at = device.memory(packing.bytes());
    device.to(at, packing.data(), packing.bytes());
    return packing.viewAt(at);
}

/** Of a batch, or of the longest row. */
inline int recordCountOf(const golden::Transformer& golden) {
    int count = golden.sessions;
    for (const auto& act : golden.acts) {
        count = std::max(count, act.sessions[0].count);
    }
    return count;
}

/** Sessions' states as the host has them, from records. */
class TransformerMirrorCheck {
public:
    TransformerMirrorCheck(const golden::Transformer& golden, int64_t recordBytes)
        : mirror(golden.shape),
          recordBytes(recordBytes),
          hashes(golden.sessions),
          states(golden.sessions,
                 std::vector<uint8_t>(tiercel::TransformerStateView::of(golden.shape).bytes)) {}

    /** recordOf(i) is the ith step's; before the steps are kept, all of them are taken back once. */
    template <class RecordOf>
    std::string check(const golden::Steps& steps, const RecordOf& recordOf) {
        std::vector<uint8_t>& state = states[steps.session];
        const std::vector<uint8_t> before = state;
        std::vector<std::vector<uint8_t>> undos(steps.count, std::vector<uint8_t>(recordBytes));
        const auto put = [&](uint64_t* hash) {
            for (int i = 0; i < steps.count; i++) {
                mirror.begin(state.data(), undos[i].data());
                if (i > 0) {
                    mirror.putAhead(state.data(), recordOf(i - 1), undos[i].data());
                }
                mirror.putStep(state.data(), recordOf(i), undos[i].data());
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
        mirror.putAhead(state.data(), recordOf(steps.count - 1), nullptr);
        if (hashes[steps.session] != steps.hash) {
            return "hash" + of;
        }
        return !wrong.empty() ? wrong
                              : golden::difference("state" + of, steps.canonical.data(), state.data(),
                                                   steps.canonical.size());
    }

    const std::vector<uint8_t>& state(int session) const { return states[session]; }

private:
    const tiercel::TransformerMirror mirror;
    const int64_t recordBytes;
    std::vector<uint64_t> hashes;
    std::vector<std::vector<uint8_t>> states;
};

/** A packed model in a device's memory, and what a golden file's acts come to there. */
template <class Device>
class TransformerCheck {
public:
    TransformerCheck(Device& device, const golden::Transformer& golden, const TransformerGeometry& geometry)
        : device(device),
          golden(golden),
          geometry(geometry),
          view(placedTransformer(device, golden, geometry.threads)),
          states(device.memory(golden.sessions * view.state.bytes)),
          records(device.memory(recordCountOf(golden) * view.record.bytes)),
          vectors(geometry.areVectorsShared ? nullptr : device.memory(golden.sessions * view.workspace.vectorBytes)),
          positions(take<tiercel::TransformerPosition>(golden.sessions + 1)),
          row(take<tiercel::TransformerRow>(1)),
          mirror(golden, view.record.bytes) {}

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
        return {count, geometry.threads, sharedBytesOf(view, geometry)};
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

    /** The host's state from the records of its steps. */
    std::string checkMirror(const golden::Steps& steps, int firstRecord) {
        std::vector<uint8_t> all(steps.count * view.record.bytes);
        device.from(all.data(), records + firstRecord * view.record.bytes, all.size());
        return mirror.check(steps, [&](int i) { return all.data() + i * view.record.bytes; });
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
    TransformerMirrorCheck mirror;
};

#endif
