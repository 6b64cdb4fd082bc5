/*
 * How a host and a transformer's kernel that stays speak. Its grid is teams of blocks: a team makes one step at a time,
 * and hears of nothing but requests of its own, which have numbers of their own.
 *
 * All words of a request are tagged (tagged_word.h), and its first one, the doorbell, is stored last with release and
 * looked at with acquire: so whatever else the host has written before, a row's inputs or a state on its way, is there
 * for whoever has seen it.
 *
 *   request   operation | copy of a state | another copy, or count of steps | index of record and outputs
 *             | whether each step's outputs are wanted | up to HEADER_WORDS | inputs of one step   host to block 0
 *   done      phase, under the tag of the request                                                   block 0 to the host
 *
 * A done word is stored with release, behind all that the phase says: ANSWERED, outputs are there; RECORDED, the record
 * too; SETTLED, the work ahead of the next step has been done, its codes are in the record, and nothing of the request
 * is under way. A step has all three in turn, but those that would come at once; everything else the last alone.
 *
 * Requests of a team have places that they take by turns, a power of two: one may be written to a place once that
 * before it there is settled. A team whose first request to another's copy of a state comes after that is settled sees
 * it whole, for whatever has been released to the host is released to whom the host tells of it.
 */
#ifndef TIERCEL_TRANSFORMER_LINK_H
#define TIERCEL_TRANSFORMER_LINK_H

#include "tagged_word.h"
#include "transformer_device.h"

namespace tiercel {

enum class TransformerOperation : uint32_t {
    STOP,
    /** Nothing: whether all blocks are there. */
    GREET,
    /** A step of a copy. */
    STEP,
    /** Some in a row, with inputs from TransformerLink::inputs. */
    ROW,
    /** The work ahead of a copy's next step alone. */
    AHEAD,
    /** A copy from TransformerLink::bringing. */
    BRING,
    /** A copy from another one. */
    COPY
};

enum class TransformerPhase : uint32_t { NONE, ANSWERED, RECORDED, SETTLED };

/** Words of a request. */
enum TransformerRequestWord {
    REQUEST_OPERATION,
    REQUEST_COPY,
    /** From which COPY copies, or how many steps a ROW has. */
    REQUEST_FROM_OR_COUNT,
    REQUEST_INDEX,
    REQUEST_ARE_ALL_WANTED
};

/** Of a place: whole cache lines. */
TIERCEL_INLINE int32_t requestPlaceWords(const TransformerShape& shape) {
    return (TRANSFORMER_REQUEST_HEADER_WORDS + shape.inputWords() + 7) / 8 * 8;
}

/** Of what the blocks of a team say to each other: how often each has arrived, then a request. */
TIERCEL_INLINE int32_t exchangeWords(const TransformerShape& shape, int32_t blocks) {
    return (blocks + 7) / 8 * 8 + requestPlaceWords(shape);
}

/** Addresses of the GPU, and numbers, of 64 bits all of them: as they cross the C interface. */
struct TransformerLink {
    // Of the host.
    /** [team][place][requestPlaceWords]. */
    const uint64_t* requests;
    /** [team][place]. */
    uint64_t* done;
    /** Of a row, one step's after the other. */
    const uint8_t* inputs;
    /** A canonical state on its way, with all pages in their own places. */
    const uint8_t* bringing;
    /** [index], and as many records. */
    uint8_t* outputs;
    uint8_t* hostRecords;
    // Of the GPU.
    uint8_t* records;
    /** [copy]. */
    uint8_t* states;
    /** [team][exchangeWords], zeros at first. */
    uint64_t* exchange;
    /** [team][block] of a workspace's vectors; null where they are in shared memory. */
    uint8_t* vectors;
    /** [team] of vectors, of which those that blocks have in common are used; null where a team is a block. */
    uint8_t* common;
    int64_t outputStride;
    /** Of a team. */
    int64_t blocks;
    int64_t places;
    int64_t firstSequence;
    /** Whether the blocks of a team are one: 0 or 1. */
    int64_t isCluster;
};

}  // namespace tiercel

#endif
