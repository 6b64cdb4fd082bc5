/*
 * What a GPU has made of its copy of a session's state, made of the host's, from the record of a step: the host's state
 * is the one that counts, and the record is all that a step writes of it, so no more has to come back. The digest is
 * made here again: it is a chain, at which a CPU is faster.
 *
 * A step is taken back by an undo, of the same layout as a record, which has what stood there before: the header in
 * place of the logits, then rows and codes.
 */
#ifndef TIERCEL_TRANSFORMER_MIRROR_H
#define TIERCEL_TRANSFORMER_MIRROR_H

#include <cstring>

#include "digest.h"
#include "transformer_device.h"
#include "transformer_fields.h"

namespace tiercel {

class TransformerMirror {
public:
    explicit TransformerMirror(const TransformerShape& shape)
        : shape(shape), view(TransformerStateView::of(shape)), layout(shape) {}

    /** Before a row of steps is put that may be taken back: the header as it is. */
    void begin(const uint8_t* state, uint8_t* undo) const { std::memcpy(undo, state, sizeof(TransformerHeader)); }

    /** A step of the session, without the work ahead of the next one; undo may be null. */
    void putStep(uint8_t* state, const uint8_t* record, uint8_t* undo) const {
        TransformerHeader& header = *reinterpret_cast<TransformerHeader*>(state);
        const int64_t token = header.position;
        if (hasRecentSlot(token)) {
            eachOfRow(state, shape.recentSlot(token), [&](const Field& field) { exchange(field, record, undo); });
        } else {
            putCodes(state, token, record, undo);
        }
        header.position = token + 1;
        header.digest = Digest::mixWord(header.digest, digestOfRows(record));
        if (shape.window == 0) {
            header.digest = Digest::mixWord(header.digest, token < shape.sinks ? 0 : digestOfCodes(record));
            header.codedTokens = token + 1;
        }
    }

    /** The work ahead of the next step, if there is any: the codes of the token that it will displace. */
    void putAhead(uint8_t* state, const uint8_t* record, uint8_t* undo) const {
        TransformerHeader& header = *reinterpret_cast<TransformerHeader*>(state);
        const int64_t leaving = header.position - shape.window;
        if (!isAheadDue(header)) {
            return;
        }
        if (shape.hasCodes(leaving)) {
            putCodes(state, leaving, record, undo);
        }
        header.digest = Digest::mixWord(header.digest, shape.hasCodes(leaving) ? digestOfCodes(record) : 0);
        header.codedTokens = leaving + 1;
    }

    bool isAheadDue(const TransformerHeader& header) const {
        return shape.window > 0 && header.position - shape.window >= header.codedTokens;
    }

    /** A step that was put with this undo, and before it, with the same, the work ahead of it. */
    void takeBack(uint8_t* state, const uint8_t* undo) const {
        TransformerHeader& header = *reinterpret_cast<TransformerHeader*>(state);
        std::memcpy(&header, undo, sizeof header);
        const int64_t token = header.position;
        if (hasRecentSlot(token)) {
            eachOfRow(state, shape.recentSlot(token), [&](const Field& field) { exchange(field, undo, nullptr); });
        }
        const int64_t coded = token - shape.window;
        if (shape.window > 0 ? isAheadDue(header) && shape.hasCodes(coded) : !hasRecentSlot(token)) {
            putCodes(state, coded, undo, nullptr);
        }
    }

private:
    /** One head's keys or values of a token, of a region of a state, and of a record or an undo. */
    struct Field {
        CodecFormat codec;
        uint8_t* region;
        int32_t slot;
        int32_t channels;
        bool isKeys;
        /** In a record. */
        int64_t offset;
    };

    bool hasRecentSlot(int64_t token) const { return shape.window > 0 || token < shape.sinks; }

    static void exchange(const Field& field, const uint8_t* from, uint8_t* undo) {
        if (undo != nullptr) {
            getCoded(field.codec, field.region, field.slot, reinterpret_cast<int8_t*>(undo + field.offset),
                     field.channels, field.isKeys);
        }
        putCoded(field.codec, field.region, field.slot, reinterpret_cast<const int8_t*>(from + field.offset),
                 field.channels, field.isKeys);
    }

    template <class Use>
    void eachOfRow(uint8_t* state, int slot, const Use& use) const {
        const CodecFormat bytes{8, 1};
        for (int layer = 0; layer < shape.layers; layer++) {
            for (int plane = 0; plane < shape.recentPlanes; plane++) {
                int64_t offset = layout.row(layer, plane);
                for (int head = 0; head < shape.keyValueHeads; head++, offset += shape.headSize) {
                    use(Field{bytes, state + view.recentKeys(layer, head, plane), slot, shape.headSize, true, offset});
                    use(Field{bytes, state + view.recentValues(layer, head, plane), slot, shape.headSize, false,
                              offset + shape.keyCount()});
                }
            }
        }
    }

    void putCodes(uint8_t* state, int64_t token, const uint8_t* from, uint8_t* undo) const {
        ownPage(shape, view, state, token);
        const int slot = shape.codedSlot(token) % TransformerStateView::PAGE_SLOTS;
        uint8_t* const page = view.ownPage(state, shape.codedSlot(token) / TransformerStateView::PAGE_SLOTS);
        for (int layer = 0; layer < shape.layers; layer++) {
            for (int head = 0; head < shape.keyValueHeads; head++) {
                exchange({shape.keyFormat(), page + view.pageKeys(layer, head), slot, shape.headSize, true,
                          layout.codes(layer, head, false)},
                         from, undo);
                exchange({shape.valueFormat(), page + view.pageValues(layer, head), slot, shape.headSize, false,
                          layout.codes(layer, head, true)},
                         from, undo);
            }
        }
    }

    uint64_t digestOfRows(const uint8_t* record) const {
        uint64_t digest = 0;
        for (int layer = 0; layer < shape.layers; layer++) {
            for (int plane = 0; plane < shape.recentPlanes; plane++) {
                digest = Digest::mix(digest, record + layout.row(layer, plane), layout.rowBytes);
            }
        }
        return digest;
    }

    uint64_t digestOfCodes(const uint8_t* record) const {
        uint64_t digest = 0;
        for (int layer = 0; layer < shape.layers; layer++) {
            for (int head = 0; head < shape.keyValueHeads; head++) {
                digest = Digest::mix(
                    digest, record + layout.codes(layer, head, false), shape.keyFormat().codesOf(shape.headSize));
                digest = Digest::mix(
                    digest, record + layout.codes(layer, head, true), shape.valueFormat().codesOf(shape.headSize));
            }
        }
        return digest;
    }

    const TransformerShape shape;
    const TransformerStateView view;
    const TransformerRecord layout;
};

}  // namespace tiercel

#endif
