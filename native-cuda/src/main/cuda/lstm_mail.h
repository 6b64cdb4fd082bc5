/*
 * How the blocks of a kernel of the lstm family that stays leave words for each other; LstmExchange says which, and
 * where. In the GPU's memory they stand once, for any number of blocks. In a cluster each block has them in its own
 * shared memory, where the others store them: that is nearer than anything else that two blocks have in common, but a
 * cluster is of few blocks, and only newer GPUs have any.
 *
 * Either has post and postAll, of a word and of several by all threads of a block, which the others come to see and,
 * where it costs nothing, this one too; and look. An index is of both sequences' places.
 */
#ifndef TIERCEL_LSTM_MAIL_H
#define TIERCEL_LSTM_MAIL_H

#include "await_words.h"
#include "lstm_link.h"

namespace tiercel {
namespace {

class MemoryMail {
public:
    TIERCEL_DEVICE MemoryMail(const LstmView&, const LstmLink& link) : words(link.exchange) {}

    /** The host has zeroed the words. */
    TIERCEL_DEVICE void begin() const {}

    TIERCEL_DEVICE void post(int index, uint32_t sequence, uint32_t content) const {
        send(words + index, sequence, content);
    }

    template <class Content>
    TIERCEL_DEVICE void postAll(int index, int count, uint32_t sequence, const Content& content) const {
        for (int i = threadIndex(); i < count; i += threadCount()) {
            post(index + i, sequence, content(i));
        }
    }

    TIERCEL_DEVICE uint64_t look(int index) const { return loadRelaxed(words + index); }

private:
    uint64_t* const words;
};

#if TIERCEL_HAS_CLUSTERS
/**
 * Of a grid that is one cluster. A block ends when it has seen all that the others have stored into it, so none of them
 * stores into one that has gone.
 */
class ClusterMail {
public:
    TIERCEL_DEVICE ClusterMail(const LstmView& model, const LstmLink&)
        : words(reinterpret_cast<uint64_t*>(sharedMemory() + persistentBytes(model))),
          wordCount(2 * LstmExchange(model).words),
          blocks(model.slices) {}

    TIERCEL_DEVICE void begin() const {
        for (int i = threadIndex(); i < wordCount; i += threadCount()) {
            words[i] = 0;
        }
        syncCluster();
    }

    TIERCEL_DEVICE void post(int index, uint32_t sequence, uint32_t content) const {
        for (int block = 0; block < blocks; block++) {
            storeToBlock(words + index, block, taggedWord(sequence, content));
        }
    }

    /** A warp takes a block. */
    template <class Content>
    TIERCEL_DEVICE void postAll(int index, int count, uint32_t sequence, const Content& content) const {
        const int lane = threadIndex() % WARP_LANES;
        for (int block = threadIndex() / WARP_LANES; block < blocks; block += threadCount() / WARP_LANES) {
            for (int i = lane; i < count; i += WARP_LANES) {
                storeToBlock(words + index + i, block, taggedWord(sequence, content(i)));
            }
        }
    }

    TIERCEL_DEVICE uint64_t look(int index) const { return loadFromBlocks(words + index); }

private:
    uint64_t* const words;
    const int wordCount;
    const int blocks;
};
#endif

}  // namespace
}  // namespace tiercel

#endif
