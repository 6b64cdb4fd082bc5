/*
 * The lstm kernels against golden files, bit for bit: outputs, hash and canonical state after each step, and the whole
 * state at the end. Written over a device, which is a GPU or the emulation of one:
 *
 *   uint8_t* memory(bytes)                     of the device, zeroed; the same for both sides: pinned(bytes)
 *   void to(device, host, bytes), from(host, device, bytes)
 *   std::string step, ahead(view, positions, count), hash(view, positions, count, hashes)
 *   std::string persist(view, link, host)      the kernel while host() runs; both end
 *   void store(word, value)                    of the host, and
 *   bool await(word, sequence, content)        false when it takes too long
 */
#ifndef TIERCEL_LSTM_CHECK_H
#define TIERCEL_LSTM_CHECK_H

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "golden.h"
#include "lstm_link.h"

/** A packed model in a device's memory, with sessions that are ready for their first step. */
template <class Device>
class LstmSessions {
public:
    LstmSessions(Device& device, const golden::Golden& golden, const tiercel::LstmGeometry& geometry)
        : device(device), count(golden.sessions), view(placed(golden, geometry)) {
        states = device.memory(count * view.state.bytes);
        features = device.memory(count * view.features * sizeof(float));
        outputs = device.memory(count * view.outputs * sizeof(float));
        positions = reinterpret_cast<tiercel::BatchPosition*>(device.memory(count * sizeof(tiercel::BatchPosition)));
        hashes = reinterpret_cast<uint64_t*>(device.memory(count * sizeof(uint64_t)));
    }

    /** The work ahead of every session's first step. */
    std::string begin() {
        std::vector<int32_t> all(count);
        for (int i = 0; i < count; i++) {
            all[i] = i;
        }
        take(all);
        return device.ahead(view, positions, count);
    }

    /** The batch will be of these. */
    void take(const std::vector<int32_t>& sessions) {
        std::vector<tiercel::BatchPosition> batch;
        for (size_t i = 0; i < sessions.size(); i++) {
            batch.push_back({reinterpret_cast<const float*>(features) + i * view.features, stateOf(sessions[i]),
                             reinterpret_cast<float*>(outputs) + i * view.outputs});
        }
        device.to(positions, batch.data(), batch.size() * sizeof batch[0]);
    }

    uint8_t* stateOf(int session) const { return states + session * view.state.bytes; }

    Device& device;
    const int count;
    const tiercel::LstmView view;
    uint8_t* states;
    uint8_t* features;
    uint8_t* outputs;
    tiercel::BatchPosition* positions;
    uint64_t* hashes;

private:
    tiercel::LstmView placed(const golden::Golden& golden, const tiercel::LstmGeometry& geometry) {
        const tiercel::LstmPacking packing = golden.packing(geometry);
        uint8_t* at = device.memory(packing.bytes());
        device.to(at, packing.data(), packing.bytes());
        return packing.viewAt(at);
    }
};

/** What the threads of a block are a multiple of. */
inline int wholeThreads(int lanesPerUnit) {
    return lanesPerUnit == 4 ? 32 : 4 * lanesPerUnit;
}

/** Any small one that the kernels allow. */
inline tiercel::LstmGeometry geometryOf(const tiercel::LstmShape& shape, std::mt19937_64& random) {
    tiercel::LstmGeometry geometry{};
    geometry.lanesPerUnit = 4 << random() % 4;
    geometry.threads = wholeThreads(geometry.lanesPerUnit) * static_cast<int>(1 + random() % 2);
    const int slices = 1 + static_cast<int>(random() % 3);
    geometry.unitsPerSlice = (tiercel::divideUp(shape.hidden, slices) + 3) / 4 * 4;
    return geometry;
}

/** The same of a persistent kernel: a slice is one pass. */
inline tiercel::LstmGeometry persistentGeometryOf(const tiercel::LstmShape& shape, std::mt19937_64& random) {
    constexpr int MOST_THREADS = 512;
    tiercel::LstmGeometry geometry = geometryOf(shape, random);
    const int units = geometry.unitsPerSlice;
    while (geometry.lanesPerUnit > 4 && units * geometry.lanesPerUnit > MOST_THREADS) {
        geometry.lanesPerUnit /= 2;
    }
    const int whole = wholeThreads(geometry.lanesPerUnit);
    geometry.threads = tiercel::divideUp(units * geometry.lanesPerUnit, whole) * whole;
    return geometry;
}

