/*
 * A transformer's steps by a kernel that stays: no launch stands between a request and its answer. A block, or several
 * that share each matrix's rows and the heads, make a step; other such teams make other positions' steps meanwhile.
 * After the answer a team gives the host the step's record and does the work ahead of the session's next step.
 */
#ifndef TIERCEL_TRANSFORMER_PERSISTENT_CU
#define TIERCEL_TRANSFORMER_PERSISTENT_CU

#include "await_words.h"
#include "transformer_forward.h"
#include "transformer_link.h"
#include "transformer_settle.h"

namespace tiercel {
namespace {

class TransformerPersistent {
public:
    TIERCEL_DEVICE TransformerPersistent(const DeviceTransformer& model, const TransformerLink& link)
        : model(model),
          link(link),
          teamIndex(positionIndex()),
          exchange(link.exchange + static_cast<int64_t>(teamIndex) * exchangeWords(model.shape, blocks())),
          team(blockIndex(), blocks(), exchange, link.isCluster != 0),
          ownVectors(link.vectors == nullptr
                         ? nullptr
                         : link.vectors + (static_cast<int64_t>(teamIndex) * blocks() + team.index) * vectorBytes()),
          commonVectors(blocks() == 1 ? nullptr : link.common + teamIndex * vectorBytes()),
          request(block(nullptr, nullptr).vector<uint32_t>(model.workspace.request)) {}

    TIERCEL_DEVICE void run() {
        for (uint32_t sequence = static_cast<uint32_t>(link.firstSequence);; sequence++) {
            receive(sequence);
            switch (static_cast<TransformerOperation>(request[REQUEST_OPERATION])) {
                case TransformerOperation::STOP: return;
                case TransformerOperation::GREET: break;
                case TransformerOperation::STEP: step(sequence); break;
                case TransformerOperation::ROW: row(); break;
                case TransformerOperation::AHEAD: ahead(); break;
                case TransformerOperation::BRING: copyState(link.bringing); break;
                case TransformerOperation::COPY: copyState(state(request[REQUEST_FROM_OR_COUNT])); break;
            }
            // Nobody reads anything of the request after this.
            team.sync();
            say(sequence, TransformerPhase::SETTLED);
        }
    }

private:
    TIERCEL_DEVICE int blocks() const { return static_cast<int>(link.blocks); }
    TIERCEL_DEVICE int64_t vectorBytes() const { return model.workspace.vectorBytes; }
    TIERCEL_DEVICE int64_t placeOf(uint32_t sequence) const {
        return teamIndex * link.places + (sequence & static_cast<uint32_t>(link.places - 1));
    }
    TIERCEL_DEVICE uint8_t* state(uint32_t copy) const { return link.states + copy * model.state.bytes; }
    TIERCEL_DEVICE uint8_t* record(uint32_t index) const { return link.records + index * model.record.bytes; }

    /** What a step is computed with. */
    TIERCEL_DEVICE TransformerBlock block(uint8_t* ofState, uint8_t* ofRecord) {
        return TransformerBlock(model, team, ofState, ofRecord, ownVectors, commonVectors);
    }

    /** Block 0 hears the host, and says to the others what it hears; each has the request then. */
    TIERCEL_DEVICE void receive(uint32_t sequence) {
        const int count = TRANSFORMER_REQUEST_HEADER_WORDS + model.shape.inputWords();
        uint64_t* const said = exchange + (team.count + 7) / 8 * 8;
        const bool isSaid = team.isFirst() && team.count > 1;
        const uint64_t* const words =
            team.isFirst() ? link.requests + placeOf(sequence) * requestPlaceWords(model.shape) : said;
        if (threadIndex() == 0) {
            request[0] = awaitDoorbell(words, sequence);
            if (isSaid) {
                ringDoorbell(said, sequence, request[0]);
            }
        } else {
            awaitShare(
                words, threadIndex(), threadCount() - 1, count, sequence, [&](int index, uint32_t content) {
                    request[index] = content;
                    if (isSaid) {
                        send(said + index, sequence, content);
                    }
                });
        }
        syncThreads();
    }

    /** Behind a barrier of the team, or of block 0 for what that has written alone. */
    TIERCEL_DEVICE void say(uint32_t sequence, TransformerPhase phase) const {
        if (team.isFirst() && threadIndex() == 0) {
            ringDoorbell(link.done + placeOf(sequence), sequence, static_cast<uint32_t>(phase));
        }
    }

