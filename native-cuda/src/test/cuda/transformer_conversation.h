/*
 * A transformer's kernel that stays against golden files, bit for bit: outputs and logits of each act, and the states
 * and hashes that the host makes of the records that come back; at the end the GPU's states too, but for the digest. All
 * that a host asks of it: states brought in the middle of it all, copies, rows of steps on a copy, batches of which a
 * team has several requests under way. Written over a device, as transformer_check.h, with more:
 *
 *   uint8_t* pinned(bytes)                     of both sides, zeroed
 *   void store(word, value), storeRelease(word, value), uint64_t loadAcquire(word)      of the host
 *   void pause(looks)                          between two looks at a word, of so many; may end the program
 *   std::string persist(launch, view, link, host)      the kernel while host() runs; both end
 */
#ifndef TIERCEL_TRANSFORMER_CONVERSATION_H
#define TIERCEL_TRANSFORMER_CONVERSATION_H

#include "transformer_check.h"
#include "transformer_link.h"

/** Blocks of a team, and teams. */
struct TransformerTeams {
    int blocks;
    int teams;
    /** Whether a team is one. */
    bool isCluster;
};

inline TransformerTeams transformerTeamsOf(std::mt19937_64& random) {
    const int blocks = static_cast<int>(1 + random() % 3);
    const int teams = static_cast<int>(1 + random() % 2);
    return {blocks, teams, blocks > 1 && random() % 2 == 0};
}

/** The host's side of a kernel that stays. */
template <class Device>
class TransformerHost {
public:
    TransformerHost(
        Device& device, const tiercel::DeviceTransformer& view, const TransformerTeams& teams, bool areVectorsShared,
        int capacity, int copies, int outputBytes)
        : device(device),
          view(view),
          placeWords(tiercel::requestPlaceWords(view.shape)),
          teams(teams),
          sequences(teams.teams) {
        const int requestCount = teams.teams * PLACES;
        const int64_t blocks = static_cast<int64_t>(teams.teams) * teams.blocks;
        const auto words = [&](uint8_t* at) { return reinterpret_cast<uint64_t*>(at); };
        requests = words(device.pinned(requestCount * placeWords * sizeof(uint64_t)));
        inputs = device.pinned(capacity * 4 * view.shape.inputWords());
        bringing = device.pinned(view.state.tableOffset);
        link.requests = requests;
        link.done = words(device.pinned(requestCount * sizeof(uint64_t)));
        link.inputs = inputs;
        link.bringing = bringing;
        link.outputStride = (outputBytes + 15) / 16 * 16;
        link.outputs = device.pinned(capacity * link.outputStride);
        link.hostRecords = device.pinned(capacity * view.record.bytes);
        link.records = device.memory(capacity * view.record.bytes);
        link.states = device.memory(copies * view.state.bytes);
        link.exchange = words(
            device.memory(teams.teams * sizeof(uint64_t) * tiercel::exchangeWords(view.shape, teams.blocks)));
        link.vectors = areVectorsShared ? nullptr : device.memory(blocks * view.workspace.vectorBytes);
        link.common = teams.blocks == 1 ? nullptr : device.memory(teams.teams * view.workspace.vectorBytes);
        link.blocks = teams.blocks;
        link.places = PLACES;
        link.firstSequence = 1;
        link.isCluster = teams.isCluster ? 1 : 0;
    }

    /** Asks a team; input may be null. Returns the request's number. */
    uint32_t ask(
        int team, tiercel::TransformerOperation operation, uint32_t copy, uint32_t fromOrCount, uint32_t index,
        bool areAllWanted, const uint32_t* input) {
        const uint32_t sequence = ++sequences[team];
        uint64_t* const place = requests + placeOf(team, sequence) * placeWords;
        uint32_t header[tiercel::TRANSFORMER_REQUEST_HEADER_WORDS] = {};
        header[tiercel::REQUEST_OPERATION] = static_cast<uint32_t>(operation);
        header[tiercel::REQUEST_COPY] = copy;
        header[tiercel::REQUEST_FROM_OR_COUNT] = fromOrCount;
        header[tiercel::REQUEST_INDEX] = index;
        header[tiercel::REQUEST_ARE_ALL_WANTED] = areAllWanted ? 1 : 0;
        for (int i = 1; i < tiercel::TRANSFORMER_REQUEST_HEADER_WORDS; i++) {
            device.store(place + i, tiercel::taggedWord(sequence, header[i]));
        }
        for (int i = 0; i < view.shape.inputWords(); i++) {
            device.store(place + tiercel::TRANSFORMER_REQUEST_HEADER_WORDS + i,
                         tiercel::taggedWord(sequence, input == nullptr ? 0 : input[i]));
        }
        device.storeRelease(place, tiercel::taggedWord(sequence, header[0]));
        return sequence;
    }

