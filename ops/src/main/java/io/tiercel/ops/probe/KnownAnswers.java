package io.tiercel.ops.probe;

import io.tiercel.protocol.client.ModelInfo;

/** Where a probe knows from what is right. */
public interface KnownAnswers {

    /**
     * The bits of the outputs after the question's last step, in a session that was new; null if they are not known.
     * Asked at each question: whoever has to compute them keeps them.
     */
    int[] outputBits(ModelInfo model, ProbeQuestion question);

    /**
     * Takes an answer for right, because none is known.
     *
     * @return whether it is known from now on.
     */
    default boolean learn(final ModelInfo model, final ProbeQuestion question, final int[] outputBits) {
        return false;
    }
}
