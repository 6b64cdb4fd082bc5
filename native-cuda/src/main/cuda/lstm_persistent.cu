/*
 * Steps of sessions, one after the other, by a kernel that stays: no launch stands between a request and its answer.
 * Each block holds a slice of all layers' weights in its shared memory. Block 0 polls for requests in pinned memory and
 * answers; where there are more, hidden values go around after each layer, by the GPU's memory or, where the blocks are
 * a cluster, from shared memory to shared memory. After the answer each block gives the host
 * its part of the session's state and does its part of the work ahead.
 *
 * Of the session of the last request a block also keeps what the next step begins with. A thread alone reads and writes
 * its unit's cell and partial sums, so a session's state needs no order among threads; nobody else may write to a
 * state while the kernel is there. All blocks must be resident at once.
 */
#ifndef TIERCEL_LSTM_PERSISTENT_CU
#define TIERCEL_LSTM_PERSISTENT_CU

#include "await_words.h"
#include "lstm_features.h"
#include "lstm_head.h"
#include "lstm_link.h"
#include "lstm_mail.h"

namespace tiercel {
namespace {

/** MAIL: how blocks speak, where there are several. */
template <bool INT4, class MAIL>
struct LstmPersistent {
    using Layer = LstmLayer<INT4>;
    using Pass = typename Layer::Pass;

    const LstmView& model;
    const LstmLink& link;
    const LstmExchange exchange;
    const MAIL mail;
    const LstmLinkLayout layout;
    const LstmShared shared;
    const LstmResident resident;
    const int slice;
    const UnitLane at;
    uint32_t* const header;
    uint32_t* const features;
    uint32_t* const hidden;
    float* const y;
    /** As LstmResident has them; of ahead and cells this thread's, of layer 0. */
    float* const means;
    float* const inverseDeviations;
    float* const ahead;
    float* const cells;
    uint8_t* const weights;
    /** Of layer 0, and of layer 1, whose shape all others have. What a request needs of a thread is worked out once. */
    const Pass firstInput;
    const Pass firstRecurrent;
    const Pass secondInput;
    const Pass secondRecurrent;

    TIERCEL_DEVICE LstmPersistent(const LstmView& model, const LstmLink& link)
        : model(model),
          link(link),
          exchange(model),
          mail(model, link),
          layout(model),
          shared(model),
          resident(model),
          slice(blockIndex()),
          at(model, blockIndex(), 0),
          header(reinterpret_cast<uint32_t*>(sharedMemory() + shared.header)),
          features(reinterpret_cast<uint32_t*>(sharedMemory())),
          hidden(reinterpret_cast<uint32_t*>(sharedMemory() + shared.hidden)),
          y(reinterpret_cast<float*>(sharedMemory() + shared.outputs)),
          means(reinterpret_cast<float*>(sharedMemory() + shared.bytes)),
          inverseDeviations(reinterpret_cast<float*>(sharedMemory() + shared.bytes + resident.inverseDeviations)),
          ahead(reinterpret_cast<float*>(sharedMemory() + shared.bytes + resident.ahead) + at.index * GATES + at.gate),
          cells(reinterpret_cast<float*>(sharedMemory() + shared.bytes + resident.cells) + at.index),
          weights(sharedMemory() + shared.bytes + resident.weights),
          firstInput(model, model.layer[0].input, layerWeights(0), at),
          firstRecurrent(model, model.layer[0].recurrent, layerWeights(0) + model.layer[0].input.sliceBytes, at),
          secondInput(model, second().input, layerWeights(1), at),
          secondRecurrent(model, second().recurrent, layerWeights(1) + second().input.sliceBytes, at) {}

    TIERCEL_DEVICE void run() const {
        keepModel();
        clearVectors(shared);
        mail.begin();
        syncThreads();
        uint32_t sessionHere = STOP_SESSION;
        for (uint32_t sequence = link.firstSequence;; sequence++) {
            const int mailbox = static_cast<int>(sequence & 1) * exchange.words;
            slice == 0 ? receive(mailbox, sequence) : follow(mailbox, sequence);
            const uint32_t session = header[0];
            if (session == STOP_SESSION) {
                return;
            }
            uint8_t* const state = link.sessions + session * link.sessionStride;
            if (header[1] != 0) {
                load(sequence, state);
            } else if (session != sessionHere) {
                fetch(state);
            }
            sessionHere = session;
            step(mailbox, sequence);
            if (slice == 0) {
                answer(sequence);
            }
            settle(sequence, state);
            workAhead(state);
        }
    }

private:
    TIERCEL_DEVICE const uint32_t* hiddenVector(int layer) const { return hidden + layer * model.hiddenWords; }
    /** Layer 1; of a model that has none, layer 0, and nothing is made of it. */
    TIERCEL_DEVICE const LstmLayerView& second() const { return model.layer[model.layers > 1 ? 1 : 0]; }

    /** Of a layer after the first one. */
    TIERCEL_DEVICE int layerBytes() const { return second().input.sliceBytes + second().recurrent.sliceBytes; }

