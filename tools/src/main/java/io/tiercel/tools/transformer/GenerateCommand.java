package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.TokenExecutor;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.protocol.client.Generation;
import io.tiercel.tools.ExitCode;
import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.llama.Tokenizer;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tiercel generate}: text from a language model, token by token as it is made, here or by an appliance. */
@Command(
        name = "generate",
        sortOptions = false,
        header = "Let a language model go on with a text; prints as it is made.",
        description = {
            "The same bundle, prompt, temperature and seed give the same text on every machine and backend, and from " +
                    "an appliance that serves the bundle (--aeron-dir)."})
public final class GenerateCommand implements Callable<Integer> {

    private static final int MAX_TOKENS = Generation.MAX_TOKENS;

    @Spec
    private CommandSpec spec;

    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help and exit.")
    private boolean help;

    @Option(names = "--model", required = true, paramLabel = "BUNDLE", description = "A bundle with a tokenizer.")
    private Path model;

    @Option(names = "--prompt", defaultValue = "", paramLabel = "TEXT", description = "What to go on with.")
    private String prompt;

    @Option(names = "--tokens", defaultValue = "200", paramLabel = "N",
            description = "Most tokens to make (default: ${DEFAULT-VALUE}).")
    private int tokens;

    @Option(names = "--temperature", defaultValue = "0", paramLabel = "T",
            description = "0 for the likeliest token each time, otherwise drawn (default: ${DEFAULT-VALUE}).")
    private float temperature;

    @Option(names = "--top", defaultValue = "0", paramLabel = "N",
            description = "Draw from the N likeliest tokens only; 0 for all (default: ${DEFAULT-VALUE}).")
    private int top;

    @Option(names = "--seed", defaultValue = "1", paramLabel = "N",
            description = "Of the draws (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--draft", defaultValue = "0", paramLabel = "N",
            description = "Guess up to N tokens from what the text has said before, and verify them in one pass; " +
                    "the text is the same, drawn or not (0..15, default: ${DEFAULT-VALUE}).")
    private int draftCount;

    @Option(names = "--draft-model", paramLabel = "BUNDLE",
            description = "Guess with this smaller model of the same vocabulary instead.")
    private Path draftModel;

    @Option(names = "--aeron-dir", paramLabel = "DIR",
            description = "Let the appliance make the tokens whose media driver is there (aeron.directory of its " +
                    "configuration); the bundle here tells the model, and has the tokenizer.")
    private String aeronDirectoryName;

    @Option(names = "--session", defaultValue = "0", paramLabel = "N",
            description = "The appliance's session, which is begun anew (default: ${DEFAULT-VALUE}).")
    private long sessionKey;

    @Option(names = "--backend", defaultValue = "auto", paramLabel = "NAME",
            description = "auto, cpu, reference (default: ${DEFAULT-VALUE}).")
    private String backend;

    @Option(names = "--stats", description = "Print tokens a second and the session's hash on standard error.")
    private boolean hasStats;

    private int madeCount;
    /** The last token that was written. */
    private int last;

    @Override
    public Integer call() {
        checkArguments();
        generate(Bundle.open(model));
        return ExitCode.OK;
    }

    private void checkArguments() {
        if (tokens < 1) {
            throw new ModelInputException("--tokens=" + tokens + " is below 1");
        }
        if (draftCount < 0 || draftCount >= TokenExecutor.MAX_DRAFT) {
            throw new ModelInputException("--draft=" + draftCount + " is not in 0.." + (TokenExecutor.MAX_DRAFT - 1));
        }
        if (draftModel != null && draftCount == 0) {
            throw new ModelInputException("--draft-model=" + draftModel + " needs --draft=N, how many to guess");
        }
        if (draftCount > 0 && aeronDirectoryName != null) {
            throw new ModelInputException("--draft is not for --aeron-dir: what an appliance guesses says its " +
                    "foreseen-generated-tokens");
        }
        if (aeronDirectoryName != null && tokens > MAX_TOKENS) {
            throw new ModelInputException("--tokens=" + tokens + " is above " + MAX_TOKENS +
                    ", what an appliance makes at once");
        }
        if (top < 0 || top > MAX_TOKENS) {
            throw new ModelInputException("--top=" + top + " is not in 0.." + MAX_TOKENS);
        }
        if (!Sampling.isTemperature(temperature)) {
            throw new ModelInputException("--temperature=" + temperature + " is not 0 or a number above it");
        }
    }

    private void generate(final Bundle bundle) {
        final Tokenizer tokenizer = BundleTokenizer.of(bundle);
        if (tokenizer == null) {
            throw new ModelInputException(model + ": has no tokenizer");
        }
        if (aeronDirectoryName != null) {
            try (ApplianceText appliance = new ApplianceText(aeronDirectoryName, bundle, sessionKey)) {
                generate(appliance, tokenizer);
            }
            return;
        }
        try (TransformerSession session = new TransformerSession(bundle, Backends.select(backend, bundle))) {
            generate(session, tokenizer);
        }
    }

