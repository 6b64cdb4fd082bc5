package io.tiercel.tools.decode;

import java.nio.file.Path;
import org.agrona.concurrent.NanoClock;

/** llama.cpp with one kind of cache, its tokens timed one by one, or all of them together. */
final class LlamaCppContender implements DecodeContender {

    private final String title;
    private final Path model;
    private final int headSize;
    private final LlamaCppCache cache;
    private final boolean isStreamed;
    private final NanoClock clock;
    private LlamaCppPeer peer;

    /**
     * @param title      stands before the row's name.
     * @param headSize   of the model.
     * @param isStreamed whether each token is timed; without, the binding does less work.
     */
    LlamaCppContender(
            final String title, final Path model, final int headSize, final LlamaCppCache cache,
            final boolean isStreamed, final NanoClock clock) {
        this.title = title;
        this.model = model;
        this.headSize = headSize;
        this.cache = cache;
        this.isStreamed = isStreamed;
        this.clock = clock;
    }

    @Override
    public String name() {
        return title + "llama.cpp, " + cache.title() + " cache" + (cache.isQuantised() ? ", flash attention" : "")
                + (isStreamed ? "" : ", whole text");
    }

    @Override
    public boolean isPeer() {
        return true;
    }

    @Override
    public void load() {
        peer = LlamaCppPeer.open(model, headSize, cache, clock);
    }

    @Override
    public DecodeRun decode(final int[] promptTokens, final int tokenCount) {
        return isStreamed ? peer.stream(promptTokens, tokenCount) : peer.complete(promptTokens, tokenCount);
    }

    @Override
    public void close() {
        if (peer != null) {
            peer.close();
        }
    }
}
