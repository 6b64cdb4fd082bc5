package io.tiercel.tools.decode;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaIterator;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.LlamaOutput;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.Sampler;
import io.tiercel.tools.ToolException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.HdrHistogram.Histogram;
import org.agrona.concurrent.NanoClock;

/**
 * One model in llama.cpp, decoded greedily on one thread: what a transformer engine is compared with. Used by one thread
 * at a time.
 *
 * <p>The binding is llama.cpp's server without its sockets: a request goes as JSON to a thread of its own, which decodes
 * without waiting for whoever takes the tokens. So the calling thread's work lies beside the decoding, on another core,
 * and what is timed is the rate of the decoding thread; single times also hold what it takes to wake the caller.
 *
 * <p>A close ends that thread. The binding frees no memory, so a process can open a few models, not thousands.
 */
final class LlamaCppPeer implements AutoCloseable {

    /** Of prompt and text together. */
    static final int CONTEXT_TOKENS = 512;

    /** That begins a text, in every vocabulary of the Llama family before the third. */
    static final int BEGIN_TOKEN = 1;

    /** A text of one token is timed so often, and the shortest time counts as the prompt's. */
    private static final int PROMPT_TRIES = 3;

    private static final int SEED = 1;

    private final LlamaModel model;
    private final NanoClock clock;
    private boolean isClosed;

    private LlamaCppPeer(final LlamaModel model, final NanoClock clock) {
        this.model = model;
        this.clock = clock;
    }

    /** @throws ToolException if llama.cpp cannot run here, or refuses the model. */
    static LlamaCppPeer open(
            final Path gguf, final GgufHeader header, final LlamaCppCache cache, final NanoClock clock) {
        cache.checkHead(header);
        if (!Files.isReadable(gguf)) {
            throw ToolException.environment("cannot read file=" + gguf);
        }
        LlamaCppLibrary.load();
        try {
            return new LlamaCppPeer(new LlamaModel(settings(gguf, cache)), clock);
        } catch (final RuntimeException ex) {
            throw failed("load file=" + gguf, ex);
        }
    }

    /** Decodes and takes the time of each token. */
    DecodeRun stream(final int[] promptTokens, final int tokenCount) {
        final InferenceParameters request = request(promptTokens, tokenCount);
        final Histogram tokenNs = DecodeRun.newHistogram();
        final StringBuilder text = new StringBuilder();
        final long begunNs = clock.nanoTime();
        long firstNs = 0;
        long lastNs = 0;
        try {
            final LlamaIterator pieces = model.generate(request).iterator();
            while (pieces.hasNext()) {
                final LlamaOutput piece = pieces.next();
                final long nowNs = clock.nanoTime();
                text.append(piece.text);
                if (!pieces.hasNext()) {
                    break; // a message of its own, without a token, says that it is over
                }
                if (firstNs == 0) {
                    firstNs = nowNs;
                } else {
                    DecodeRun.record(tokenNs, nowNs - lastNs);
                }
                lastNs = nowNs;
            }
        } catch (final RuntimeException ex) {
            throw failed("decode", ex);
        }
        return new DecodeRun(
                textOf(promptTokens, text.toString()), tokenCount - 1, firstNs - begunNs, lastNs - firstNs, tokenNs);
    }

    /**
     * Decodes and takes the time of the whole, which is a little shorter than {@link #stream}'s, as llama.cpp then makes
     * no message for each token; less the time of a text of one token.
     */
    DecodeRun complete(final int[] promptTokens, final int tokenCount) {
        final InferenceParameters first = request(promptTokens, 1);
        final InferenceParameters request = request(promptTokens, tokenCount);
        try {
            long promptNs = Long.MAX_VALUE;
            for (int i = 0; i < PROMPT_TRIES; i++) {
                final long begunNs = clock.nanoTime();
                model.complete(first);
                promptNs = Math.min(promptNs, clock.nanoTime() - begunNs);
            }
            final long begunNs = clock.nanoTime();
            final String text = model.complete(request);
            final long tookNs = clock.nanoTime() - begunNs;
            return new DecodeRun(textOf(promptTokens, text), tokenCount - 1, promptNs, Math.max(1, tookNs - promptNs),
                    DecodeRun.newHistogram());
        } catch (final RuntimeException ex) {
            throw failed("decode", ex);
        }
    }

    /** Tokens of a text, without the one that begins it. */
    int[] encode(final String text) {
        return model.encode(text);
    }

    /** Ends the decoding thread; a second call does nothing. */
    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            model.close();
        }
    }

    /**
     * The fastest of the settings that were tried with a model of 260,000 weights, see tools/README.md: neither the size
     * of a batch, nor the context's, nor mmap, polling, batching or its own counters made a difference that was seen.
     * Nothing is said of GPU layers: the library has no GPU code, and would print that.
     */
    private static ModelParameters settings(final Path gguf, final LlamaCppCache cache) {
        final ModelParameters settings = new ModelParameters()
                .setModel(gguf.toString())
                .setThreads(1)
                .setThreadsBatch(1)
                .setParallel(1)
                .setCtxSize(CONTEXT_TOKENS)
                .setCacheTypeK(cache.type())
                .setCacheTypeV(cache.type())
                .disableLog();
        return cache.isQuantised() ? settings.enableFlashAttn() : settings;
    }

    /** The best token alone is left to be chosen from, by the one sampler that this needs. */
    private InferenceParameters request(final int[] promptTokens, final int tokenCount) {
        return new InferenceParameters(textOf(promptTokens))
                .setNPredict(tokenCount)
                .setSamplers(Sampler.TOP_K)
                .setTopK(1)
                .setTemperature(0)
                .setRepeatPenalty(1)
                .setSeed(SEED)
                .setIgnoreEos(true)
                .setCachePrompt(false);
    }

    /** The binding takes prompts as text only, and sets {@link #BEGIN_TOKEN} and a blank before it. */
    private String textOf(final int[] promptTokens) {
        if (promptTokens.length == 0 || promptTokens[0] != BEGIN_TOKEN) {
            throw ToolException.environment("llama.cpp begins a prompt with token=" + BEGIN_TOKEN);
        }
        final int[] tokens = Arrays.copyOfRange(promptTokens, 1, promptTokens.length);
        if (tokens.length == 0) {
            return "";
        }
        final String text = withoutBlank(model.decode(tokens));
        if (!Arrays.equals(tokens, model.encode(text))) {
            throw ToolException.environment("llama.cpp reads the prompt's text as other tokens="
                    + Arrays.toString(model.encode(text)));
        }
        return text;
    }

    private static String textOf(final int[] promptTokens, final String text) {
        return promptTokens.length == 1 ? withoutBlank(text) : text;
    }

    private static String withoutBlank(final String text) {
        return text.startsWith(" ") ? text.substring(1) : text;
    }

    /** The binding's own exception is a class that only itself can name. */
    private static RuntimeException failed(final String what, final RuntimeException cause) {
        return cause.getClass().getPackageName().equals(LlamaModel.class.getPackageName())
                ? ToolException.environment("llama.cpp cannot " + what + ": " + cause.getMessage(), cause)
                : cause;
    }
}
