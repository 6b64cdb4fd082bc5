package io.tiercel.tools.load;

import io.tiercel.tools.ToolException;

/** For polls between two measured parts: nothing is asked, so nothing is answered. */
public enum NobodyAsked implements AnswerHandler {
    INSTANCE;

    @Override
    public long onAnswer(final long correlationId, final AnswerKind kind) {
        return -1;
    }

    @Override
    public void onDisconnect() {
        throw ToolException.environment("the appliance let go of the client");
    }
}
