package io.tiercel.tools.transformer;

import io.tiercel.appliance.engine.Backends;
import io.tiercel.appliance.engine.bundle.Bundle;
import io.tiercel.appliance.engine.bundle.BundleWriter;
import io.tiercel.appliance.engine.bundle.CacheFormat;
import io.tiercel.appliance.engine.bundle.CacheFormat.Rotation;
import io.tiercel.appliance.engine.bundle.CacheFormat.WhenFull;
import io.tiercel.appliance.engine.bundle.Manifest.WeightFormat;
import io.tiercel.tools.ModelInputException;
import io.tiercel.tools.journal.JournalTokens;
import io.tiercel.tools.llama.LlamaModel;
import io.tiercel.tools.llama.ModelFiles;
import io.tiercel.tools.market.EventVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Option;

/** What {@code tiercel model quantize} asks of a transformer beside what it asks of any network. */
public final class TransformerOptions {

    /** Of text that a model without data is calibrated on. */
    private static final int DRAWN_SEQUENCES = 12;
    private static final int DRAWN_TOKENS = 400;
    private static final String VOCABULARY = "vocabulary.json";

    @Option(names = "--kv", defaultValue = "4/4", paramLabel = "KEYS/VALUES",
            description = "Codes of keys and values behind the window: bits a channel, 8, 4, 2 or 1, each by itself " +
                    "or (c4, c2, c1) coupled, eight bits for several channels; 16/16 keeps all of the context in " +
                    "16 bits (default: ${DEFAULT-VALUE}).")
    private String codecs;

    @Option(names = "--window", defaultValue = "64", paramLabel = "TOKENS",
            description = "Newest tokens, kept in 8 bits; 0 for none (default: ${DEFAULT-VALUE}).")
    private int window;

    @Option(names = "--sinks", defaultValue = "0", paramLabel = "TOKENS",
            description = "First tokens, kept in 8 bits (default: ${DEFAULT-VALUE}).")
    private int sinks;

    @Option(names = "--context", paramLabel = "TOKENS",
            description = "Tokens in reach of attention (default: the network's).")
    private Integer context;

    @Option(names = "--when-full", defaultValue = "slide", paramLabel = "slide|refuse",
            description = "What a session does when its context is full (default: ${DEFAULT-VALUE}).")
    private String whenFull;

    @Option(names = "--rotate", description = "Rotate keys and values (Walsh-Hadamard) before they are coded.")
    private boolean isRotated;

    @Option(names = "--activations", paramLabel = "8|16",
            description = "Bits of what matrices are multiplied with (default: 8; 16 with int16 weights).")
    private Integer activationBits;

    @Option(names = "--top", defaultValue = "4", paramLabel = "N",
            description = "Likeliest next tokens that an answer names (default: ${DEFAULT-VALUE}).")
    private int top;

    @Option(names = "--tokenizer", paramLabel = "BIN", description = "A llama2.c tokenizer, for a model without one.")
    private Path tokenizerFile;

    @Option(names = "--events", paramLabel = "JSON",
            description = "What the tokens of market events stand for, as tiercel events wrote it; goes into the " +
                    "bundle (default: vocabulary.json in a directory, if it is there).")
    private Path eventsFile;

    @Option(names = "--model-version", paramLabel = "HEX",
            description = "Of the journal to calibrate by: the first digits of the version of one of its models " +
                    "(default: the one that it has).")
    private String modelVersion;

    @Option(names = "--codebook-seed", defaultValue = "1", paramLabel = "N",
            description = "Of the chance in making codebooks (default: ${DEFAULT-VALUE}).")
    private long seed;

