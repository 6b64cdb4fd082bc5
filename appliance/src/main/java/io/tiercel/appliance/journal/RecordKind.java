package io.tiercel.appliance.journal;

import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;

/** What frames the records of a queue carry. */
enum RecordKind {
    REQUEST(InferDecoder.SCHEMA_ID, InferDecoder.SCHEMA_VERSION) {
        @Override
        boolean isTemplate(final int templateId) {
            return templateId == InferDecoder.TEMPLATE_ID || templateId == ResetSessionDecoder.TEMPLATE_ID;
        }
    },
    OUTCOME(OutcomeDecoder.SCHEMA_ID, OutcomeDecoder.SCHEMA_VERSION) {
        @Override
        boolean isTemplate(final int templateId) {
            return templateId == OutcomeDecoder.TEMPLATE_ID;
        }
    };

    private final int schemaId;
    private final int version;

    RecordKind(final int schemaId, final int version) {
        this.schemaId = schemaId;
        this.version = version;
    }

    int schemaId() {
        return schemaId;
    }

    int version() {
        return version;
    }

    abstract boolean isTemplate(int templateId);
}