    /** Where the slices of layer 0 or 1 are. */
    TIERCEL_DEVICE const uint8_t* layerWeights(int layer) const {
        const LstmLayerView& first = model.layer[0];
        return weights + model.head.bytes + (layer == 0 ? 0 : first.input.sliceBytes + first.recurrent.sliceBytes);
    }

    /** 16 bytes at a time, all threads. */
    static TIERCEL_DEVICE uint8_t* copy(uint8_t* to, const uint8_t* from, int bytes) {
        for (int i = threadIndex(); i < bytes / 16; i += threadCount()) {
            reinterpret_cast<Words4*>(to)[i] = reinterpret_cast<const Words4*>(from)[i];
        }
        return to + bytes;
    }

    TIERCEL_DEVICE void keepModel() const {
        for (int i = threadIndex(); i < model.features; i += threadCount()) {
            means[i] = model.means[i];
            inverseDeviations[i] = model.inverseDeviations[i];
        }
        uint8_t* to = copy(weights, model.head.packed, model.head.bytes);
        for (int layer = 0; layer < model.layers; layer++) {
            for (const LstmMatrixView* matrix : {&model.layer[layer].input, &model.layer[layer].recurrent}) {
                to = copy(to, matrix->slices + static_cast<int64_t>(slice) * matrix->sliceBytes, matrix->sliceBytes);
            }
        }
    }

    /** All that a step of another session than the last one begins with, at once: it is far away. */
    TIERCEL_DEVICE void fetch(uint8_t* state) const {
        for (int layer = 0; layer < model.layers; layer++) {
            if (at.hasOwnGate()) {
                ahead[layer * resident.slots * GATES] = aheadOf(model, state, layer)[at.aheadIndex()];
            }
            if (at.isFirst()) {
                cells[layer * resident.slots] = cellsOf(model, state, layer)[at.unit];
            }
        }
    }

    /**
     * What the host has of a session, in place of what is here, and the work ahead of its step. Each block reads all
     * hidden values from the host's memory: it is far, but this is rare.
     */
    TIERCEL_DEVICE void load(uint32_t sequence, uint8_t* state) const {
        const uint64_t* words = link.request(layout, sequence) + layout.requestState;
        for (int layer = 0; layer < model.layers; layer++, words += layout.layerWords) {
            if (at.isFirst()) {
                const uint32_t bits = awaitTagged(words + at.unit, sequence);
                std::memcpy(cells + layer * resident.slots, &bits, sizeof bits);
            }
            uint32_t* const vector = hidden + layer * model.hiddenWords;
            awaitShare(
                words + model.hidden, threadIndex(), threadCount(), layout.hiddenWords, sequence,
                [&](int index, uint32_t content) { vector[index] = content; });
        }
        syncThreads();
        workAhead(state);
        syncThreads();
    }

    /** Block 0: a request from the host; features as integers, to itself and to the others. */
    TIERCEL_DEVICE void receive(int mailbox, uint32_t sequence) const {
        awaitShare(
            link.request(layout, sequence), threadIndex(), threadCount(), HEADER_WORDS + model.features, sequence,
            [&](int index, uint32_t content) {
                if (index < HEADER_WORDS) {
                    header[index] = content;
                    if (model.slices > 1) {
                        mail.post(mailbox + index, sequence, content);
                    }
                } else {
                    float value;
                    std::memcpy(&value, &content, sizeof value);
                    quantiseFeature(model, means, inverseDeviations, index - HEADER_WORDS, value, features);
                }
            });
        syncThreads();
        if (model.slices > 1) {
            mail.postAll(
                mailbox + exchange.features, model.planes * model.featureWords, sequence,
                [&](int i) { return features[i]; });
        }
    }

    /** Another block: the same from block 0. */
    TIERCEL_DEVICE void follow(int mailbox, uint32_t sequence) const {
        awaitMail(
            mailbox, HEADER_WORDS + model.planes * model.featureWords, sequence, [&](int index, uint32_t content) {
                (index < HEADER_WORDS ? header[index] : features[index - HEADER_WORDS]) = content;
            });
        syncThreads();
    }

    /** take(index, content) of all words from one of the mail's on, by all threads; then all of them may use it. */
    template <class Take>
    TIERCEL_DEVICE void awaitMail(int from, int count, uint32_t sequence, const Take& take) const {
        awaitShareOf(
            [&](int index) { return mail.look(from + index); }, threadIndex(), threadCount(), count, sequence, take);
    }

