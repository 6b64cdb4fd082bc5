/*
 * What follows a step: the token that the next one will displace from the window is coded. The digest of a state is not
 * kept on the GPU: it is a chain, at which a CPU is faster, so the host makes it of the step's record.
 */
#ifndef TIERCEL_TRANSFORMER_SETTLE_H
#define TIERCEL_TRANSFORMER_SETTLE_H

#include "transformer_cache.h"

namespace tiercel {
namespace {

/** The same for all threads until codeAhead; after a barrier behind the step. */
TIERCEL_DEVICE bool isAheadDue(const TransformerBlock& block) {
    return block.shape.window > 0 && block.header().position - block.shape.window >= block.header().codedTokens;
}

/** By all threads of the team, if it is due; after a barrier behind the step. Codes are to be read at once. */
TIERCEL_DEVICE void codeAhead(const TransformerBlock& block) {
    if (!isAheadDue(block)) {
        return;
    }
    const int64_t leaving = block.header().position - block.shape.window;
    if (block.shape.hasCodes(leaving)) {
        codeRecent(block, leaving);
    }
    // All have looked at the header then, too.
    block.team.sync();
    if (block.team.isFirst() && threadIndex() == 0) {
        reinterpret_cast<TransformerHeader*>(block.state)->codedTokens = leaving + 1;
    }
}

}  // namespace
}  // namespace tiercel

#endif
