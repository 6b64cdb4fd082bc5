/* Tagged words, sent and awaited by threads of a kernel. */
#ifndef TIERCEL_AWAIT_WORDS_H
#define TIERCEL_AWAIT_WORDS_H

#include "device.h"
#include "tagged_word.h"

namespace tiercel {
namespace {

TIERCEL_DEVICE void send(uint64_t* word, uint32_t sequence, uint32_t content) {
    storeRelaxed(word, taggedWord(sequence, content));
}

/** The content of a word, once it belongs to a sequence. */
TIERCEL_DEVICE uint32_t awaitTagged(const uint64_t* word, uint32_t sequence) {
    for (;;) {
        const uint64_t value = loadRelaxed(word);
        if (belongsTo(value, sequence)) {
            return static_cast<uint32_t>(value);
        }
        pauseThread();
    }
}

/** The same of one that is stored after all that it tells of, from wherever; and that store. */
TIERCEL_DEVICE uint32_t awaitDoorbell(const uint64_t* word, uint32_t sequence) {
    for (;;) {
        const uint64_t value = loadAcquireOfHost(word);
        if (belongsTo(value, sequence)) {
            return static_cast<uint32_t>(value);
        }
        pauseThread();
    }
}
TIERCEL_DEVICE void ringDoorbell(uint64_t* word, uint32_t sequence, uint32_t content) {
    storeReleaseToHost(word, taggedWord(sequence, content));
}

/**
 * take(index, content) of this thread's share of count words, which look(index) loads: those at its index and every
 * stride after it. A few are loaded at once, since a load from another machine's memory takes as long as many.
 */
template <class Look, class Take>
TIERCEL_DEVICE void awaitShareOf(
    const Look& look, int first, int stride, int count, uint32_t sequence, const Take& take) {
    constexpr int AT_ONCE = 4;
    for (int base = first; base < count; base += AT_ONCE * stride) {
        uint64_t values[AT_ONCE];
        bool isComplete;
        do {
            isComplete = true;
            TIERCEL_UNROLL(4)
            for (int i = 0; i < AT_ONCE; i++) {
                const int index = base + i * stride;
                values[i] = index < count ? look(index) : taggedWord(sequence, 0);
            }
            TIERCEL_UNROLL(4)
            for (int i = 0; i < AT_ONCE; i++) {
                isComplete = isComplete && belongsTo(values[i], sequence);
            }
            if (!isComplete) {
                pauseThread();
            }
        } while (!isComplete);
        TIERCEL_UNROLL(4)
        for (int i = 0; i < AT_ONCE; i++) {
            const int index = base + i * stride;
            if (index < count) {
                take(index, static_cast<uint32_t>(values[i]));
            }
        }
    }
}

/** The same of words that stand one after the other in memory. */
template <class Take>
TIERCEL_DEVICE void awaitShare(
    const uint64_t* words, int first, int stride, int count, uint32_t sequence, const Take& take) {
    awaitShareOf([&](int index) { return loadRelaxed(words + index); }, first, stride, count, sequence, take);
}

}  // namespace
}  // namespace tiercel

#endif
