package io.tiercel.ops.probe;

import io.tiercel.protocol.client.ModelInfo;
import java.util.List;

/** Where a probe knows from what is right. */
public interface KnownAnswers {

    /**
     * The bits of the outputs after the question's last step, in a session that was new; null if they are not known.
     * Asked at each question: whoever has to compute them keeps them.
     */
    int[] outputBits(ModelInfo model, ProbeQuestion question);

    /**
     * Versions of the model, besides the one that it names, which a session may be with: a session stays with the
     * version that it began with, and a welcome names only the one that most new sessions come to.
     */
    default List<String> otherVersions(final ModelInfo model) {
        return List.of();
    }

    /**
     * Takes an answer for right, because none is known.
     *
     * @return whether it is known from now on.
     */
    default boolean learn(final ModelInfo model, final ProbeQuestion question, final int[] outputBits) {
        return false;
    }
}
