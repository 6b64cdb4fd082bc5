/*
 * The lstm kernels against golden files, bit for bit: outputs and canonical state after each step, and the whole
 * state at the end. Written over a device, which is a GPU or the emulation of one:
 *
 *   uint8_t* memory(bytes)                     of the device, zeroed; the same for both sides: pinned(bytes)
 *   void to(device, host, bytes), from(host, device, bytes)
 *   std::string step, ahead(view, positions, count)
 *   std::string persist(view, isCluster, link, host)
 *                                              the kernel while host() runs; both end
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

using golden::difference;

/** A packed model in a device's memory, with room for so many sessions. */
template <class Device>
class LstmSessions {
public:
    LstmSessions(Device& device, const golden::Golden& golden, const tiercel::LstmGeometry& geometry, int count)
        : device(device), count(count), view(placed(golden, geometry)) {
        states = device.memory(count * view.state.bytes);
        features = device.memory(count * view.features * sizeof(float));
        outputs = device.memory(count * view.outputs * sizeof(float));
        positions = reinterpret_cast<tiercel::BatchPosition*>(device.memory(count * sizeof(tiercel::BatchPosition)));
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

template <class Device>
std::string checkState(
    const LstmSessions<Device>& sessions, int session, const std::string& what, const std::vector<uint8_t>& expected) {
    std::vector<uint8_t> actual(expected.size());
    sessions.device.from(actual.data(), sessions.stateOf(session), actual.size());
    return difference(what + " of session " + std::to_string(session), expected.data(), actual.data(), expected.size());
}

/** The whole state of a session after the last step. */
template <class Device>
std::string checkEnd(
    const LstmSessions<Device>& sessions, const golden::Golden& golden, int session, int place) {
    return checkState(sessions, place, "whole state at the end", golden.states[session]);
}

/** A batch by the kernels that are launched for each. */
template <class Device>
std::string checkBatch(LstmSessions<Device>& sessions, const std::vector<golden::Step>& batch) {
    Device& device = sessions.device;
    const int count = static_cast<int>(batch.size());
    std::vector<int32_t> who;
    for (int i = 0; i < count; i++) {
        who.push_back(batch[i].session);
        const size_t bytes = batch[i].features.size() * sizeof(float);
        device.to(sessions.features + i * bytes, batch[i].features.data(), bytes);
    }
    sessions.take(who);
    std::string wrong = device.step(sessions.view, sessions.positions, count);
    wrong = !wrong.empty() ? wrong : device.ahead(sessions.view, sessions.positions, count);
    for (int i = 0; i < count && wrong.empty(); i++) {
        const size_t bytes = batch[i].outputs.size() * sizeof(float);
        std::vector<uint8_t> outputs(bytes);
        device.from(outputs.data(), sessions.outputs + i * bytes, bytes);
        wrong = difference("outputs", batch[i].outputs.data(), outputs.data(), bytes);
        wrong = !wrong.empty() ? wrong : checkState(sessions, who[i], "state", batch[i].canonical);
    }
    return wrong;
}

template <class Device>
std::string checkSteps(Device& device, const golden::Golden& golden, const tiercel::LstmGeometry& geometry) {
    LstmSessions<Device> sessions(device, golden, geometry, golden.sessions);
    std::string wrong = sessions.begin();
    for (size_t i = 0; i < golden.batches.size() && wrong.empty(); i++) {
        wrong = checkBatch(sessions, golden.batches[i]);
        wrong = wrong.empty() ? wrong : "batch " + std::to_string(i) + ": " + wrong;
    }
    for (int i = 0; i < golden.sessions && wrong.empty(); i++) {
        wrong = checkEnd(sessions, golden, i, i);
    }
    return wrong;
}

/** The host's side of a persistent kernel. */
template <class Device>
class LstmHost {
public:
    /** places: a power of two. */
    LstmHost(LstmSessions<Device>& sessions, uint32_t places) : sessions(sessions), layout(sessions.view) {
        const tiercel::LstmExchange exchange(sessions.view);
        requests = words(places * layout.requestWords);
        link = {requests, words(places * layout.responseWords), places, 1,
                reinterpret_cast<uint64_t*>(sessions.device.memory(2 * exchange.words * sizeof(uint64_t))),
                sessions.states, sessions.view.state.bytes};
    }

    /** Writes the next request; canonical, if not NULL, is the state that it brings. Returns its sequence. */
    uint32_t send(uint32_t session, const float* features, const uint8_t* canonical) {
        sequence++;
        uint64_t* const request = requests + (link.request(layout, sequence) - link.requests);
        const auto put = [&](int word, const void* content) {
            uint32_t bits;
            std::memcpy(&bits, content, sizeof bits);
            sessions.device.store(request + word, tiercel::taggedWord(sequence, bits));
        };
        const uint32_t bringsState = canonical == nullptr ? 0 : 1;
        put(0, &session);
        put(1, &bringsState);
        const uint32_t zero = 0;
        for (int i = 0; i < sessions.view.features; i++) {
            put(tiercel::HEADER_WORDS + i, features == nullptr ? static_cast<const void*>(&zero) : features + i);
        }
        if (canonical != nullptr) {
            eachWord([&](int word, int64_t offset) { put(layout.requestState + word, canonical + offset); });
        }
        return sequence;
    }

    bool awaitOutputs(uint32_t of, uint32_t* bits) const {
        const uint64_t* const response = link.response(layout, of);
        for (int i = 0; i < sessions.view.outputs; i++) {
            if (!sessions.device.await(response + i, of, bits[i])) {
                return false;
            }
        }
        return true;
    }

    /** The canonical state after a request. */
    bool awaitState(uint32_t of, uint8_t* canonical) const {
        const uint64_t* const state = link.response(layout, of) + layout.responseState;
        bool isThere = true;
        eachWord([&](int word, int64_t offset) {
            uint32_t bits = 0;
            isThere = isThere && sessions.device.await(state + word, of, bits);
            std::memcpy(canonical + offset, &bits, sizeof bits);
        });
        return isThere;
    }

    void stop() { send(tiercel::STOP_SESSION, nullptr, nullptr); }

    tiercel::LstmLink link;

private:
    uint64_t* words(int count) { return reinterpret_cast<uint64_t*>(sessions.device.pinned(count * sizeof(uint64_t))); }

    /** take(word, offset) of each word of a state, and where it stands in a canonical one. */
    template <class Take>
    void eachWord(const Take& take) const {
        int word = 0;
        for (int layer = 0; layer < sessions.view.layers; layer++) {
            for (int i = 0; i < layout.layerWords; i++) {
                const int ofHidden = i - sessions.view.hidden;
                take(word++, ofHidden < 0 ? sessions.view.state.cell(layer) + 4 * i
                                          : sessions.view.state.hidden(layer) + 4 * ofHidden);
            }
        }
    }

    LstmSessions<Device>& sessions;
    const tiercel::LstmLinkLayout layout;
    uint64_t* requests;
    uint32_t sequence = 0;
};

/**
 * Steps by a persistent kernel, with as many requests under way as there are places. The first of a session brings its
 * state; so do some others, and go to another place of two, where the GPU has none or an old one.
 */
template <class Device>
class LstmConversation {
public:
    LstmConversation(
        LstmHost<Device>& host, const golden::Golden& golden, size_t canonicalBytes, std::mt19937_64& random)
        : host(host),
          golden(golden),
          random(random),
          outputs(golden.shape.outputs),
          canonical(canonicalBytes),
          sessions(golden.sessions, Session{NOWHERE, std::vector<uint8_t>(canonicalBytes)}) {}

    /** What went wrong, or nothing. */
    std::string run() {
        std::string wrong;
        for (const std::vector<golden::Step>& batch : golden.batches) {
            for (const golden::Step& step : batch) {
                wrong = wrong.empty() && underWay.size() == host.link.places ? take() : wrong;
                if (wrong.empty()) {
                    ask(step);
                }
            }
        }
        while (wrong.empty() && !underWay.empty()) {
            wrong = take();
        }
        if (wrong != NO_ANSWER) {
            host.stop();
        }
        return wrong;
    }

    /** Of a session; NOWHERE if it has made no step. */
    int placeOf(int session) const { return sessions[session].place; }

    static constexpr int NOWHERE = -1;

private:
    static constexpr const char* NO_ANSWER = "no answer";

    struct Session {
        int place;
        /** Before the next step that will be asked. */
        std::vector<uint8_t> canonical;
    };

    struct Asked {
        const golden::Step* step;
        uint32_t sequence;
    };

    void ask(const golden::Step& step) {
        Session& session = sessions[step.session];
        const bool bringsState = session.place == NOWHERE || random() % 3 == 0;
        if (bringsState) {
            session.place = step.session + (session.place == step.session ? golden.sessions : 0);
        }
        const uint32_t sequence =
            host.send(session.place, step.features.data(), bringsState ? session.canonical.data() : nullptr);
        underWay.push_back({&step, sequence});
        session.canonical = step.canonical;
    }

    /** The oldest answer, and the state after it. */
    std::string take() {
        const Asked asked = underWay.front();
        underWay.erase(underWay.begin());
        if (!host.awaitOutputs(asked.sequence, outputs.data()) || !host.awaitState(asked.sequence, canonical.data())) {
            return NO_ANSWER;
        }
        const std::string wrong =
            difference("outputs", asked.step->outputs.data(), outputs.data(), outputs.size() * sizeof(uint32_t));
        return !wrong.empty() ? wrong
                              : difference("state", asked.step->canonical.data(), canonical.data(), canonical.size());
    }

    LstmHost<Device>& host;
    const golden::Golden& golden;
    std::mt19937_64& random;
    std::vector<uint32_t> outputs;
    std::vector<uint8_t> canonical;
    std::vector<Session> sessions;
    std::vector<Asked> underWay;
};

/** isCluster: whether the kernel's blocks are one. */
template <class Device>
std::string checkPersistent(
    Device& device, const golden::Golden& golden, const tiercel::LstmGeometry& geometry, bool isCluster,
    std::mt19937_64& random) {
    LstmSessions<Device> sessions(device, golden, geometry, 2 * golden.sessions);
    LstmHost<Device> host(sessions, 1u << random() % 3);
    LstmConversation<Device> conversation(host, golden, sessions.view.state.canonicalBytes, random);
    std::string wrong;
    const std::string failure =
        device.persist(sessions.view, isCluster, host.link, [&] { wrong = conversation.run(); });
    wrong = !wrong.empty() ? wrong : failure;
    for (int i = 0; i < golden.sessions && wrong.empty(); i++) {
        const int place = conversation.placeOf(i);
        if (place != LstmConversation<Device>::NOWHERE) {
            wrong = checkEnd(sessions, golden, i, place);
        }
    }
    return wrong.empty() ? wrong : std::string(isCluster ? "cluster" : "persistent kernel") + ": " + wrong;
}

#endif
