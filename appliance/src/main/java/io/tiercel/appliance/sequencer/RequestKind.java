package io.tiercel.appliance.sequencer;

import io.tiercel.protocol.wire.AdministerDecoder;
import io.tiercel.protocol.wire.ForkSessionDecoder;
import io.tiercel.protocol.wire.GenerateDecoder;
import io.tiercel.protocol.wire.InferDecoder;
import io.tiercel.protocol.wire.ResetSessionDecoder;

/** What a request asks for: one for each template that goes into the ring. */
public enum RequestKind {
    /** Steps, and their outputs. */
    INFER(InferDecoder.TEMPLATE_ID),
    /** The session's first state. */
    RESET(ResetSessionDecoder.TEMPLATE_ID),
    /** The state of another session. */
    FORK(ForkSessionDecoder.TEMPLATE_ID),
    /** Steps, and one token that the model makes of them. */
    GENERATE(GenerateDecoder.TEMPLATE_ID),
    /** Another route of sessions to versions: no session's request, and nothing to infer. */
    ADMINISTER(AdministerDecoder.TEMPLATE_ID);

    private final int templateId;

    RequestKind(final int templateId) {
        this.templateId = templateId;
    }

    public int templateId() {
        return templateId;
    }

    /** Whether the session steps: there is input, and a budget may run out before. */
    public boolean hasSteps() {
        return this == INFER || this == GENERATE;
    }

    /** The kind of a frame that a {@link io.tiercel.protocol.FrameValidator} has found sound; null if it is none. */
    public static RequestKind of(final int templateId) {
        return switch (templateId) {
            case InferDecoder.TEMPLATE_ID -> INFER;
            case ResetSessionDecoder.TEMPLATE_ID -> RESET;
            case ForkSessionDecoder.TEMPLATE_ID -> FORK;
            case GenerateDecoder.TEMPLATE_ID -> GENERATE;
            case AdministerDecoder.TEMPLATE_ID -> ADMINISTER;
            default -> null;
        };
    }
}