inline std::string nameOf(const tiercel::LstmGeometry& geometry) {
    return "units per slice " + std::to_string(geometry.unitsPerSlice) + ", lanes per unit " +
           std::to_string(geometry.lanesPerUnit) + ", threads " + std::to_string(geometry.threads);
}

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

template <class Device>
std::string checkState(
    const LstmSessions<Device>& sessions, int session, const std::string& what, const std::vector<uint8_t>& expected) {
    std::vector<uint8_t> actual(expected.size());
    sessions.device.from(actual.data(), sessions.stateOf(session), actual.size());
    return difference(what + " of session " + std::to_string(session), expected.data(), actual.data(), expected.size());
}

template <class Device>
std::string checkEnd(const LstmSessions<Device>& sessions, const golden::Golden& golden) {
    for (int i = 0; i < golden.sessions; i++) {
        const std::string wrong = checkState(sessions, i, "whole state at the end", golden.states[i]);
        if (!wrong.empty()) {
            return wrong;
        }
    }
    return "";
}

/** A batch by the kernels that are launched for each. */
template <class Device>
std::string checkBatch(
    LstmSessions<Device>& sessions, const std::vector<golden::Step>& batch, std::vector<uint64_t>& before) {
    Device& device = sessions.device;
    const int count = static_cast<int>(batch.size());
    std::vector<int32_t> who;
    std::vector<uint64_t> hashes;
    for (int i = 0; i < count; i++) {
        who.push_back(batch[i].session);
        hashes.push_back(before[batch[i].session]);
        const size_t bytes = batch[i].features.size() * sizeof(float);
        device.to(sessions.features + i * bytes, batch[i].features.data(), bytes);
    }
    sessions.take(who);
    device.to(sessions.hashes, hashes.data(), count * sizeof(uint64_t));
    std::string wrong = device.step(sessions.view, sessions.positions, count);
    wrong = !wrong.empty() ? wrong : device.hash(sessions.view, sessions.positions, count, sessions.hashes);
    wrong = !wrong.empty() ? wrong : device.ahead(sessions.view, sessions.positions, count);
    device.from(hashes.data(), sessions.hashes, count * sizeof(uint64_t));
    for (int i = 0; i < count && wrong.empty(); i++) {
        const size_t bytes = batch[i].outputs.size() * sizeof(float);
        std::vector<uint8_t> outputs(bytes);
        device.from(outputs.data(), sessions.outputs + i * bytes, bytes);
        wrong = difference("outputs", batch[i].outputs.data(), outputs.data(), bytes);
        wrong = !wrong.empty() ? wrong : checkState(sessions, who[i], "state", batch[i].canonical);
        wrong = !wrong.empty() ? wrong : difference("hash", &batch[i].hash, &hashes[i], sizeof(uint64_t));
        before[who[i]] = batch[i].hash;
    }
    return wrong;
}

template <class Device>
std::string checkSteps(Device& device, const golden::Golden& golden, const tiercel::LstmGeometry& geometry) {
    LstmSessions<Device> sessions(device, golden, geometry);
    std::vector<uint64_t> before(golden.sessions);
    std::string wrong = sessions.begin();
    for (size_t i = 0; i < golden.batches.size() && wrong.empty(); i++) {
        wrong = checkBatch(sessions, golden.batches[i], before);
        wrong = wrong.empty() ? wrong : "batch " + std::to_string(i) + ": " + wrong;
    }
    return !wrong.empty() ? wrong : checkEnd(sessions, golden);
}

/** The host's side of a persistent kernel. */
template <class Device>
class LstmHost {
public:
    explicit LstmHost(LstmSessions<Device>& sessions)
        : sessions(sessions),
          request(words(tiercel::HEADER_WORDS + sessions.view.features)),
          response(words(tiercel::responseWords(sessions.view.outputs))) {
        const tiercel::LstmExchange exchange(sessions.view);
        uint8_t* blocks = sessions.device.memory(2 * exchange.words * sizeof(uint64_t));
        link = {request, response, reinterpret_cast<uint64_t*>(blocks), sessions.states, sessions.view.state.bytes, 1};
    }

