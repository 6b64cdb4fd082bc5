/*
 * What follows a step: the token that the next one will displace from the window is coded. The digest of a state is not
 * kept on the GPU: it is a chain, at which a CPU is faster, so the host makes it of the step's record.
 */
#ifndef TIERCEL_TRANSFORMER_SETTLE_H
#define TIERCEL_TRANSFORMER_SETTLE_H

#include "transformer_cache.h"

namespace tiercel {
namespace {

/** By all threads, after a barrier behind the step. */
TIERCEL_DEVICE void codeAhead(const TransformerBlock& block) {
    const int64_t leaving = block.header().position - block.shape.window;
    if (block.shape.window == 0 || leaving < block.header().codedTokens) {
        return;
    }
    if (block.shape.hasCodes(leaving)) {
        codeRecent(block, leaving);
    }
    syncThreads();
    if (threadIndex() == 0) {
        reinterpret_cast<TransformerHeader*>(block.state)->codedTokens = leaving + 1;
    }
}

}  // namespace
}  // namespace tiercel

#endif
