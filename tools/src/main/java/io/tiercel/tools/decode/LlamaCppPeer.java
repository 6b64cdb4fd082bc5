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
 * One model in llama.cpp, decoded greedily on one thread: what a transformer engine is compared with. Used by one
 * thread at a time.
 *
 * <p>The binding is llama.cpp's server without its sockets: a request goes as JSON to a thread of its own, which
 * decodes without waiting for whoever takes the tokens. So the calling thread works beside it, on another core, and
 * what is timed is the rate of the decoding thread; times of single tokens also hold what it takes to wake the caller.
 *
 * <p>A close ends that thread, which the JVM goes on counting as one: a process has to end by {@code System.exit}. The
 * binding frees no memory either, so that a process can open a few models, not thousands.
 */
final class LlamaCppPeer implements AutoCloseable {

    /** Of prompt and text together. */
    static final int CONTEXT_TOKENS = 512;

    /** That begins a text, in every vocabulary of the Llama family before the third. */
    static final int BEGIN_TOKEN = 1;

    private static final int SEED = 1;

    private final LlamaModel model;
    private final NanoClock clock;
    private int[] lastPromptTokens = {};
    private long shortestPromptNs;
    private boolean isClosed;

    private LlamaCppPeer(final LlamaModel model, final NanoClock clock) {
        this.model = model;
        this.clock = clock;
    }

    /**
     * Loads a model.
     *
     * @param headSize of the model, which llama.cpp does not check.
     * @throws ToolException if llama.cpp cannot run here, or refuses the model.
     */
    static LlamaCppPeer open(
            final Path gguf, final int headSize, final LlamaCppCache cache, final NanoClock clock) {
        cache.checkHead(headSize);
        if (!Files.isRegularFile(gguf) || !Files.isReadable(gguf)) {
            throw ToolException.environment("cannot read file=" + gguf);
        }
        LlamaCppLibrary.load();
        try {
            return new LlamaCppPeer(new LlamaModel(settings(gguf, cache)), clock);
        } catch (final RuntimeException ex) {
            throw failed("load file=" + gguf, ex);
        }
    }

    /**
     * Decodes and takes the time of each token. The whole counts from the request, less the shortest time that this
     * prompt ever took: where the caller is woken late for the first token, those behind it have piled up, and the time
     * from the first to the last would be far too short.
     */
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
        final long promptNs = shortestPromptNs(promptTokens, firstNs - begunNs);
        return newRun(promptTokens, text.toString(), tokenCount, promptNs, lastNs - begunNs, tokenNs);
    }

    /**
     * Decodes and takes the time of the whole: llama.cpp then makes no message for each token. The prompt's time is
     * that of a text of one token.
     */
    DecodeRun complete(final int[] promptTokens, final int tokenCount) {
        final InferenceParameters first = request(promptTokens, 1);
        final InferenceParameters request = request(promptTokens, tokenCount);
        try {
            final long begunNs = clock.nanoTime();
            model.complete(first);
            final long promptNs = shortestPromptNs(promptTokens, clock.nanoTime() - begunNs);
            final long textBegunNs = clock.nanoTime();
            final String text = model.complete(request);
            final long tookNs = clock.nanoTime() - textBegunNs;
            return newRun(promptTokens, text, tokenCount, promptNs, tookNs, DecodeRun.newHistogram());
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
     * The fastest of the settings that were tried, see tools/README.md. Nothing is said of GPU layers: the library has
     * no GPU code, and would print that.
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

    /** Of all times of one prompt after the other: what a stall of the caller adds is no time of the prompt's. */
    private long shortestPromptNs(final int[] promptTokens, final long promptNs) {
        final boolean isSame = Arrays.equals(lastPromptTokens, promptTokens);
        lastPromptTokens = promptTokens.clone();
        shortestPromptNs = isSame ? Math.min(shortestPromptNs, promptNs) : promptNs;
        return shortestPromptNs;
    }

    private static DecodeRun newRun(
            final int[] promptTokens, final String text, final int tokenCount, final long promptNs, final long tookNs,
            final Histogram tokenNs) {
        final boolean isFromTheBeginning = promptTokens.length == 1;
        return new DecodeRun(isFromTheBeginning ? withoutBlank(text) : text, tokenCount - 1, promptNs,
                Math.max(1, tookNs - promptNs), tokenNs);
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
