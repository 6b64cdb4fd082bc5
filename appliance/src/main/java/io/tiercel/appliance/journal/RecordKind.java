package io.tiercel.appliance.journal;

import io.tiercel.appliance.sequencer.RequestKind;
import io.tiercel.protocol.journal.OutcomeDecoder;
import io.tiercel.protocol.wire.InferDecoder;

/** What frames the records of a queue carry. */
enum RecordKind {
    REQUEST(InferDecoder.SCHEMA_ID, InferDecoder.SCHEMA_VERSION) {
        @Override
        boolean isTemplate(final int templateId) {
            return RequestKind.of(templateId) != null;
        }
    },
    OUTCOME(OutcomeDecoder.SCHEMA_ID, OutcomeDecoder.SCHEMA_VERSION) {
        @Override
        boolean isTemplate(final int templateId) {
            return templateId == OutcomeDecoder.TEMPLATE_ID;
        }
    };

    private final int schemaId;
    private final int newestVersion;

    RecordKind(final int schemaId, final int newestVersion) {
        this.schemaId = schemaId;
        this.newestVersion = newestVersion;
    }

    int schemaId() {
        return schemaId;
    }

    /** A journal may hold frames of this version and of all before it, from 1. */
    int newestVersion() {
        return newestVersion;
    }

    abstract boolean isTemplate(int templateId);
}