    private void generate(final TransformerSession session, final Tokenizer tokenizer) {
        final TextStream text = new TextStream(spec.commandLine().getOut());
        final int[] promptTokens = begin(text, tokenizer, session.contextTokens());
        session.steps(promptTokens);
        last = promptTokens[promptTokens.length - 1];
        final Sampling sampling = new Sampling(temperature, top, seed);
        try (Draft draft = newDraft(session.vocabularySize(), sampling)) {
            final TokenMaker maker = new TokenMaker(session, sampling, draft, draftCount);
            final long begunNs = System.nanoTime();
            maker.goOn(promptTokens, tokens, token -> isEnd(tokenizer, token), token -> write(text, tokenizer, token));
            end(begunNs, String.format(Locale.ROOT, " passes=%d guesses=%d right=%d hash=%016x", maker.passCount(),
                    maker.guessCount(), maker.rightCount(), session.hash()));
        }
    }

    private static boolean isEnd(final Tokenizer tokenizer, final int token) {
        return token == tokenizer.eosId() || token == tokenizer.bosId();
    }

    private Draft newDraft(final int vocabularySize, final Sampling sampling) {
        if (draftModel == null) {
            return new NgramDraft();
        }
        final Bundle bundle = Bundle.open(draftModel);
        return new ModelDraft(bundle, Backends.select(backend, bundle), vocabularySize, sampling);
    }

    /** The appliance does it. */
    private void generate(final ApplianceText appliance, final Tokenizer tokenizer) {
        final TextStream text = new TextStream(spec.commandLine().getOut());
        final int[] promptTokens = begin(text, tokenizer, appliance.contextTokens());
        final long begunNs = System.nanoTime();
        last = promptTokens[promptTokens.length - 1];
        appliance.goOn(promptTokens, new Generation().maxTokens(tokens).temperature(temperature).topTokens(top)
                .seed(seed).stopTokens(tokenizer.eosId(), tokenizer.bosId()), token -> {
                    if (!isEnd(tokenizer, token)) {
                        write(text, tokenizer, token);
                    }
                });
        end(begunNs, "");
    }

    private int[] begin(final TextStream text, final Tokenizer tokenizer, final int contextTokens) {
        final int[] promptTokens =
                prompt.isEmpty() ? new int[] {tokenizer.bosId()} : tokenizer.encode(prompt, true);
        limitTokens(contextTokens, promptTokens.length);
        text.write(tokenizer.decode(promptTokens));
        return promptTokens;
    }

    private void write(final TextStream text, final Tokenizer tokenizer, final int token) {
        text.write(tokenizer.decode(last, token));
        last = token;
        madeCount++;
    }

    private void end(final long begunNs, final String more) {
        final double seconds = (System.nanoTime() - begunNs) * 1e-9;
        spec.commandLine().getOut().println();
        spec.commandLine().getOut().flush();
        if (hasStats) {
            spec.commandLine().getErr().printf(Locale.ROOT, "tokens=%d tokens/s=%.0f%s%n", madeCount,
                    madeCount / seconds, more);
            spec.commandLine().getErr().flush();
        }
    }

    /** A context that does not slide ends the text. */
    private void limitTokens(final int contextTokens, final int promptCount) {
        if (contextTokens == 0 || promptCount + (long) tokens <= contextTokens) {
            return;
        }
        if (promptCount >= contextTokens) {
            throw new ModelInputException("--prompt has tokens=" + promptCount + ", the model's context holds " +
                    contextTokens + " and does not slide");
        }
        tokens = contextTokens - promptCount;
        spec.commandLine().getErr().println(spec.qualifiedName() + ": tokens=" + tokens +
                ": more do not fit the model's context of " + contextTokens + ", which does not slide");
        spec.commandLine().getErr().flush();
    }

    /** Bytes of UTF-8 as they come: a character may be spread over tokens. */
    private static final class TextStream {

        private final PrintWriter out;
        private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPLACE)
                .onUnmappableCharacter(CodingErrorAction.REPLACE);
        private ByteBuffer left = ByteBuffer.allocate(0);

        private TextStream(final PrintWriter out) {
            this.out = out;
        }

        private void write(final byte[] bytes) {
            final ByteBuffer all = ByteBuffer.allocate(left.remaining() + bytes.length).put(left).put(bytes).flip();
            final CharBuffer characters = CharBuffer.allocate(all.remaining() + 1);
            decoder.decode(all, characters, false);
            left = all;
            out.print(characters.flip());
            out.flush();
        }
    }
}