    TIERCEL_DEVICE float* outputs(uint32_t index) const {
        return reinterpret_cast<float*>(link.outputs + index * link.outputStride);
    }

    TIERCEL_DEVICE void step(uint32_t sequence) {
        const uint32_t index = request[REQUEST_INDEX];
        TransformerBlock of = block(state(request[REQUEST_COPY]), record(index));
        forward(of, request + TRANSFORMER_REQUEST_HEADER_WORDS, outputs(index));
        if (team.isFirst()) {
            syncThreads();
            say(sequence, TransformerPhase::ANSWERED);
        }
        // The others' rows, and of logits what block 0 has made of them.
        team.sync();
        giveRecord(of, index, 0, model.shape.window > 0 ? model.record.codesOffset : model.record.bytes);
        if (isAheadDue(of)) {
            team.sync();
            say(sequence, TransformerPhase::RECORDED);
            codeAhead(of);
            giveRecord(of, index, model.record.codesOffset, model.record.bytes);
        }
    }

    TIERCEL_DEVICE void row() {
        const uint32_t first = request[REQUEST_INDEX];
        const uint32_t count = request[REQUEST_FROM_OR_COUNT];
        const bool areAllWanted = request[REQUEST_ARE_ALL_WANTED] != 0;
        const int inputBytes = 4 * model.shape.inputWords();
        TIERCEL_UNROLL(1)
        for (uint32_t i = 0; i < count; i++) {
            TransformerBlock of = block(state(request[REQUEST_COPY]), record(first + i));
            float* const last = i == count - 1 ? outputs(first) : nullptr;
            forward(of, link.inputs + i * inputBytes, areAllWanted ? outputs(first + i) : last);
            team.sync();
            codeAhead(of);
            // A step writes to no other's record, and has its first barrier before it writes to what codeAhead reads.
            giveRecord(of, first + i, 0, model.record.bytes);
        }
    }

    TIERCEL_DEVICE void ahead() {
        const uint32_t index = request[REQUEST_INDEX];
        TransformerBlock of = block(state(request[REQUEST_COPY]), record(index));
        codeAhead(of);
        giveRecord(of, index, model.record.codesOffset, model.record.bytes);
    }

    TIERCEL_DEVICE void copyState(const uint8_t* from) const {
        copy(state(request[REQUEST_COPY]), from, model.state.tableOffset);
    }

    TIERCEL_DEVICE void giveRecord(const TransformerBlock& of, uint32_t index, int64_t from, int64_t to) const {
        copy(link.hostRecords + index * model.record.bytes + from, of.record + from, to - from);
    }

    /** By all threads of the team, whole cache lines. Some loads come first: each may take as long as many. */
    TIERCEL_DEVICE void copy(uint8_t* to, const uint8_t* from, int64_t bytes) const {
        constexpr int AT_ONCE = 4;
        const int64_t count = bytes / static_cast<int64_t>(sizeof(Words4));
        const int64_t stride = static_cast<int64_t>(team.count) * threadCount();
        Words4* const target = reinterpret_cast<Words4*>(to);
        const Words4* const source = reinterpret_cast<const Words4*>(from);
        TIERCEL_UNROLL(1)
        for (int64_t base = team.index * threadCount() + threadIndex(); base < count; base += AT_ONCE * stride) {
            Words4 some[AT_ONCE];
            TIERCEL_UNROLL(4)
            for (int i = 0; i < AT_ONCE; i++) {
                if (base + i * stride < count) {
                    some[i] = source[base + i * stride];
                }
            }
            TIERCEL_UNROLL(4)
            for (int i = 0; i < AT_ONCE; i++) {
                if (base + i * stride < count) {
                    target[base + i * stride] = some[i];
                }
            }
        }
    }

    const DeviceTransformer& model;
    const TransformerLink& link;
    const int teamIndex;
    uint64_t* const exchange;
    BlockTeam team;
    uint8_t* const ownVectors;
    uint8_t* const commonVectors;
    uint32_t* const request;
};

}  // namespace
}  // namespace tiercel

/** Grid: (blocks of a team, teams), all resident, a team a cluster where the link says so. Threads and shared memory as of tiercel_transformer_step. */
TIERCEL_KERNEL_OF(tiercel::TRANSFORMER_THREADS) tiercel_transformer_persistent(
    TIERCEL_PARAMETER tiercel::DeviceTransformer model, TIERCEL_PARAMETER tiercel::TransformerLink link) {
    tiercel::TransformerPersistent(model, link).run();
}

#endif
