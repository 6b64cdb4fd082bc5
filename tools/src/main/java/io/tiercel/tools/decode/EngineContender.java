package io.tiercel.tools.decode;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.tools.ToolException;
import io.tiercel.tools.llama.Tokenizer;
import io.tiercel.tools.transformer.BundleTokenizer;
import io.tiercel.tools.transformer.TokenSessions;
import io.tiercel.tools.transformer.TransformerSettings;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * One session of a bundle on a backend of ours, on the calling thread. A token costs the whole step: what its answer
 * waits for, choosing it, and the hash and the work ahead that follow. Decoding allocates histograms, and text once all
 * times are taken.
 *
 * <p>Without a tokenizer a text is its tokens' numbers, and no token ends it.
 */
final class EngineContender implements DecodeContender {

    private static final int NONE = -1;

    private final String title;
    private final Bundle bundle;
    private final String backend;
    private final NanoClock clock;
    private final Tokenizer tokenizer;
    private TokenSessions sessions;

    /** @param title stands before the row's name. */
    EngineContender(final String title, final Bundle bundle, final String backend, final NanoClock clock) {
        this.title = title;
        this.bundle = bundle;
        this.backend = backend;
        this.clock = clock;
        tokenizer = BundleTokenizer.of(bundle);
    }

    @Override
    public String name() {
        return title + "tiercel " + backend + ", " +
                bundle.manifest().quantisation().weights().name().toLowerCase(Locale.ROOT) + ", " +
                TransformerSettings.text(bundle.manifest().cache()) + " cache";
    }

    @Override
    public boolean isPeer() {
        return false;
    }

    @Override
    public void load() {
        sessions = new TokenSessions(bundle, Backends.select(backend, bundle), 1);
    }

    @Override
    public DecodeRun decode(final int[] promptTokens, final int tokenCount) {
        checkRoom(promptTokens.length + tokenCount);
        final int excluded = tokenizer == null ? NONE : tokenizer.eosId();
        final int[] tokens = new int[tokenCount];
        final Histogram tokenNs = DecodeRun.newHistogram();
        final Histogram answerNs = DecodeRun.newHistogram();
        sessions.reset(0);
        final long begunNs = clock.nanoTime();
        sessions.steps(0, promptTokens);
        tokens[0] = sessions.likeliest(excluded);
        final long firstNs = clock.nanoTime();
        long lastNs = firstNs;
        for (int i = 1; i < tokenCount; i++) {
            sessions.step(0, tokens[i - 1]);
            tokens[i] = sessions.likeliest(excluded);
            final long knownNs = clock.nanoTime();
            sessions.settle(0);
            final long settledNs = clock.nanoTime();
            DecodeRun.record(answerNs, knownNs - lastNs);
            DecodeRun.record(tokenNs, settledNs - lastNs);
            lastNs = settledNs;
        }
        return newRun(promptTokens, tokens, firstNs - begunNs, Math.max(1, lastNs - firstNs), tokenNs, answerNs);
    }

    @Override
    public void close() {
        if (sessions != null) {
            sessions.close();
            sessions = null;
        }
    }

    private void checkRoom(final int tokens) {
        final int context = bundle.manifest().shape().get("context");
        if (bundle.manifest().cache().whenFull() == WhenFull.REFUSE && tokens > context) {
            throw ToolException.environment(bundle.path() + ": context=" + context + " has no room for tokens=" +
                    tokens + ", and the bundle refuses what has none");
        }
    }

    private DecodeRun newRun(
            final int[] promptTokens, final int[] tokens, final long promptNs, final long decodeNs,
            final Histogram tokenNs, final Histogram answerNs) {
        final ByteArrayOutputStream text = new ByteArrayOutputStream();
        final int[] textEnds = new int[tokens.length];
        int previous = promptTokens[promptTokens.length - 1];
        for (int i = 0; i < tokens.length; i++) {
            text.writeBytes(tokenizer == null
                    ? ((i == 0 ? "" : " ") + tokens[i]).getBytes(StandardCharsets.US_ASCII)
                    : tokenizer.decode(previous, tokens[i]));
            previous = tokens[i];
            textEnds[i] = text.toString(StandardCharsets.UTF_8).length();
        }
        return new DecodeRun(text.toString(StandardCharsets.UTF_8), tokens.length - 1, promptNs, decodeNs, tokenNs,
                answerNs, textEnds);
    }
}
