/*
 * Blocks that make one step together, and the barrier at which they meet. A block alone is a team too, whose barrier is
 * its own. Of more, all are resident at once: they are a cluster, which has a barrier of the GPU's; or each says in a
 * word of its own how often it has arrived, and its threads look at the others' words, so a barrier is one store and one
 * look, and nobody counts.
 */
#ifndef TIERCEL_BLOCK_TEAM_H
#define TIERCEL_BLOCK_TEAM_H

#include "device.h"

namespace tiercel {
namespace {

class BlockTeam {
public:
    /** A block alone. */
    TIERCEL_DEVICE BlockTeam() : BlockTeam(0, 1, nullptr, false) {}
    /** arrivals: [count] of global memory, zeros at first, this team's alone; not used by a cluster. */
    TIERCEL_DEVICE BlockTeam(int index, int count, uint64_t* arrivals, bool isCluster)
        : index(index), count(count), arrivals(arrivals), isCluster(isCluster) {}

    TIERCEL_DEVICE bool isFirst() const { return index == 0; }

    /** What any thread of the team has written before, all of them see after it. */
    TIERCEL_DEVICE void sync(TIERCEL_PLACE) {
#if TIERCEL_HAS_CLUSTERS
        if (isCluster) {
            syncCluster(TIERCEL_SAME_PLACE);
            return;
        }
#endif
        syncThreads(TIERCEL_SAME_PLACE);
        if (count > 1 && isBarrier(TIERCEL_SAME_PLACE)) {
            meet();
            syncThreads();
        }
    }

    const int index;
    const int count;

private:
    /** Releases what the barrier of the block has brought to thread 0, and acquires what the others have released. */
    TIERCEL_DEVICE void meet() {
        meetings++;
        if (threadIndex() == 0) {
            storeRelease(arrivals + index, meetings);
        }
        TIERCEL_UNROLL(1)
        for (int i = threadIndex(); i < count; i += threadCount()) {
            // A block that is ahead has arrived here too.
            while (loadAcquire(arrivals + i) < meetings) {
                pauseThread();
            }
        }
    }

    uint64_t* const arrivals;
    const bool isCluster;
    uint64_t meetings = 0;
};

}  // namespace
}  // namespace tiercel

#endif