    void await(int team, uint32_t sequence, tiercel::TransformerPhase phase) {
        const uint64_t* const word = link.done + placeOf(team, sequence);
        for (int64_t looks = 0;; looks++) {
            const uint64_t done = device.loadAcquire(word);
            if (tiercel::belongsTo(done, sequence) && static_cast<uint32_t>(done) >= static_cast<uint32_t>(phase)) {
                return;
            }
            device.pause(looks);
        }
    }

    void bring(int team, uint32_t copy, const uint8_t* canonical) {
        std::memcpy(bringing, canonical, view.state.tableOffset);
        await(team, ask(team, tiercel::TransformerOperation::BRING, copy, 0, 0, false, nullptr),
              tiercel::TransformerPhase::SETTLED);
    }

    void stop() {
        for (int team = 0; team < teams.teams; team++) {
            ask(team, tiercel::TransformerOperation::STOP, 0, 0, 0, false, nullptr);
        }
    }

    const float* outputs(int index) const {
        return reinterpret_cast<const float*>(link.outputs + index * link.outputStride);
    }
    const uint8_t* record(int index) const { return link.hostRecords + index * view.record.bytes; }

    tiercel::TransformerLink link{};
    uint8_t* inputs;

private:
    static constexpr int PLACES = 4;

    int64_t placeOf(int team, uint32_t sequence) const { return team * PLACES + (sequence & (PLACES - 1)); }

    Device& device;
    const tiercel::DeviceTransformer& view;
    const int placeWords;
    const TransformerTeams teams;
    std::vector<uint32_t> sequences;
    uint64_t* requests;
    uint8_t* bringing;
};

template <class Device>
class TransformerConversation {
public:
    TransformerConversation(
        Device& device, const golden::Transformer& golden, const TransformerGeometry& geometry,
        const TransformerTeams& teams)
        : device(device),
          golden(golden),
          geometry(geometry),
          teams(teams),
          view(placedTransformer(device, golden, geometry.threads * teams.blocks)),
          host(device, view, teams, geometry.areVectorsShared, recordCountOf(golden) + 1, 2 * golden.sessions + 1,
               golden.outputCount() * static_cast<int>(sizeof(float))),
          mirror(golden, view.record.bytes),
          places(golden.sessions) {
        for (int i = 0; i < golden.sessions; i++) {
            places[i] = i;
        }
    }

    /** What went wrong, or nothing. */
    std::string run() {
        std::string wrong;
        const TransformerKernelLaunch launch{teams.blocks, teams.teams, geometry.threads,
                                             sharedBytesOf(view, geometry)};
        const std::string failure = device.persist(launch, view, host.link, [&] { wrong = converse(); });
        wrong = !wrong.empty() ? wrong : failure;
        for (int i = 0; i < golden.sessions && wrong.empty(); i++) {
            std::vector<uint8_t> expected = mirror.state(i);
            std::vector<uint8_t> actual(view.state.tableOffset);
            device.from(actual.data(), host.link.states + places[i] * view.state.bytes, actual.size());
            // The digest is the host's.
            std::memcpy(actual.data() + offsetof(tiercel::TransformerHeader, digest),
                        expected.data() + offsetof(tiercel::TransformerHeader, digest), sizeof(uint64_t));
            wrong = golden::difference(
                "state at the end of session " + std::to_string(i), expected.data(), actual.data(), actual.size());
        }
        return wrong;
    }

private:
    using Operation = tiercel::TransformerOperation;
    using Phase = tiercel::TransformerPhase;

    std::string converse() {
        std::string wrong;
        for (size_t i = 0; i < golden.acts.size() && wrong.empty(); i++) {
            if (i == golden.acts.size() / 2) {
                restore();
            }
            wrong = golden.acts[i].isRow ? checkRow(golden.acts[i].sessions[0]) : checkBatch(golden.acts[i].sessions);
            wrong = wrong.empty() ? wrong : "act " + std::to_string(i) + ": " + wrong;
        }
        host.stop();
        return wrong;
    }