    /** Writes the next request. */
    void send(uint32_t session, uint64_t hash, const float* features) {
        sequence++;
        put(0, session);
        put(1, static_cast<uint32_t>(hash));
        put(2, static_cast<uint32_t>(hash >> 32));
        for (int i = 0; i < sessions.view.features; i++) {
            uint32_t bits = 0;
            if (features != nullptr) {
                std::memcpy(&bits, &features[i], sizeof bits);
            }
            put(tiercel::HEADER_WORDS + i, bits);
        }
    }

    bool awaitOutputs(uint32_t* bits) const {
        for (int i = 0; i < sessions.view.outputs; i++) {
            if (!sessions.device.await(response + i, sequence, bits[i])) {
                return false;
            }
        }
        return true;
    }

    /** Of the last request, or of so many before it: 0 or 1. */
    bool awaitHash(uint64_t& hash, uint32_t before = 0) const {
        const uint32_t of = sequence - before;
        const uint64_t* at = response + tiercel::hashWord(sessions.view.outputs, of);
        uint32_t low = 0;
        uint32_t high = 0;
        const bool isThere = sessions.device.await(at, of, low) && sessions.device.await(at + 1, of, high);
        hash = static_cast<uint64_t>(high) << 32 | low;
        return isThere;
    }

    void stop() { send(tiercel::STOP_SESSION, 0, nullptr); }

    tiercel::LstmLink link;

private:
    uint64_t* words(int count) { return reinterpret_cast<uint64_t*>(sessions.device.pinned(count * sizeof(uint64_t))); }
    void put(int word, uint32_t content) {
        sessions.device.store(request + word, tiercel::taggedWord(sequence, content));
    }

    LstmSessions<Device>& sessions;
    uint64_t* const request;
    uint64_t* const response;
    uint32_t sequence = 0;
};

/**
 * Steps by a persistent kernel, one request after the other. A step's hash is waited for as late as may be: with the
 * next step's outputs, or where that is of the same session, before it.
 */
template <class Device>
class LstmConversation {
public:
    LstmConversation(LstmHost<Device>& host, const golden::Golden& golden)
        : host(host), golden(golden), hashes(golden.sessions), outputs(golden.shape.outputs) {}

    /** What went wrong, or nothing. */
    std::string run() {
        std::string wrong;
        for (const std::vector<golden::Step>& batch : golden.batches) {
            for (const golden::Step& step : batch) {
                wrong = wrong.empty() ? ask(step) : wrong;
            }
        }
        wrong = wrong.empty() ? settle(0) : wrong;
        if (wrong != NO_ANSWER) {
            host.stop();
        }
        return wrong;
    }

private:
    static constexpr const char* NO_ANSWER = "no answer";

    std::string ask(const golden::Step& step) {
        std::string wrong = unsettled != nullptr && unsettled->session == step.session ? settle(0) : "";
        if (!wrong.empty()) {
            return wrong;
        }
        host.send(step.session, hashes[step.session], step.features.data());
        if (!host.awaitOutputs(outputs.data())) {
            return NO_ANSWER;
        }
        wrong = difference("outputs", step.outputs.data(), outputs.data(), outputs.size() * sizeof(uint32_t));
        wrong = wrong.empty() ? settle(1) : wrong;
        unsettled = &step;
        return wrong;
    }

    /** The hash of the step that has none yet, so many requests ago. */
    std::string settle(uint32_t before) {
        if (unsettled == nullptr) {
            return "";
        }
        uint64_t& hash = hashes[unsettled->session];
        const uint64_t expected = unsettled->hash;
        unsettled = nullptr;
        return host.awaitHash(hash, before) ? difference("hash", &expected, &hash, sizeof hash) : NO_ANSWER;
    }

    LstmHost<Device>& host;
    const golden::Golden& golden;
    std::vector<uint64_t> hashes;
    std::vector<uint32_t> outputs;
    const golden::Step* unsettled = nullptr;
};

template <class Device>
std::string checkPersistent(Device& device, const golden::Golden& golden, const tiercel::LstmGeometry& geometry) {
    LstmSessions<Device> sessions(device, golden, geometry);
    std::string wrong = sessions.begin();
    if (!wrong.empty()) {
        return wrong;
    }
    LstmHost<Device> host(sessions);
    LstmConversation<Device> conversation(host, golden);
    const std::string failure = device.persist(sessions.view, host.link, [&] { wrong = conversation.run(); });
    wrong = !wrong.empty() ? wrong : failure;
    return !wrong.empty() ? wrong : checkEnd(sessions, golden);
}

#endif
