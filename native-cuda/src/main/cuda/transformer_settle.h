/*
 * What follows a step: its rows in the digest, its session's header and hash; then the token that the next one will
 * displace from the window, coded. The digest is a chain, so it is one warp's.
 */
#ifndef TIERCEL_TRANSFORMER_SETTLE_H
#define TIERCEL_TRANSFORMER_SETTLE_H

#include <cstddef>

#include "state_hash.h"
#include "transformer_cache.h"

namespace tiercel {
namespace {

/** As Digest::mix of so many bytes, behind which there are zeros up to a multiple of 8. */
TIERCEL_DEVICE uint64_t mixBytes(uint64_t hash, const uint8_t* bytes, int count) {
    const uint64_t* const words = reinterpret_cast<const uint64_t*>(bytes);
    return Digest::finish(chainWords(hash, (count + 7) / 8, [&](int index) { return words[index]; }), count);
}

/** Of a token's keys and values of all layers. */
TIERCEL_DEVICE uint64_t digestOfRows(const TransformerBlock& block) {
    const TransformerRecord& record = block.model.record;
    uint64_t digest = 0;
    TIERCEL_UNROLL(1)
    for (int layer = 0; layer < block.shape.layers; layer++) {
        TIERCEL_UNROLL(1)
        for (int plane = 0; plane < block.shape.recentPlanes; plane++) {
            digest = mixBytes(digest, block.record + record.row(layer, plane), record.rowBytes);
        }
    }
    return digest;
}

/** Of the codes of the token that has been coded, of all layers. */
TIERCEL_DEVICE uint64_t digestOfCodes(const TransformerBlock& block) {
    const TransformerRecord& record = block.model.record;
    const int keyCodes = block.shape.keyFormat().codesOf(block.shape.headSize);
    const int valueCodes = block.shape.valueFormat().codesOf(block.shape.headSize);
    uint64_t digest = 0;
    TIERCEL_UNROLL(1)
    for (int layer = 0; layer < block.shape.layers; layer++) {
        TIERCEL_UNROLL(1)
        for (int head = 0; head < block.shape.keyValueHeads; head++) {
            digest = mixBytes(digest, block.record + record.codes(layer, head, false), keyCodes);
            digest = mixBytes(digest, block.record + record.codes(layer, head, true), valueCodes);
        }
    }
    return digest;
}

/** From lane 0, so that no other lane's read can come after that lane's write. */
TIERCEL_DEVICE uint64_t ofFirstLane(const uint64_t* value) {
    return shuffle(laneIndex() == 0 ? *value : 0, 0);
}

/** After a step, by a warp: the header; returns the session's hash, which was another one before. */
TIERCEL_DEVICE uint64_t settle(const TransformerBlock& block, uint64_t hash) {
    TransformerHeader* const header = reinterpret_cast<TransformerHeader*>(block.state);
    const int64_t position = static_cast<int64_t>(ofFirstLane(reinterpret_cast<const uint64_t*>(&header->position)));
    uint64_t digest = Digest::mixWord(ofFirstLane(&header->digest), digestOfRows(block));
    if (block.shape.window == 0) {
        digest = Digest::mixWord(digest, position < block.shape.sinks ? 0 : digestOfCodes(block));
    }
    if (laneIndex() == 0) {
        header->position = position + 1;
        header->digest = digest;
        if (block.shape.window == 0) {
            header->codedTokens = position + 1;
        }
    }
    hash = Digest::mixWord(Digest::mixWord(hash, static_cast<uint64_t>(position + 1)), digest);
    return Digest::finish(hash, offsetof(TransformerHeader, codedTokens));
}

/** Codes the token that the next one will displace from the window, if there is one; by all threads. */
TIERCEL_DEVICE void codeAhead(const TransformerBlock& block) {
    const int64_t leaving = block.header().position - block.shape.window;
    if (block.shape.window == 0 || leaving < block.header().codedTokens) {
        return;
    }
    const bool hasCodes = block.shape.hasCodes(leaving);
    if (hasCodes) {
        codeRecent(block, leaving);
    }
    syncThreads();
    if (warpIndex() == 0) {
        TransformerHeader* const header = reinterpret_cast<TransformerHeader*>(block.state);
        const uint64_t digest =
            Digest::mixWord(ofFirstLane(&header->digest), hasCodes ? digestOfCodes(block) : 0);
        if (laneIndex() == 0) {
            header->digest = digest;
            header->codedTokens = leaving + 1;
        }
    }
}

}  // namespace
}  // namespace tiercel

#endif