    /**
     * Reads, calibrates, quantises, evaluates and writes.
     *
     * @param calibration tokens, text or a journal; null for text that the network draws itself.
     * @param evaluation  tokens or text; null for none.
     */
    public void quantise(
            final Path input, final WeightFormat weights, final Path calibration, final Path evaluation,
            final Map<String, String> provenance, final Path output) throws IOException {
        if (modelVersion != null && (calibration == null || !Files.isDirectory(calibration))) {
            throw new ModelInputException("--model-version goes with a journal as --calibrate");
        }
        final LlamaModel model = model(input);
        final EventVocabulary events = events(input, model);
        final TransformerSettings settings = settings(model, weights);
        final Map<String, String> origin = new LinkedHashMap<>(provenance);
        origin.putIfAbsent("source", input.getFileName() + ", " + model.format());
        origin.put("calibration", calibration == null
                ? "text drawn by the network itself, seed " + seed
                : calibration.toAbsolutePath().normalize().getFileName().toString());
        final List<int[]> sequences = calibration == null
                ? TokenSequences.drawn(model, DRAWN_SEQUENCES, Math.min(DRAWN_TOKENS, settings.context()),
                        settings.context(), seed)
                : calibrationTokens(calibration, model);
        BundleWriter bundle = TransformerQuantiser.quantise(model, settings, sequences, origin, Map.of());
        if (evaluation != null) {
            final Map<String, Object> accuracy = evaluate(model, settings, evaluation, Bundle.of(output,
                    bundle.toBytes()));
            bundle = TransformerQuantiser.quantise(model, settings, sequences, origin, accuracy);
        }
        if (events != null) {
            events.putTensors(bundle::bytes);
        }
        Bundle.of(output, bundle.toBytes());
        bundle.write(output);
    }

    /** Null if the tokens are no market events. */
    private EventVocabulary events(final Path input, final LlamaModel model) {
        final Path beside = input.resolve(VOCABULARY);
        final Path file = eventsFile == null && Files.exists(beside) ? beside : eventsFile;
        if (file == null) {
            return null;
        }
        final EventVocabulary events = EventVocabulary.read(file);
        if (events.tokenCount() != model.shape().vocabularySize()) {
            throw new ModelInputException(file + ": tokens=" + events.tokenCount() + " but the model's vocabulary=" +
                    model.shape().vocabularySize());
        }
        return events;
    }

    private LlamaModel model(final Path input) {
        final LlamaModel model = ModelFiles.read(input);
        return tokenizerFile == null
                ? model
                : model.withTokenizer(ModelFiles.readTokenizer(tokenizerFile, model.shape().vocabularySize()));
    }

    private TransformerSettings settings(final LlamaModel model, final WeightFormat weights) {
        final WhenFull full = switch (whenFull.toLowerCase(Locale.ROOT)) {
            case "slide" -> WhenFull.SLIDE;
            case "refuse" -> WhenFull.REFUSE;
            default -> throw new ModelInputException("--when-full=" + whenFull + " is not slide or refuse");
        };
        final CacheFormat cache =
                TransformerSettings.cache(codecs, isRotated ? Rotation.HADAMARD : Rotation.NONE, full);
        final int bits = activationBits != null
                ? activationBits
                : weights == WeightFormat.INT16 ? Short.SIZE : Byte.SIZE;
        final int tokens = context == null ? model.shape().contextTokens() : context;
        final int room = Math.max(0, tokens - sinks);
        return new TransformerSettings(weights, bits, cache,
                cache.recentBits() == Short.SIZE ? room : Math.min(window, room), sinks, tokens,
                Math.min(top, model.shape().vocabularySize()), seed);
    }

    private static Map<String, Object> evaluate(
            final LlamaModel model, final TransformerSettings settings, final Path evaluation, final Bundle bundle)
            throws IOException {
        final List<int[]> sequences = read(evaluation, model, "test");
        final TransformerEvaluation exact =
                TransformerEvaluation.of(model.weights(), sequences, settings.context());
        final Map<String, Object> accuracy = new LinkedHashMap<>();
        accuracy.put("file", evaluation.getFileName().toString());
        accuracy.put("predictions", exact.predictions());
        put(accuracy, "fp32", exact);
        try (TransformerSession session = new TransformerSession(bundle, Backends.select(Backends.AUTO, bundle))) {
            put(accuracy, "bundle", TransformerEvaluation.of(session, sequences));
        }
        return accuracy;
    }

    private static void put(final Map<String, Object> accuracy, final String name, final TransformerEvaluation of) {
        accuracy.put(name, Map.of("perplexity", of.perplexity(), "accuracy", of.accuracy()));
    }

    private List<int[]> calibrationTokens(final Path path, final LlamaModel model) throws IOException {
        return Files.isDirectory(path)
                ? JournalTokens.read(path, modelVersion, model.shape().vocabularySize())
                : read(path, model, "train");
    }

    private static List<int[]> read(final Path path, final LlamaModel model, final String split) throws IOException {
        return TokenSequences.read(path, model.tokenizer(), split, model.shape().vocabularySize());
    }
}