    TIERCEL_DEVICE void step(int mailbox, uint32_t sequence) const {
        const uint32_t* vector = features;
        uint32_t* output = hidden;
        float* layerAhead = ahead;
        float* layerCells = cells;
        Pass pass = firstInput;
        int planes = model.planes;
        for (int layer = 0; layer < model.layers; layer++) {
            const auto unit = Layer::stepUnit(
                model, pass, at, at.hasOwnGate() ? *layerAhead : 0.0f, at.isFirst() ? *layerCells : 0.0f, vector,
                planes, model.layer[layer].inverseHiddenScale);
            if (at.isFirst()) {
                reinterpret_cast<int8_t*>(output)[at.unit] = unit.hidden;
                *layerCells = unit.cell;
            }
            syncThreads();
            if (model.slices > 1) {
                goAround(mailbox, sequence, layer);
            }
            vector = output;
            output += model.hiddenWords;
            layerAhead += resident.slots * GATES;
            layerCells += resident.slots;
            if (layer == 0) {
                pass = secondInput;
                planes = 1;
            } else {
                pass.advance(layerBytes());
            }
        }
    }

    /** Where this slice's words of a hidden vector begin and end. */
    TIERCEL_DEVICE int firstWord() const { return slice * model.unitsPerSlice / 4; }
    TIERCEL_DEVICE int endWord() const {
        const int end = firstWord() + model.unitsPerSlice / 4;
        return end < exchange.hiddenWords ? end : exchange.hiddenWords;
    }

    /** A layer's hidden values, this slice's to the other blocks and theirs to this one. */
    TIERCEL_DEVICE void goAround(int mailbox, uint32_t sequence, int layer) const {
        const int all = mailbox + exchange.hidden + layer * exchange.hiddenWords;
        uint32_t* const vector = hidden + layer * model.hiddenWords;
        mail.postAll(
            all + firstWord(), endWord() - firstWord(), sequence, [&](int i) { return vector[firstWord() + i]; });
        awaitMail(all, exchange.hiddenWords, sequence, [&](int index, uint32_t content) {
            if (index < firstWord() || index >= endWord()) {
                vector[index] = content;
            }
        });
        syncThreads();
    }

    /** Block 0: the head's outputs to the host. */
    TIERCEL_DEVICE void answer(uint32_t sequence) const {
        LstmHeadView head = model.head;
        head.packed = weights;
        headOutputs(model, head, hiddenVector(model.layers - 1), y);
        syncThreads();
        if (threadIndex() < WARP_LANES) {
            uint64_t* const words = link.response(layout, sequence);
            giveOutputs(model, y, [&](int i, float value) {
                uint32_t bits;
                std::memcpy(&bits, &value, sizeof bits);
                send(words + i, sequence, bits);
            });
        }
    }

    /** What the step has made of this slice, to the host and to the session's state here. */
    TIERCEL_DEVICE void settle(uint32_t sequence, uint8_t* state) const {
        uint64_t* words = link.response(layout, sequence) + layout.responseState;
        for (int layer = 0; layer < model.layers; layer++, words += layout.layerWords) {
            for (int i = firstWord() + threadIndex(); i < endWord(); i += threadCount()) {
                send(words + model.hidden + i, sequence, hiddenVector(layer)[i]);
            }
            if (at.isFirst()) {
                const float cell = cells[layer * resident.slots];
                uint32_t bits;
                std::memcpy(&bits, &cell, sizeof bits);
                send(words + at.unit, sequence, bits);
                cellsOf(model, state, layer)[at.unit] = cell;
                hiddenOf(model, state, layer)[at.unit] =
                    reinterpret_cast<const int8_t*>(hiddenVector(layer))[at.unit];
            }
        }
    }

    TIERCEL_DEVICE void workAhead(uint8_t* state) const {
        Pass pass = firstRecurrent;
        for (int layer = 0; layer < model.layers; layer++) {
            const float sums = Layer::aheadUnit(model, pass, at, hiddenVector(layer));
            if (at.hasOwnGate()) {
                ahead[layer * resident.slots * GATES] = sums;
                aheadOf(model, state, layer)[at.aheadIndex()] = sums;
            }
            if (layer == 0) {
                pass = secondRecurrent;
            } else {
                pass.advance(layerBytes());
            }
        }
    }
};

}  // namespace
}  // namespace tiercel

/** Of a model with one pass. Grid: (slices), all resident. Shared memory: persistentBytes. */
TIERCEL_KERNEL tiercel_lstm_persistent_int8(const tiercel::LstmView model, const tiercel::LstmLink link) {
    tiercel::LstmPersistent<false, tiercel::MemoryMail>(model, link).run();
}
TIERCEL_KERNEL tiercel_lstm_persistent_int4(const tiercel::LstmView model, const tiercel::LstmLink link) {
    tiercel::LstmPersistent<true, tiercel::MemoryMail>(model, link).run();
}

#if TIERCEL_HAS_CLUSTERS
/** The same of a cluster. Shared memory: clusterBytes. */
TIERCEL_KERNEL tiercel_lstm_cluster_int8(const tiercel::LstmView model, const tiercel::LstmLink link) {
    tiercel::LstmPersistent<false, tiercel::ClusterMail>(model, link).run();
}
TIERCEL_KERNEL tiercel_lstm_cluster_int4(const tiercel::LstmView model, const tiercel::LstmLink link) {
    tiercel::LstmPersistent<true, tiercel::ClusterMail>(model, link).run();
}
#endif

#endif