    /** All sessions are put elsewhere, as the host has them, each by another team. */
    void restore() {
        for (int i = 0; i < golden.sessions; i++) {
            places[i] += golden.sessions;
            host.bring(i % teams.teams, places[i], mirror.state(i).data());
        }
    }

    std::string checkBatch(const std::vector<golden::Steps>& batch) {
        const int count = static_cast<int>(batch.size());
        std::vector<uint32_t> asked;
        for (int i = 0; i < count; i++) {
            asked.push_back(host.ask(i % teams.teams, Operation::STEP, places[batch[i].session], 0, i, false,
                                     batch[i].inputs.data()));
        }
        std::string wrong;
        // Logits and rows, as they were when they were said to be there.
        const size_t recordedBytes = view.record.codesOffset;
        std::vector<std::vector<uint8_t>> recorded(count);
        for (int i = 0; i < count && wrong.empty(); i++) {
            host.await(i % teams.teams, asked[i], Phase::ANSWERED);
            wrong = checkOutputs(batch[i], i);
            host.await(i % teams.teams, asked[i], Phase::RECORDED);
            recorded[i].assign(host.record(i), host.record(i) + recordedBytes);
            wrong = !wrong.empty() ? wrong : checkLogits(batch[i], i);
        }
        for (int i = 0; i < count; i++) {
            host.await(i % teams.teams, asked[i], Phase::SETTLED);
            wrong = !wrong.empty() ? wrong : golden::difference("record before the work ahead", host.record(i),
                                                                recorded[i].data(), recordedBytes);
            wrong = !wrong.empty() ? wrong : mirror.check(batch[i], [&](int) { return host.record(i); });
        }
        return wrong;
    }

    /** On a copy of the copy, which is the session's from then on. */
    std::string checkRow(const golden::Steps& steps) {
        const bool areAllWanted = steps.outputs.size() == static_cast<size_t>(steps.count * golden.outputCount());
        std::memcpy(host.inputs, steps.inputs.data(), steps.inputs.size() * sizeof(uint32_t));
        const uint32_t spare = 2 * golden.sessions;
        int& place = places[steps.session];
        host.ask(0, Operation::COPY, spare, place, 0, false, nullptr);
        const uint32_t asked = host.ask(0, Operation::ROW, spare, steps.count, 0, areAllWanted, nullptr);
        // And back, behind it.
        const uint32_t copied = host.ask(0, Operation::COPY, place, spare, 0, false, nullptr);
        host.await(0, asked, Phase::SETTLED);
        host.await(0, copied, Phase::SETTLED);
        std::string wrong = checkOutputs(steps, 0);
        wrong = !wrong.empty() ? wrong : checkLogits(steps, steps.count - 1);
        return !wrong.empty() ? wrong : mirror.check(steps, [&](int i) { return host.record(i); });
    }

    std::string checkOutputs(const golden::Steps& steps, int index) const {
        const size_t some = golden.outputCount();
        std::string wrong;
        for (size_t i = 0; i < steps.outputs.size() / some && wrong.empty(); i++) {
            wrong = golden::difference("outputs of session " + std::to_string(steps.session), &steps.outputs[i * some],
                                       host.outputs(index + static_cast<int>(i)), some * sizeof(float));
        }
        return wrong;
    }

    std::string checkLogits(const golden::Steps& steps, int index) const {
        return golden::difference("logits of session " + std::to_string(steps.session), steps.logits.data(),
                                  host.record(index), steps.logits.size() * sizeof(float));
    }

    Device& device;
    const golden::Transformer& golden;
    const TransformerGeometry geometry;
    const TransformerTeams teams;
    const tiercel::DeviceTransformer view;
    TransformerHost<Device> host;
    TransformerMirrorCheck mirror;
    /** Of each session, its copy. */
    std::vector<int> places;
};

inline std::string nameOf(const TransformerTeams& teams) {
    return "teams " + std::to_string(teams.teams) + " of blocks " + std::to_string(teams.blocks) +
           (teams.isCluster ? ", clusters" : "");
}

#endif
