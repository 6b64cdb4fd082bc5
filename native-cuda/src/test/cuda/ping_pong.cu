/* A kernel that answers and computes nothing: what a request through pinned memory costs at the least. */
#include "await_words.h"

/** Each sequence: awaits all words of a request, then answers with one. Ends with content 1 of the first word. */
TIERCEL_KERNEL tiercel_ping_pong(const uint64_t* request, int count, uint64_t* response) {
    using namespace tiercel;
    uint32_t* const first = reinterpret_cast<uint32_t*>(sharedMemory());
    for (uint32_t sequence = 1;; sequence++) {
        awaitShare(request, threadIndex(), threadCount(), count, sequence, [&](int index, uint32_t content) {
            if (index == 0) {
                *first = content;
            }
        });
        syncThreads();
        if (threadIndex() == 0) {
            send(response, sequence, sequence);
        }
        if (*first == 1) {
            return;
        }
        syncThreads();
    }
}
