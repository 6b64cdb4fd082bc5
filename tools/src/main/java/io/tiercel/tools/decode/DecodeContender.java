package io.tiercel.tools.decode;

import io.tiercel.tools.ToolException;

/**
 * Whoever decodes, as a row of the report. Used by one thread: {@link #load} once, {@link #decode} any number of times,
 * {@link #close}, which is called whatever happened before.
 *
 * <p>Greedy: the token with the highest logit, whatever it was before, but never one that ends a text, so that all
 * contenders do the same work. Nothing of a prompt or a text is kept for the next call.
 */
interface DecodeContender extends AutoCloseable {

    /** What the row is called, and nobody else's. */
    String name();

    /** Whether this is a peer: it is compared with, and where it cannot run its row says why. */
    boolean isPeer();

    /** @throws ToolException if it cannot run here; its message is the reason. */
    void load();

    /**
     * Decodes behind a prompt.
     *
     * @param promptTokens the first one begins a text; none is changed.
     * @param tokenCount   of the text; at least 2.
     * @throws ToolException if it cannot.
     */
    DecodeRun decode(int[] promptTokens, int tokenCount);

    @Override
    void close();
}
